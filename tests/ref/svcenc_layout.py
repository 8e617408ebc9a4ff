# SPDX-License-Identifier: GPL-2.0-or-later
"""Independent model, layer 1: bytes of a svcenc header.

Written from the format description alone; shares no line with core/.  Knows
offsets, CRC32C and what each field is called; knows no key and computes no
MAC.  Fields are read and written by name ("seq", "current.nonce",
"extent3.start", "rec.wrap0.kid") or by place ("@620:4"), so that a test can
damage anything and say what it damaged.
"""

import struct
import uuid

MIB = 1 << 20
SB_SIZE = 4096
SB_OFFSETS = (0, 3 * MIB)
REC_SIZE = 16384
REC_OFFSETS = (1 * MIB, 2 * MIB)
HEADER_SIZE = 4 * MIB
SB_MAC_AT = 4064
REC_MAC_AT = 16352
REC_WRAPS_AT = 512
REC_WRAP_SIZE = 1728
CRC_AT = 8

INCOMPAT_ROTATING = 1
INCOMPAT_UNREADABLE = 2
PLACE_LOW, PLACE_HIGH = 0, 1
DOWN, UP = 1, 2 # of a rotation: from high to low, from low to high
ROLES = {"a": 1, "b": 2, "availability": 3}
ALG_A256KW = 1


class ModelError(Exception):
    """Anything that makes an image, a vault or a request unusable."""


def _crc_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()
_ZEROES = bytes(64)


def _crc_bytes(crc, data):
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def _zeroes_tables():
    """What 64 zero bytes make of a CRC: linear, so one table for each of its
    bytes.  Headers are mostly zeroes, and Python under emulation is slow."""
    bits = [_crc_bytes(1 << bit, _ZEROES) for bit in range(32)]
    tables = []
    for first in range(0, 32, 8):
        table = [0]
        for bit in bits[first:first + 8]:
            table += [value ^ bit for value in table]
        tables.append(table)
    return tables


_AFTER_ZEROES = _zeroes_tables()


def crc32c(data):
    crc = 0xFFFFFFFF
    low, second, third, high = _AFTER_ZEROES
    for at in range(0, len(data), 64):
        piece = data[at:at + 64]
        if piece == _ZEROES:
            crc = (low[crc & 0xFF] ^ second[crc >> 8 & 0xFF] ^
                   third[crc >> 16 & 0xFF] ^ high[crc >> 24])
        else:
            crc = _crc_bytes(crc, piece)
    return crc ^ 0xFFFFFFFF


def _wrap_fields(prefix, at):
    return {
        prefix + ".nonce": (at, 12, "bytes"),
        prefix + ".ciphertext": (at + 12, 64, "bytes"),
        prefix + ".tag": (at + 76, 16, "bytes"),
        prefix + ".reserved": (at + 92, 4, "bytes"),
        prefix: (at, 96, "bytes"),
    }


def _superblock_fields():
    fields = {
        "magic": (0, 8, "bytes"), "crc": (8, 4, "int"),
        "version": (12, 4, "int"), "incompat": (16, 8, "int"),
        "ro_compat": (24, 8, "int"), "compat": (32, 8, "int"),
        "uuid": (40, 16, "uuid"), "policy": (56, 16, "uuid"),
        "policy_version": (72, 4, "int"), "cipher": (76, 4, "int"),
        "sector_size": (80, 4, "int"), "keyed": (84, 4, "int"),
        "seq": (88, 8, "int"), "sb2_offset": (96, 8, "int"),
        "record_offset": (104, 8, "int"), "record_len": (112, 8, "int"),
        "data_offset": (120, 8, "int"), "data_len": (128, 8, "int"),
        "spare_len": (136, 8, "int"), "epoch": (144, 8, "int"),
        "place": (152, 4, "int"), "direction": (156, 4, "int"),
        "watermark": (160, 8, "int"),
        "history": (360, 256, "bytes"), "extent_count": (616, 4, "int"),
        "reserved0": (620, 404, "bytes"), "reserved1": (3072, 992, "bytes"),
        "mac": (SB_MAC_AT, 32, "bytes"),
    }
    fields.update(_wrap_fields("current", 168))
    fields.update(_wrap_fields("next", 264))
    for i in range(16):
        fields[f"history{i}"] = (360 + 16 * i, 16, "bytes")
    for i in range(128):
        at = 1024 + 16 * i
        fields[f"extent{i}.start"] = (at, 8, "int")
        fields[f"extent{i}.sectors"] = (at + 8, 4, "int")
        fields[f"extent{i}.reserved"] = (at + 12, 4, "int")
    return fields


def _record_fields():
    fields = {
        "magic": (0, 8, "bytes"), "crc": (8, 4, "int"),
        "version": (12, 4, "int"), "volume": (16, 16, "uuid"),
        "policy": (32, 16, "uuid"), "policy_version": (48, 4, "int"),
        "wrap_count": (52, 4, "int"), "generation": (56, 8, "int"),
        "tenant": (64, 16, "uuid"), "tenant_name": (80, 64, "text"),
        "policy_name": (144, 64, "text"), "volume_name": (208, 64, "text"),
        "reserved0": (272, 240, "bytes"), "reserved1": (14336, 2016, "bytes"),
        "mac": (REC_MAC_AT, 32, "bytes"),
    }
    for i in range(8):
        at = REC_WRAPS_AT + REC_WRAP_SIZE * i
        fields.update({
            f"wrap{i}.role": (at, 4, "int"),
            f"wrap{i}.alg": (at + 4, 4, "int"),
            f"wrap{i}.kid_len": (at + 8, 4, "int"),
            f"wrap{i}.blob_len": (at + 12, 4, "int"),
            f"wrap{i}.vault": (at + 16, 64, "text"),
            f"wrap{i}.kid": (at + 80, 512, "text"),
            f"wrap{i}.blob": (at + 592, 1024, "bytes"),
            f"wrap{i}.reserved": (at + 1616, 112, "bytes"),
            f"wrap{i}": (at, REC_WRAP_SIZE, "bytes"),
        })
    return fields


_FORMATS = {4: "<I", 8: "<Q"}


class Image:
    """A fixed-size structure with named fields, its CRC and its MAC."""

    fields = {}
    size = mac_at = 0

    def __init__(self, raw=None):
        self.raw = bytearray(self.size if raw is None else raw)
        if len(self.raw) != self.size:
            raise ModelError(f"{type(self).__name__}: {len(self.raw)} bytes, wanted {self.size}")

    def place(self, name):
        if name.startswith("@"):
            at, _, size = name[1:].partition(":")
            return int(at, 0), int(size or "1", 0), "bytes"
        if name not in self.fields:
            raise ModelError(f"no field {name!r}")
        return self.fields[name]

    def __getitem__(self, name):
        at, size, kind = self.place(name)
        raw = bytes(self.raw[at:at + size])
        if kind == "int":
            return struct.unpack(_FORMATS[size], raw)[0]
        if kind == "uuid":
            return uuid.UUID(bytes=raw)
        if kind == "text":
            return raw.rstrip(b"\0").decode("latin-1")
        return raw

    def __setitem__(self, name, value):
        at, size, kind = self.place(name)
        if kind == "int":
            raw = struct.pack(_FORMATS[size], value)
        elif kind == "uuid":
            raw = value.bytes
        elif kind == "text":
            raw = value.encode("latin-1").ljust(size, b"\0")
        else:
            raw = bytes(value).ljust(size, b"\0")
        if len(raw) != size:
            raise ModelError(f"{name}: {len(raw)} bytes do not fit into {size}")
        self.raw[at:at + size] = raw

    def set_text(self, name, text):
        """Value from a command line: number, uuid, text, hex; ^hex flips bits."""
        at, size, kind = self.place(name)
        if text.startswith("^"):
            mask = bytes.fromhex(text[1:])
            for i, byte in enumerate(mask):
                self.raw[at + i] ^= byte
            if len(mask) > size:
                raise ModelError(f"{name}: {len(mask)} bytes do not fit into {size}")
        elif kind == "int":
            self[name] = int(text, 0)
        elif kind == "uuid":
            self[name] = uuid.UUID(text)
        elif kind == "text":
            self[name] = text.encode().decode("unicode_escape")
        else:
            self[name] = bytes.fromhex(text)

    def mac_span(self):
        span = bytearray(self.raw[:self.mac_at])
        span[CRC_AT:CRC_AT + 4] = bytes(4)
        return bytes(span)

    def crc_wanted(self):
        return crc32c(bytes(self.raw[:CRC_AT]) + bytes(4) + bytes(self.raw[CRC_AT + 4:]))

    def crc_is_right(self):
        return self["crc"] == self.crc_wanted()

    def renew_crc(self):
        self["crc"] = self.crc_wanted()


class Superblock(Image):
    fields = _superblock_fields()
    size = SB_SIZE
    mac_at = SB_MAC_AT
    MAGIC = b"svcencSB"


class Record(Image):
    fields = _record_fields()
    size = REC_SIZE
    mac_at = REC_MAC_AT
    MAGIC = b"svcencPR"


def new_superblock(volume, policy, policy_version, data_len, sector_size, spare_len):
    """A fresh superblock, as format writes it: no key, seq 1, no MAC."""
    sb = Superblock()
    values = {
        "magic": Superblock.MAGIC, "version": 1, "uuid": volume, "policy": policy,
        "policy_version": policy_version, "cipher": 1, "sector_size": sector_size,
        "seq": 1, "sb2_offset": SB_OFFSETS[1], "record_offset": REC_OFFSETS[0],
        "record_len": 2 * MIB, "data_offset": HEADER_SIZE, "data_len": data_len,
        "spare_len": spare_len,
    }
    for name, value in values.items():
        sb[name] = value
    sb.renew_crc()
    return sb


def new_record(volume, policy, policy_version, tenant, names, wraps):
    """names: tenant, policy, volume; wraps: (role, alg, vault, kid, blob)."""
    rec = Record()
    rec["magic"] = Record.MAGIC
    rec["version"] = 1
    rec["volume"] = volume
    rec["policy"] = policy
    rec["policy_version"] = policy_version
    rec["tenant"] = tenant
    rec["generation"] = 1
    for field, name in zip(("tenant_name", "policy_name", "volume_name"), names):
        rec[field] = name
    rec["wrap_count"] = len(wraps)
    for i, (role, alg, vault, kid, blob) in enumerate(wraps):
        rec[f"wrap{i}.role"] = role
        rec[f"wrap{i}.alg"] = alg
        rec[f"wrap{i}.vault"] = vault
        rec[f"wrap{i}.kid"] = kid
        rec[f"wrap{i}.kid_len"] = len(kid)
        rec[f"wrap{i}.blob"] = blob
        rec[f"wrap{i}.blob_len"] = len(blob)
    rec.renew_crc()
    return rec
