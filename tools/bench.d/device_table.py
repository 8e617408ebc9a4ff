#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables and JSON of tools/bench --device.

usage: device_table.py LOG JSON

LOG has lines "result STACK RW ORDER BYTES DEPTH IOPS MB/S P50_NS P99_NS"."""

import json
import sys

FIELDS = ("stack", "rw", "order", "bytes", "depth", "iops", "mb_s", "p50_ns", "p99_ns")


def read_log(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()[1:]
            rows.append(dict(zip(FIELDS, words[:3] + [int(word) for word in words[3:]])))
    return rows


def main():
    rows = read_log(sys.argv[1])
    stacks = list(dict.fromkeys(row["stack"] for row in rows))
    shapes = list(dict.fromkeys(tuple(row[f] for f in FIELDS[1:5]) for row in rows))
    by_key = {(row["stack"], *(row[f] for f in FIELDS[1:5])): row for row in rows}
    for shape in shapes:
        kind, order, size, depth = shape
        print(f"\n{order} {kind} of {size >> 10} KiB, depth {depth}")
        print(f"{'':28}{'IOPS':>10}{'MB/s':>9}{'p50 us':>10}{'p99 us':>10}")
        for stack in stacks:
            row = by_key[(stack, *shape)]
            print(
                f"{stack:28}{row['iops']:10,}{row['mb_s']:9,}"
                f"{row['p50_ns'] / 1000:10.1f}{row['p99_ns'] / 1000:10.1f}"
            )
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({"schema": "svcenc-bench/1", "unit": "fio", "cells": rows}, file, indent=1)
        file.write("\n")


main()
