#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables and JSON of tools/bench --icount.

usage: table.py LOG JSON

LOG has the lines that the guest prints ("cell BELOW STACK RW ORDER BYTES DEPTH
INSTRUCTIONS").  Exit status 1 if a cell is missing."""

import json
import sys

FLOOR = "floor"  # linear and the cipher alone, one after the other
NAMES = {
    "linear": "linear",
    FLOOR: "linear + AES-256-XTS alone (the floor)",
    "crypt": "dm-crypt default",
    "crypt-nowq": "dm-crypt, no workqueues",
    "svcenc": "dm-svcenc",
    "crypt/crypt": "dm-crypt over dm-crypt, default",
    "crypt-nowq/crypt-nowq": "dm-crypt over dm-crypt, no workqueues",
    "svcenc/crypt": "dm-svcenc over dm-crypt, default",
    "svcenc/crypt-nowq": "dm-svcenc over dm-crypt, no workqueues",
}
BELOW = {
    "brd": "RAM disk",
    "null-softirq": "null_blk, completes in softirq",
    "null-timer": "null_blk, completes by timer",
}
SIZES = {4096: "4K", 16384: "16K", 131072: "128K", 1048576: "1M"}


def read_log(path):
    """{(below, stack, rw, order, bytes, depth): instructions per I/O}"""
    cells = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["cell"] and len(words) == 8:
                below, stack, kind, order = words[1:5]
                size, depth, cost = map(int, words[5:])
                cells[(below, stack, kind, order, size, depth)] = cost
    return cells


def add_floor(cells):
    for (below, stack, kind, order, size, depth), cost in list(cells.items()):
        if stack == "linear":
            cipher = cells.get(("none", "cipher", kind, "seq", size, 1))
            if cipher is not None:
                cells[(below, FLOOR, kind, order, size, depth)] = cost + cipher


def missing(cells):
    """Every stack in every cell that any stack has."""
    shapes = {(key[0], *key[2:]) for key in cells if key[0] != "none"}
    return [
        (stack, *shape)
        for shape in shapes
        for stack in NAMES
        if (shape[0], stack, *shape[1:]) not in cells
    ] or ([] if shapes else ["all of them"])


def print_table(cells, below, order, depth):
    columns = sorted({key[4:1:-2] for key in cells if key[:1] == (below,)}, key=lambda c: (c[0], c[1] == "read"))
    columns = [c for c in columns if (below, "linear", c[1], order, c[0], depth) in cells]
    if not columns:
        return
    how = "sequential" if order == "seq" else "random"
    print(f"\n{BELOW[below]}, {how}, depth {depth}: instructions per I/O")
    head = "".join(f"{SIZES[size] + ' ' + kind:>13}" for size, kind in columns)
    print(f"{'':40}{head}")

    def cost(stack, column):
        return cells[(below, stack, column[1], order, column[0], depth)]

    for stack, name in NAMES.items():
        print(f"{name:40}" + "".join(f"{cost(stack, c):13,}" for c in columns))
    for what, rivals in (("dm-svcenc / better dm-crypt", ("crypt", "crypt-nowq")), ("dm-svcenc / floor", (FLOOR,))):
        ratios = (cost("svcenc", c) / min(cost(r, c) for r in rivals) for c in columns)
        print(f"{what:40}" + "".join(f"{r:13.3f}" for r in ratios))


def main():
    cells = read_log(sys.argv[1])
    add_floor(cells)
    lacking = missing(cells)
    if lacking:
        print(f"bench: not whole, there is no {lacking[0]}", file=sys.stderr)
        return 1
    for below in BELOW:
        for order in ("seq", "random"):
            for depth in (32, 1):
                print_table(cells, below, order, depth)
    fields = ("below", "stack", "rw", "order", "bytes", "depth")
    rows = [json.dumps(dict(zip(fields, key), instructions=cost)) for key, cost in sorted(cells.items())]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write('{"schema": "svcenc-bench/1", "unit": "instructions per I/O", "cells": [\n')
        file.write(",\n".join(rows) + "\n]}\n")
    return 0


sys.exit(main())
