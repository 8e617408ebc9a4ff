# SPDX-License-Identifier: GPL-2.0-or-later
"""What the generators of damaged volumes share.

Each NAME.py in this directory is one generator: comments say what is wrong
and what must be said about it, damage(image) does it.  `make` runs them; see
there for the comments' grammar.  All volumes here belong to one policy key
and are copies of one pristine volume, so a test adds one key for all.

Changes are MACed again (change, record) unless the name says otherwise, so
that the check that is meant is the one that fires.
"""

import copy
import os
import uuid

import svcenc_crypto as crypto
from svcenc_layout import HEADER_SIZE, REC_OFFSETS, SB_OFFSETS
from svcenc_volume import (
    Keys, Plan, Volume, create, plan_rotation, sign_record, sign_superblock, whereabouts)

SIZE = 1 << 20
PLAINTEXT_SIZE = 64 << 10 # at the volume's start; behind it nothing was written
BOTH = (0, 1)
COPY1, COPY2 = (0,), (1,)

VOLUME = uuid.UUID("5f1b7c1e-93f5-4d3a-8a77-1d8a5b6c0001")
OTHER_VOLUME = uuid.UUID("5f1b7c1e-93f5-4d3a-8a77-1d8a5b6c0002")
POLICY = uuid.UUID("9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001")
POLICY_KEY = bytes(range(100, 132))
NEXT_POLICY_KEY = bytes(range(132, 164))
VOLUME_KEY = bytes(range(64))
OTHER_VOLUME_KEY = bytes(range(64, 128))
NEXT_VOLUME_KEY = bytes(range(128, 192))
UP, DOWN = 0, 1 # a rotation by the place it begins at


def pristine(path, volume=VOLUME, volume_key=VOLUME_KEY, **choices):
    """Its policy key has one wrap, in file vault "a", directory "vault" beside
    it, whose root key is made with the first volume."""
    vault = crypto.FileVault("a=" + os.path.join(os.path.dirname(path), "vault"))
    plan = Plan(SIZE, volume=volume, policy=POLICY, policy_key=POLICY_KEY,
                volume_key=volume_key, vaults=[vault], **choices)
    create(path, plan)
    return plan


class Image:
    """A volume being damaged; written out once, at the end.  sb, record_copies,
    length: what will be written."""

    def __init__(self, folder, base):
        self.folder = folder
        volume = Volume(base, Keys(POLICY_KEY))
        self.sb = volume.copies
        self.record_copies = volume.records
        self.length = os.path.getsize(base)
        with open(base, "rb") as file:
            file.seek(HEADER_SIZE)
            self.data = [(HEADER_SIZE, file.read(PLAINTEXT_SIZE))] # (byte, ciphertext)

    def change(self, copies=BOTH, fields=None, **more):
        """Fields of the superblock, HMAC and CRC renewed."""
        for number in copies:
            self._set(self.sb[number], fields, more)
            sign_superblock(POLICY_KEY, self.sb[number])

    def forge(self, copies=BOTH, fields=None, **more):
        """The same by somebody without the key: only the CRC is right."""
        for number in copies:
            self._set(self.sb[number], fields, more)
            self.sb[number].renew_crc()

    def tear(self, copies=BOTH):
        """Half of a copy lost, as by a torn write."""
        for number in copies:
            self.sb[number].raw[512:1024] = b"\xa5" * 512

    def record(self, fields, copies=BOTH):
        """Fields of the policy record, HMAC and CRC renewed."""
        for number in copies:
            self._set(self.record_copies[number], fields, {})
            sign_record(POLICY_KEY, self.record_copies[number])

    def record_unsigned(self, fields, copies=BOTH):
        """Nothing renewed."""
        for number in copies:
            self._set(self.record_copies[number], fields, {})

    def flip(self, name, copies=BOTH):
        """The lowest bit of the field's first byte, HMAC and CRC renewed."""
        for number in copies:
            self.sb[number].set_text(name, "^01")
            sign_superblock(POLICY_KEY, self.sb[number])

    def rotate(self, way, watermark, copies=BOTH, next_key=NEXT_VOLUME_KEY, **fields):
        """As a rotation leaves it that has stopped at the watermark: headers
        and data.  The plaintext is the pristine one."""
        plain = crypto.decrypt_sectors(VOLUME_KEY, 4096, 0, self.data[0][1])
        plan = Plan(SIZE, volume=VOLUME, policy_key=POLICY_KEY, next_key=next_key,
                    place=way, watermark=watermark)
        first = self.sb[copies[0]]
        first["place"] = way
        plan_rotation(plan, first)
        self._set(first, fields, {})
        for number in copies: # equal: the wrap has a random nonce
            self.sb[number].raw[:] = first.raw
            sign_superblock(POLICY_KEY, self.sb[number])
        self.data = []
        while plain:
            at = PLAINTEXT_SIZE - len(plain)
            start, which, size = whereabouts(first, at, len(plain))
            key = next_key if which else VOLUME_KEY
            self.data.append((start, crypto.encrypt_sectors(key, 4096, at, plain[:size])))
            plain = plain[size:]

    def wrap(self, volume_key, copies=BOTH, **aad):
        """A wrap of volume_key, bound to what aad says instead of the truth."""
        bound = copy.deepcopy(self.sb[0])
        self._set(bound, aad, {})
        self.change(copies, current=crypto.wrap_volume_key(
            POLICY_KEY, bound, bound["epoch"], volume_key))

    def rekey(self, copies, version, **fields):
        """Copies under policy key `version`, truly wrapped and MACed."""
        for number in copies:
            sb = self.sb[number]
            self._set(sb, {"policy_version": version}, fields)
            sb["current"] = crypto.wrap_volume_key(NEXT_POLICY_KEY, sb, sb["epoch"], VOLUME_KEY)
            sign_superblock(NEXT_POLICY_KEY, sb)

    def fresh(self, copies=BOTH, **fields):
        """Never keyed, as format leaves it."""
        for number in copies:
            blank = self.sb[number]
            for name in ("keyed", "epoch", "place"):
                blank[name] = 0
            for name in ("current", "next", "history", "mac"):
                blank[name] = b""
            blank["seq"] = 1
            self._set(blank, fields, {})
            blank.renew_crc()

    def start_over(self, **choices):
        """The header of a volume that was formatted with other choices."""
        path = os.path.join(self.folder, "scratch")
        pristine(path, **choices)
        volume = Volume(path, Keys(POLICY_KEY))
        self.sb, self.record_copies = volume.copies, volume.records
        os.unlink(path)

    def other(self):
        """Another volume of the same policy, complete and valid."""
        path = os.path.join(self.folder, "other")
        if not os.path.exists(path):
            pristine(path, OTHER_VOLUME, OTHER_VOLUME_KEY)
        return Volume(path, Keys(POLICY_KEY))

    @staticmethod
    def _set(target, fields, more):
        for name, value in {**(fields or {}), **more}.items():
            target[name] = value

    def write(self, path):
        """Sparse; cut off where the device is to end."""
        with open(path, "wb") as file:
            for at, raw in [*zip(SB_OFFSETS, (sb.raw for sb in self.sb)),
                            *zip(REC_OFFSETS, (r.raw for r in self.record_copies)),
                            *self.data]:
                file.seek(at)
                file.write(raw)
            file.truncate(self.length)
