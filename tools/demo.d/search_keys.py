# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks for every key of DIR/keys in all other files of DIR: as raw bytes, in
each half, as hex and as base64."""

import base64
import json
import os
import sys


def find_keys(value):
    """All strings of at least 32 hex bytes in the model's answer."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("check", "uuid", "fingerprint"):
                yield from find_keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_keys(inner)
    elif isinstance(value, str) and len(value) >= 64:
        try:
            yield bytes.fromhex(value)
        except ValueError:
            pass


def shapes(key):
    parts = {key[i:i + 32] for i in range(0, len(key), 32)}
    for part in parts:
        yield part
        yield part.hex().encode()
        yield part.hex().upper().encode()
        yield base64.b64encode(part)[:40]


def documents(text):
    decoder = json.JSONDecoder()
    text = text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].strip()


def main():
    work = sys.argv[1]
    with open(os.path.join(work, "keys"), encoding="ascii") as file:
        keys = [key for doc in documents(file.read()) for key in find_keys(doc)]
    needles = {shape for key in keys for shape in shapes(key)}
    if len(keys) < 4:
        sys.exit(f"FAILED: only {len(keys)} keys learned")
    control = b"x" * 1000 + keys[0][:32] + b"y" * 1000
    if not any(needle in control for needle in needles):
        sys.exit("FAILED: the search does not find what is there")
    for name in sorted(os.listdir(work)):
        if name == "keys":
            continue
        with open(os.path.join(work, name), "rb") as file:
            content = file.read()
        if any(needle in content for needle in needles):
            sys.exit(f"FAILED: a key is in {name}")
        print(f"ok: none of {len(keys)} keys in {name} ({len(content)} bytes)")


main()
