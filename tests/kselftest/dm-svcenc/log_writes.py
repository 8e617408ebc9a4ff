#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints the log of a dm-log-writes device, one entry a line:

    SECTOR SECTORS FLAGS      flags of flush, fua, discard, mark, meta; or -
    mark TEXT

in 512-byte sectors.  The format is that of the kernel's
Documentation/admin-guide/device-mapper/log-writes.rst."""

import struct
import sys

MAGIC = 0x6a736677736872
FLAGS = ((1, "flush"), (2, "fua"), (4, "discard"), (8, "mark"), (16, "meta"))


def entries(log):
    magic, version, count, unit = struct.unpack("<QQQI", log.read(28))
    if (magic, version) != (MAGIC, 1):
        sys.exit("log_writes: no dm-log-writes log of version 1")
    at = unit
    for _ in range(count):
        log.seek(at)
        sector, sectors, flags, length = struct.unpack("<QQQQ", log.read(32))
        yield sector, sectors, flags, log.read(length)
        at += unit
        if not flags & (4 | 8):
            at += sectors * unit
    # the kernel counts in units of the log's sector size
    sys.stdout.flush()


def main():
    with open(sys.argv[1], "rb") as log:
        unit = struct.unpack("<QQQI", log.read(28))[3] // 512
        log.seek(0)
        for sector, sectors, flags, text in entries(log):
            if flags & 8:
                print("mark", text.decode())
                continue
            names = ",".join(name for bit, name in FLAGS if flags & bit) or "-"
            print(sector * unit, sectors * unit, names)


main()
