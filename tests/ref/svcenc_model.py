#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Command line of the independent model; see svcenc_layout, svcenc_crypto,
svcenc_volume.  A tool for tests: unlike the product it prints keys, and takes
them from files or arguments."""

import argparse
import json
import os
import shlex
import sys
import uuid

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import svcenc_crypto as crypto
from svcenc_layout import INCOMPAT_ROTATING, PLACE_HIGH, PLACE_LOW, ModelError, Superblock
from svcenc_volume import (
    Keys, Plan, Volume, create, sign_record, sign_superblock, superblock_mac)


def read_policy_key(path):
    """32 raw bytes, or their hex."""
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) != 32:
        raw = bytes.fromhex(raw.decode("ascii").strip())
    if len(raw) != 32:
        raise ModelError(f"{path}: wanted 32 bytes or 64 hex digits")
    return raw


def keys_from(args):
    if args.policy_key:
        return Keys(bytes.fromhex(args.policy_key))
    if args.policy_key_file:
        return Keys(read_policy_key(args.policy_key_file))
    return Keys(vaults=[crypto.FileVault(v) for v in args.vault])


def size_of(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    if text[-1:].upper() in units:
        return int(text[:-1], 0) * units[text[-1].upper()]
    return int(text, 0)


def extent_of(text):
    start, _, count = text.partition("+")
    return int(start, 0), int(count, 0)


def description(sb):
    return f"svcenc:{sb['policy']}:{sb['policy_version']}"


SHOWN = ("magic", "crc", "version", "incompat", "ro_compat", "compat", "uuid", "policy",
         "policy_version", "cipher", "sector_size", "keyed", "seq", "sb2_offset",
         "record_offset", "record_len", "data_offset", "data_len", "spare_len", "epoch",
         "place", "direction", "watermark", "extent_count", "mac")
SHOWN_RECORD = ("magic", "crc", "version", "volume", "policy", "policy_version", "wrap_count",
                "generation", "tenant", "tenant_name", "policy_name", "volume_name", "mac")


def fields_of(image, names):
    values = {name: image[name] for name in names}
    values = {n: v.hex() if isinstance(v, bytes) else v if isinstance(v, (int, str)) else str(v)
              for n, v in values.items()}
    values["crc_is_right"] = image.crc_is_right()
    return values


def cmd_show(args):
    volume = Volume(args.image)
    print(json.dumps({
        "superblocks": [fields_of(sb, SHOWN) for sb in volume.copies],
        "records": [fields_of(record, SHOWN_RECORD) for record in volume.records],
    }, indent=2))


def cmd_open(args):
    volume = Volume(args.image, keys_from(args))
    sb, policy_key, _ = volume.open()
    print(f"uuid {sb['uuid']}\nkey {description(sb)}\nseq {sb['seq']}\nepoch {sb['epoch']}")
    check = crypto.check_value(policy_key, sb["policy"], sb["policy_version"])
    print(f"check {check.hex()}\nsectors {sb['data_len'] // 512}")


def cmd_decrypt(args):
    volume = Volume(args.image, keys_from(args))
    for block in volume.decrypt(args.offset, args.length, args.skip_unreadable):
        sys.stdout.buffer.write(block)


def new_policy_key(args):
    """The key of --policy-key or --policy-key-file; the file is made if absent."""
    if args.policy_key:
        return bytes.fromhex(args.policy_key)
    path = args.policy_key_file
    if path and os.path.exists(path):
        return read_policy_key(path)
    key = os.urandom(32)
    if path:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
    return key


def cmd_create(args):
    plan = Plan(
        args.size, sector_size=args.sector_size, spare=args.spare,
        place=PLACE_HIGH if args.place == "high" else PLACE_LOW,
        volume=args.uuid, policy=args.policy, key_version=args.key_version,
        policy_key=new_policy_key(args),
        volume_key=bytes.fromhex(args.volume_key) if args.volume_key else None,
        vaults=[crypto.FileVault(v) for v in args.vault],
        names=(args.tenant, args.policy_name, args.name), seq=args.seq, epoch=args.epoch,
        fresh=args.fresh, plaintext=args.plaintext, plaintext_offset=args.plaintext_offset,
        watermark=args.watermark, unreadable=args.unreadable,
        next_key=bytes.fromhex(args.next_key) if args.next_key else None)
    sb = create(args.image, plan)
    if args.side_files:
        write_side_files(args.image, plan, sb)
    print(f"uuid {sb['uuid']}\nkey {description(sb)}\nsectors {sb['data_len'] // 512}")


def write_side_files(image, plan, sb):
    """What a shell needs to open the volume without asking the model again."""
    texts = {"uuid": str(sb["uuid"]), "desc": description(sb),
             "sectors": str(sb["data_len"] // 512)}
    for suffix, text in texts.items():
        with open(f"{image}.{suffix}", "w", encoding="utf-8") as file:
            file.write(text + "\n")
    with open(f"{image}.key", "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(plan.policy_key)


def cmd_batch(args):
    """Runs one command a line from a file: a VM pays for Python once."""
    with open(args.image, encoding="utf-8") as file:
        for line in file:
            inner = parse_arguments(shlex.split(line))
            inner.function(inner)


def cmd_payload(args):
    volume = Volume(args.image, keys_from(args))
    key = volume.policy_key_of(volume.copies[args.copy - 1])
    sys.stdout.buffer.write(crypto.key_payload(key, args.lease))


def cmd_keys(args):
    volume = Volume(args.image, keys_from(args))
    sb, policy_key, volume_key = volume.open()
    keys = {"policy_key": policy_key.hex(), "volume_key": volume_key.hex()}
    if sb["incompat"] & INCOMPAT_ROTATING:
        keys["next_volume_key"] = volume.next_key(sb, policy_key).hex()
    for purpose in crypto.LABELS:
        keys[purpose] = crypto.subkey(policy_key, purpose, sb["policy"],
                                      sb["policy_version"]).hex()
    if args.json:
        print(json.dumps(keys, indent=2))
    else:
        print("\n".join(f"{name} {value}" for name, value in keys.items()))


def cmd_table(args):
    """A line for dmsetup, from the newest readable copy; asks for no key."""
    copies = [sb for sb in Volume(args.image).copies if sb.crc_is_right()]
    if not copies:
        raise ModelError(f"{args.image}: no copy of the superblock has a right CRC")
    sb = max(copies, key=lambda copy: copy["seq"])
    line = f"0 {sb['data_len'] // 512} svcenc {args.device} {sb['uuid']} {description(sb)}"
    if args.option:
        line += f" {len(args.option)} " + " ".join(args.option)
    print(line)


def cmd_rewrap_auth(args):
    volume = Volume(args.image, keys_from(args))
    sb, policy_key = volume.superblock()
    new = (args.to_policy or sb["policy"], args.to_version)
    check = crypto.check_value(read_policy_key(args.to_key_file), *new)
    old = (sb["policy"], sb["policy_version"])
    print(crypto.rewrap_authorisation(policy_key, sb["uuid"], old, new, check).hex())


def cmd_rewrap(args):
    """Offline rekey of the superblock copies (not of the records), seq raised."""
    volume = Volume(args.image, keys_from(args))
    new_key = read_policy_key(args.to_key_file)
    sb, _ = volume.superblock()
    seq = sb["seq"] + 1
    for number in copies_of(args.copy):
        policy = args.to_policy or volume.copies[number]["policy"]
        volume.rewrap(number, new_key, policy, args.to_version)
        volume.copies[number]["seq"] = seq
        sign_superblock(new_key, volume.copies[number])
    for number in copies_of(args.copy):
        volume.write_superblock(number)


def copies_of(text):
    return (0, 1) if text == "both" else (int(text) - 1,)


def cmd_mutate(args):
    if len(args.field) != len(args.value):
        raise ModelError("as many --value as --field, please")
    volume = Volume(args.image, keys_from(args))
    for number in copies_of(args.copy):
        for target, prefix in ((volume.copies[number], ""), (volume.records[number], "rec.")):
            changes = [(f[len(prefix):], v) for f, v in zip(args.field, args.value)
                       if f.startswith("rec.") == bool(prefix)]
            if changes:
                mutate(volume, target, changes, args)
    for number in copies_of(args.copy):
        volume.write_superblock(number)
        volume.write_record(number)


def mutate(volume, target, changes, args):
    """The key is that of the identity before the change."""
    policy_key = volume.policy_key_of(target) if args.remac else None
    for name, value in changes:
        target.set_text(name, value)
    if args.remac:
        sign = sign_superblock if isinstance(target, Superblock) else sign_record
        sign(policy_key, target)
    elif args.recrc:
        target.renew_crc()


def cmd_verify_mac(args):
    """Exit status only: is copy N's MAC right under the given key?"""
    volume = Volume(args.image, keys_from(args))
    sb = volume.copies[args.copy - 1]
    if superblock_mac(volume.policy_key_of(sb), sb) != sb["mac"]:
        raise ModelError(f"{args.image}: HMAC of copy {args.copy} does not match")


def add_keys(parser):
    parser.add_argument("--vault", action="append", default=[], metavar="[NAME=]DIR",
                        help="directory of a file vault (NAME: its last part)")
    parser.add_argument("--policy-key", metavar="HEX")
    parser.add_argument("--policy-key-file", metavar="FILE")


def add_create(commands):
    parser = command(commands, "create", cmd_create)
    parser.add_argument("--size", type=size_of, required=True, help="of the volume")
    parser.add_argument("--sector-size", type=int, default=4096)
    parser.add_argument("--spare", type=size_of, default=1 << 20)
    parser.add_argument("--place", choices=("low", "high"), default="low")
    parser.add_argument("--uuid", type=uuid.UUID)
    parser.add_argument("--policy", type=uuid.UUID)
    parser.add_argument("--key-version", type=int, default=1)
    parser.add_argument("--volume-key", metavar="HEX")
    parser.add_argument("--seq", type=int, default=2)
    parser.add_argument("--epoch", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="never keyed, as format leaves it")
    parser.add_argument("--plaintext", metavar="FILE")
    parser.add_argument("--plaintext-offset", type=size_of, default=0)
    parser.add_argument("--watermark", type=int, metavar="SECTOR",
                        help="stopped in a rotation that began at --place")
    parser.add_argument("--next-key", metavar="HEX")
    parser.add_argument("--unreadable", type=extent_of, action="append", default=[],
                        metavar="SECTOR+COUNT")
    parser.add_argument("--side-files", action="store_true",
                        help="also IMAGE.{uuid,desc,sectors,key} for shell scripts")
    parser.add_argument("--tenant", default="default")
    parser.add_argument("--policy-name", default="provider")
    parser.add_argument("--name", default="volume")


def command(commands, name, function):
    parser = commands.add_parser(name, help=function.__doc__)
    parser.set_defaults(function=function)
    parser.add_argument("image")
    add_keys(parser)
    return parser


def add_rewrap(commands):
    for name, function in (("rewrap", cmd_rewrap), ("rewrap-auth", cmd_rewrap_auth)):
        parser = command(commands, name, function)
        parser.add_argument("--to-policy", type=uuid.UUID)
        parser.add_argument("--to-version", type=int, required=True)
        parser.add_argument("--to-key-file", required=True)
        parser.add_argument("--copy", choices=("1", "2", "both"), default="both")


def parse_arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    command(commands, "batch", cmd_batch)
    command(commands, "show", cmd_show)
    command(commands, "open", cmd_open)
    sub = command(commands, "decrypt", cmd_decrypt)
    sub.add_argument("--offset", type=size_of, default=0)
    sub.add_argument("--length", type=size_of)
    sub.add_argument("--skip-unreadable", action="store_true", help="zeroes instead")
    add_create(commands)
    sub = command(commands, "payload", cmd_payload)
    sub.add_argument("--lease", type=int, default=3600)
    sub.add_argument("--copy", type=int, choices=(1, 2), default=1)
    sub = command(commands, "keys", cmd_keys)
    sub.add_argument("--json", action="store_true")
    sub = command(commands, "table", cmd_table)
    sub.add_argument("device")
    sub.add_argument("option", nargs="*")
    add_rewrap(commands)
    sub = command(commands, "mutate", cmd_mutate)
    sub.add_argument("--field", action="append", required=True)
    sub.add_argument("--value", action="append", required=True)
    sub.add_argument("--copy", choices=("1", "2", "both"), default="both")
    sub.add_argument("--remac", action="store_true", help="renew HMAC and CRC")
    sub.add_argument("--recrc", action="store_true", help="renew the CRC only")
    sub = command(commands, "verify-mac", cmd_verify_mac)
    sub.add_argument("--copy", type=int, choices=(1, 2), default=1)
    return parser.parse_args(words)


def main():
    args = parse_arguments()
    try:
        args.function(args)
    except (ModelError, OSError, ValueError) as error:
        sys.exit(f"svcenc_model: {error}")


if __name__ == "__main__":
    main()
