# SPDX-License-Identifier: GPL-2.0-only
"""Searches a memory dump for keys: raw (each 32-byte half), as hex, as base64.

usage: find_keys.py [--at-least] KEYS_JSON DUMP [NAME...]

Exits 0 if exactly the keys NAME are found (with --at-least: those and maybe
more). The check value is public and not searched for.
"""

import base64
import json
import sys

PIECE = 1 << 16


def shapes(key):
    for at in range(0, len(key), 32):
        part = key[at:at + 32]
        yield "raw", part
        yield "hex", part.hex().encode()
    # the last characters depend on what follows
    yield "base64", base64.b64encode(key)[:len(key) // 3 * 4 - 4]


def in_use(path):
    """The dump without its empty pieces, which are most of it."""
    empty = bytes(PIECE)
    with open(path, "rb") as file:
        return b"".join(piece for piece in iter(lambda: file.read(PIECE), b"") if piece != empty)


def main():
    words = sys.argv[1:]
    exactly = words[0] != "--at-least"
    if not exactly:
        words.pop(0)
    with open(words[0], encoding="ascii") as file:
        keys = {name: bytes.fromhex(value) for name, value in json.load(file).items()
                if name != "check"}
    wanted = set(words[2:])
    dump = in_use(words[1])
    present = set()
    for name, key in keys.items():
        found = sorted({kind for kind, shape in shapes(key) if shape in dump})
        print(f"  {name}: {'found, ' + ' and '.join(found) if found else 'absent'}")
        if found:
            present.add(name)
    print(f"  searched {len(dump) >> 20} MiB that are not empty")
    if not wanted <= keys.keys() or not wanted <= present or (exactly and present != wanted):
        sys.exit(f"found {sorted(present)}, wanted {sorted(wanted)}")


main()
