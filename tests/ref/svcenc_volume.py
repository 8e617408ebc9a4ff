# SPDX-License-Identifier: GPL-2.0-or-later
"""Independent model, layer 3: a whole volume in an image file or device.

Opens (vault or given policy key -> policy key -> superblock -> volume key),
decrypts, creates, damages and re-MACs.  Knows nothing of the kernel, and
judges only what an opener must: CRC, MAC and wrap.
"""

import os
import uuid

import svcenc_crypto as crypto
from svcenc_layout import (
    DOWN, HEADER_SIZE, INCOMPAT_ROTATING, INCOMPAT_UNREADABLE, MIB, PLACE_HIGH, PLACE_LOW,
    REC_OFFSETS, REC_SIZE, ROLES, SB_OFFSETS, SB_SIZE, UP, ModelError, Record, Superblock,
    new_record, new_superblock)

CHUNK = 4 * MIB


class Keys:
    """Where the policy key comes from: given bytes, or file vaults."""

    def __init__(self, policy_key=None, vaults=()):
        self.given = policy_key
        self.vaults = list(vaults)

    def policy_key(self, records, policy, version):
        if self.given is not None:
            return self.given
        failures = []
        for record in records:
            if (record["policy"], record["policy_version"]) != (policy, version):
                failures.append(f"a record is of {record['policy']}:{record['policy_version']}")
                continue
            key = self._open_record(record, failures)
            if key:
                return key
        raise ModelError(f"no vault opens policy key {policy}:{version}: " +
                         ("; ".join(failures) or "no readable policy record"))

    def _open_record(self, record, failures):
        for i in range(min(record["wrap_count"], 8)):
            kid = record[f"wrap{i}.kid"]
            blob = record[f"wrap{i}.blob"][:record[f"wrap{i}.blob_len"]]
            for vault in self.vaults:
                if vault.name != record[f"wrap{i}.vault"]:
                    continue
                try:
                    key = vault.unwrap(kid, record[f"wrap{i}.alg"], blob)
                except (ModelError, OSError) as error:
                    failures.append(str(error))
                    continue
                if record_mac(key, record) == record["mac"]:
                    return key
                failures.append(f"{kid}: HMAC of the policy record does not match")
        return None


def superblock_mac(policy_key, sb):
    return crypto.mac(policy_key, "mac", sb["policy"], sb["policy_version"], sb.mac_span())


def record_mac(policy_key, record):
    return crypto.mac(policy_key, "record", record["policy"],
                      record["policy_version"], record.mac_span())


def sign_superblock(policy_key, sb):
    sb["mac"] = superblock_mac(policy_key, sb)
    sb.renew_crc()


def sign_record(policy_key, record):
    record["mac"] = record_mac(policy_key, record)
    record.renew_crc()


class Volume:
    def __init__(self, path, keys=None):
        self.path = path
        self.keys = keys or Keys()
        with open(path, "rb") as file:
            self.copies = [Superblock(_read(file, at, SB_SIZE)) for at in SB_OFFSETS]
            self.records = [Record(_read(file, at, REC_SIZE)) for at in REC_OFFSETS]

    def good_records(self):
        return [r for r in self.records if r["magic"] == Record.MAGIC and r.crc_is_right()]

    def policy_key_of(self, sb):
        return self.keys.policy_key(self.good_records(), sb["policy"], sb["policy_version"])

    def superblock(self):
        """(newest authentic keyed copy, its policy key)."""
        found, reasons = [], []
        for number, sb in enumerate(self.copies, 1):
            if sb["magic"] != Superblock.MAGIC or not sb.crc_is_right():
                reasons.append(f"copy {number}: magic or CRC")
            elif sb["keyed"] != 1:
                reasons.append(f"copy {number}: never keyed")
            else:
                key = self.policy_key_of(sb)
                if superblock_mac(key, sb) == sb["mac"]:
                    found.append((sb["seq"], sb, key))
                else:
                    reasons.append(f"copy {number}: HMAC does not match")
        if not found:
            raise ModelError(f"{self.path}: no authentic superblock ({'; '.join(reasons)})")
        _, sb, key = max(found, key=lambda entry: entry[0])
        return sb, key

    def open(self):
        """(superblock, policy key, volume key)"""
        sb, policy_key = self.superblock()
        return sb, policy_key, self._unwrap(sb, policy_key, sb["epoch"], sb["current"])

    def next_key(self, sb, policy_key):
        """The key that a rotation under way goes to."""
        if not sb["incompat"] & INCOMPAT_ROTATING:
            raise ModelError(f"{self.path}: is not rotating")
        return self._unwrap(sb, policy_key, sb["epoch"] + 1, sb["next"])

    def _unwrap(self, sb, policy_key, epoch, wrap):
        volume_key = crypto.unwrap_volume_key(policy_key, sb, epoch, wrap)
        wanted = crypto.fingerprint(volume_key, sb["uuid"])
        if sb[f"history{epoch % 16}"] != wanted:
            raise ModelError(f"{self.path}: history does not hold the volume key's fingerprint")
        return volume_key

    def decrypt(self, offset=0, length=None, skip_unreadable=False):
        """Yields plaintext of [offset, offset + length); with skip_unreadable
        zeroes for what the header lists as unreadable."""
        sb, policy_key, volume_key = self.open()
        keys = [volume_key]
        if sb["incompat"] & INCOMPAT_ROTATING:
            keys.append(self.next_key(sb, policy_key))
        unit = sb["sector_size"]
        end = sb["data_len"] if length is None else offset + length
        if end > sb["data_len"]:
            raise ModelError(f"{self.path}: {end} lies behind the volume's end {sb['data_len']}")
        with open(self.path, "rb") as file:
            at = offset - offset % unit
            while at < end:
                size = min(CHUNK, -(-(end - at) // unit) * unit)
                start, which, size = whereabouts(sb, at, size)
                raw = _read(file, start, size)
                plain = crypto.decrypt_sectors(keys[which], unit, at, raw)
                plain = self._without_unreadable(sb, at, plain, skip_unreadable)
                yield plain[max(offset - at, 0):end - at]
                at += size

    def _without_unreadable(self, sb, at, plain, skip):
        for first, last in unreadable(sb):
            first, last = max(first, at), min(last, at + len(plain))
            if first >= last:
                continue
            if not skip:
                raise ModelError(f"{self.path}: bytes {first} to {last} are unreadable")
            plain = plain[:first - at] + bytes(last - first) + plain[last - at:]
        return plain

    def write_superblock(self, number):
        self._write(SB_OFFSETS[number], self.copies[number].raw)

    def write_record(self, number):
        self._write(REC_OFFSETS[number], self.records[number].raw)

    def write_headers(self):
        for number in (0, 1):
            self.write_superblock(number)
            self.write_record(number)

    def _write(self, at, raw):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(raw)

    def rewrap(self, number, new_key, policy, version):
        """Moves superblock copy `number` under another policy key, unsigned."""
        sb = self.copies[number]
        _, _, volume_key = self.open()
        old_sb, policy_key = self.superblock()
        rotating = sb["incompat"] & INCOMPAT_ROTATING
        next_key = self.next_key(old_sb, policy_key) if rotating else None
        sb["policy"], sb["policy_version"] = policy, version
        sb["current"] = crypto.wrap_volume_key(new_key, sb, sb["epoch"], volume_key)
        if next_key:
            sb["next"] = crypto.wrap_volume_key(new_key, sb, sb["epoch"] + 1, next_key)


def place_start(sb, place):
    return sb["data_offset"] + (sb["spare_len"] if place == PLACE_HIGH else 0)


def whereabouts(sb, at, size):
    """Where logical bytes [at, at + size) lie, as far as they lie together:
    (byte on the device, 0: current key or 1: next key, how many bytes)."""
    old = sb["place"]
    if not sb["incompat"] & INCOMPAT_ROTATING:
        return place_start(sb, old) + at, 0, size
    new = PLACE_HIGH if old == PLACE_LOW else PLACE_LOW
    mark = sb["watermark"] * 512
    below = at < mark
    if below:
        size = min(size, mark - at)
    # down, the watermark comes from below; up, from above
    moved = below if sb["direction"] == DOWN else not below
    return place_start(sb, new if moved else old) + at, int(moved), size


def unreadable(sb):
    """Pairs of logical bytes: first, behind the last."""
    for i in range(sb["extent_count"]):
        start = sb[f"extent{i}.start"] * 512
        yield start, start + sb[f"extent{i}.sectors"] * 512


def _read(file, at, size):
    file.seek(at)
    raw = file.read(size)
    if len(raw) != size:
        raise ModelError(f"{file.name}: ends before byte {at + size}")
    return raw


class Plan:
    """What create() builds; every choice has a default but the size."""

    def __init__(self, size, **choices):
        self.size = size
        self.sector_size = 4096
        self.spare = 1 * MIB
        self.place = 0
        self.volume = uuid.uuid4()
        self.policy = uuid.uuid4()
        self.key_version = 1
        self.policy_key = None
        self.volume_key = None
        self.vaults = []
        self.names = ("default", "provider", "volume")
        self.tenant = uuid.uuid4()
        self.seq = 2
        self.epoch = 1
        self.fresh = False
        self.plaintext = None
        self.plaintext_offset = 0
        self.watermark = None # 512-byte sector: stopped in a rotation from place
        self.next_key = None
        self.unreadable = [] # pairs: 512-byte sector, how many
        for name, value in choices.items():
            if value is not None:
                setattr(self, name, value)
        self.policy_key = self.policy_key or os.urandom(32)
        self.volume_key = self.volume_key or os.urandom(64)
        self.next_key = self.next_key or os.urandom(64)


def plan_record(plan):
    """Wraps in the given vaults, in the order a, b, availability.  Without a
    vault there is one wrap under a root key that nobody keeps."""
    wraps = []
    key_name = str(plan.policy)
    for (_, role), vault in zip(ROLES.items(), plan.vaults):
        blob = vault.wrap(key_name, 1, plan.policy_key)
        wraps.append((role, 1, vault.name, vault.kid(key_name, 1), blob))
    if not wraps:
        blob = crypto.aes_key_wrap(os.urandom(32), plan.policy_key)
        wraps = [(ROLES["a"], 1, "none", f"file:none/{key_name}/1", blob)]
    record = new_record(plan.volume, plan.policy, plan.key_version, plan.tenant,
                        plan.names, wraps)
    sign_record(plan.policy_key, record)
    return record


def plan_superblock(plan):
    sb = new_superblock(plan.volume, plan.policy, plan.key_version, plan.size,
                        plan.sector_size, plan.spare)
    if plan.fresh:
        return sb
    sb["keyed"] = 1
    sb["seq"] = plan.seq
    sb["epoch"] = plan.epoch
    sb["place"] = plan.place
    sb["current"] = crypto.wrap_volume_key(plan.policy_key, sb, plan.epoch, plan.volume_key)
    sb[f"history{plan.epoch % 16}"] = crypto.fingerprint(plan.volume_key, plan.volume)
    if plan.watermark is not None:
        plan_rotation(plan, sb)
    for i, (start, sectors) in enumerate(plan.unreadable):
        sb["incompat"] |= INCOMPAT_UNREADABLE
        sb["extent_count"] = i + 1
        sb[f"extent{i}.start"] = start
        sb[f"extent{i}.sectors"] = sectors
    sign_superblock(plan.policy_key, sb)
    return sb


def plan_rotation(plan, sb):
    """From the place it is at to the other one, stopped at the watermark."""
    sb["incompat"] |= INCOMPAT_ROTATING
    sb["direction"] = DOWN if plan.place == PLACE_HIGH else UP
    sb["watermark"] = plan.watermark
    sb["next"] = crypto.wrap_volume_key(plan.policy_key, sb, plan.epoch + 1, plan.next_key)
    sb[f"history{(plan.epoch + 1) % 16}"] = crypto.fingerprint(plan.next_key, plan.volume)


def create(path, plan):
    """Writes a complete volume into a new sparse file (or over a device)."""
    sb, record = plan_superblock(plan), plan_record(plan)
    with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
        if os.path.isfile(path):
            file.truncate(0)
            file.truncate(HEADER_SIZE + plan.size + plan.spare)
        for at in SB_OFFSETS:
            file.seek(at)
            file.write(sb.raw)
        for at in REC_OFFSETS:
            file.seek(at)
            file.write(record.raw)
        if plan.plaintext:
            _fill(file, sb, plan)
    return sb


def _fill(file, sb, plan):
    """Encrypts the plaintext file to its offset, the last sector padded with 0."""
    unit, at = plan.sector_size, plan.plaintext_offset
    with open(plan.plaintext, "rb") as source:
        while block := source.read(CHUNK):
            block += bytes(-len(block) % unit)
            if at + len(block) > plan.size:
                raise ModelError(f"{plan.plaintext}: longer than the volume")
            while block:
                start, which, size = whereabouts(sb, at, len(block))
                key = plan.next_key if which else plan.volume_key
                file.seek(start)
                file.write(crypto.encrypt_sectors(key, unit, at, block[:size]))
                block = block[size:]
                at += size
