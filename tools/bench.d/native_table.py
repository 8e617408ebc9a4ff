#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of tools/bench --native, and its JSON, from the lines that its
guest prints (native-guest has their form).

usage: native_table.py LOG JSON [NAME=VALUE...]

NAME=VALUE go into the JSON as they are.  Exit status 1 if a cell is missing or
was measured less often than another."""

import json
import statistics
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
CIPHER = {"read": "decrypt", "write": "encrypt"}


def read_log(path):
    """{(stack, kind, order, bytes, depth): [ns per I/O, one a repetition]}"""
    cells = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if words[:1] != ["result"]:
                continue
            stack, kind, order = words[2:5]
            size, depth, ios, ns = map(int, words[5:9])
            cells.setdefault((stack, kind, order, size, depth), []).append(ns / ios)
    return cells


def is_whole(cells):
    """Every stack in every cell, the cipher in every size and direction, all of
    them equally often."""
    shapes = {key[1:] for key in cells if key[0] != "cipher"}
    wanted = {(stack, *shape) for stack in NAMES if stack != FLOOR for shape in shapes}
    wanted |= {("cipher", CIPHER[kind], "seq", size, 32) for kind, _, size, _ in shapes}
    return wanted == set(cells) and len({len(values) for values in cells.values()}) == 1


def add_floor(cells):
    """Repetition by repetition, as if one came after the other."""
    for (stack, kind, order, size, depth), linear in list(cells.items()):
        if stack == "linear":
            cipher = cells[("cipher", CIPHER[kind], "seq", size, 32)]
            cells[(FLOOR, kind, order, size, depth)] = [a + b for a, b in zip(linear, cipher)]


def size_text(size):
    return f"{size >> 20}M" if size >= 1 << 20 else f"{size >> 10}K"


def print_table(title, cells, columns, value):
    print(f"\n{title}\n")
    print(f"{'':42}" + "".join(f"{size_text(s) + ' ' + k:>12}" for k, s in columns))
    for stack, name in NAMES.items():
        print(f"{name:42}" + "".join(f"{value(cells[(stack, *c)], c[1]):>12,.0f}" for c in columns))


def print_all(cells):
    """A pair of tables for each order and depth."""
    shapes = sorted({key[2:3] + key[4:] for key in cells if key[0] == "linear"},
                    key=lambda shape: (-shape[1], shape[0] != "seq"))
    for order, depth in shapes:
        part = {(stack, kind, size): values for (stack, kind, o, size, d), values in cells.items()
                if (o, d) == (order, depth) and stack != "cipher"}
        columns = sorted({key[1:] for key in part}, key=lambda c: (c[1], c[0] != "write"))
        where = f"{'sequential' if order == 'seq' else 'random'}, depth {depth}"
        print_table(f"{where}: ns per I/O, median", part, columns,
                    lambda values, _: statistics.median(values))
        print_table(f"{where}: MB/s", part, columns,
                    lambda values, size: size * 1000 / statistics.median(values))


def as_json(cells):
    return [{"stack": stack, "kind": kind, "order": order, "bytes": size, "depth": depth,
             "ns_median": round(statistics.median(values), 1),
             "ns_min": round(min(values), 1), "ns_max": round(max(values), 1),
             "mb_s": round(size * 1000 / statistics.median(values), 1),
             "repetitions": len(values)}
            for (stack, kind, order, size, depth), values in sorted(cells.items())]


def main():
    log, out = sys.argv[1:3]
    cells = read_log(log)
    if not is_whole(cells):
        print(f"bench: {log}: not whole: a cell is missing, or was measured less often",
              file=sys.stderr)
        return 1
    add_floor(cells)
    print_all(cells)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({**dict(word.split("=", 1) for word in sys.argv[3:]),
                   "repetitions": len(next(iter(cells.values()))), "cells": as_json(cells)}, file, indent=1)
        file.write("\n")
    return 0


sys.exit(main())
