#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Rewrap authorisations, right and wrong, by the independent model: a line
NAME HEX each.

usage: rewrap_auths.py VOLUME SIBLING NEW: volumes with companions, and the new
key's companions NEW.desc and NEW.key."""

import os
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../ref"))

# pylint: disable=wrong-import-position
import svcenc_crypto as crypto


def text(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def key(path):
    with open(path, "rb") as file:
        return file.read()


def identity(path):
    _, policy, version = text(path).split(":")
    return uuid.UUID(policy), int(version)


def main():
    volume, sibling, new = sys.argv[1:]
    old_id, new_id = identity(volume + ".desc"), identity(new + ".desc")
    old_key, new_key = key(volume + ".key"), key(new + ".key")
    this, other = (uuid.UUID(text(f + ".uuid")) for f in (volume, sibling))
    check = crypto.check_value(new_key, *new_id)
    later = (new_id[0], new_id[1] + 1)
    stranger = (uuid.uuid4(), new_id[1])
    make = crypto.rewrap_authorisation
    flipped = bytearray(make(old_key, this, old_id, new_id, check))
    flipped[-1] ^= 1
    for name, auth in (
            ("right", make(old_key, this, old_id, new_id, check)),
            ("one-bit-flipped", bytes(flipped)),
            ("of-zeros", bytes(32)),
            ("by-the-new-key", make(new_key, this, old_id, new_id, check)),
            ("by-the-new-key-as-the-new-one", make(new_key, this, new_id, new_id, check)),
            ("by-a-stranger's-key", make(os.urandom(32), this, old_id, new_id, check)),
            ("for-another-volume", make(old_key, other, old_id, new_id, check)),
            ("for-another-version", make(old_key, this, old_id, later, check)),
            ("for-another-policy", make(old_key, this, old_id, stranger, check)),
            ("from-another-version", make(old_key, this, later, new_id, check)),
            ("for-other-bytes-of-that-name",
             make(old_key, this, old_id, new_id, crypto.check_value(os.urandom(32), *new_id))),
            ("in-the-other-direction",
             make(old_key, this, new_id, old_id, crypto.check_value(old_key, *old_id))),
            ("of-the-way-back", # right once the volume is under the new key
             make(new_key, this, new_id, old_id, crypto.check_value(old_key, *old_id)))):
        print(name, auth.hex())


if __name__ == "__main__":
    main()
