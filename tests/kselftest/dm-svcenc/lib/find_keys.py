# SPDX-License-Identifier: GPL-2.0-only
"""Searches a memory dump for keys, raw (each 32-byte half) and as hex.

usage: find_keys.py KEYS_JSON DUMP [NAME...]

Exits 0 if exactly the keys NAME are found, all of the others are not. The
check value is public and not searched for.
"""

import json
import mmap
import sys


def shapes(key):
    for at in range(0, len(key), 32):
        part = key[at:at + 32]
        yield part
        yield part.hex().encode()


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        keys = {name: bytes.fromhex(value) for name, value in json.load(file).items()
                if name != "check"}
    wanted = set(sys.argv[3:])
    with open(sys.argv[2], "rb") as file:
        dump = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    found = {}
    for name, key in keys.items():
        hits = [dump.find(shape) for shape in shapes(key)]
        found[name] = [hit for hit in hits if hit >= 0]
    for name, hits in found.items():
        print(f"  {name}: {'found at ' + hex(hits[0]) if hits else 'absent'}")
    print(f"  searched {len(dump) >> 20} MiB")
    present = {name for name, hits in found.items() if hits}
    if present != wanted or not wanted <= keys.keys():
        sys.exit(f"found {sorted(present)}, wanted {sorted(wanted)}")


main()
