#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Headers of many volumes, side by side in one sparse image, all under one
policy key, by the independent model (tests/ref); on the host, where Python is
fast.  Policy records are left out: the kernel does not read them.

usage: make_many.py DIR COUNT PER_DISK

DIR/disk   COUNT slices of SLICE bytes
DIR/table  for dmsetup create --concise, of PER_DISK volumes a line, as many as
           lie on one disk: vol1 on partition 1 of /dev/loop0
DIR/vol.*  .desc and .key as of svcenc_model.py --side-files"""

import os
import pathlib
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "ref"))

# pylint: disable=wrong-import-position
from svcenc_volume import SB_OFFSETS, Plan, plan_superblock

MIB = 1 << 20
SIZE, SPARE = MIB, MIB
SLICE = 6 * MIB  # header of 4 MiB, data, spare


def main():
    where, count, per_disk = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    policy, key = uuid.uuid4(), os.urandom(32)
    desc = f"svcenc:{policy}:1"
    with open(where / "disk", "wb") as disk, open(where / "table", "w", encoding="ascii") as table:
        disk.truncate(count * SLICE)
        for number in range(count):
            sb = plan_superblock(Plan(SIZE, spare=SPARE, policy=policy, policy_key=key))
            for offset in SB_OFFSETS:
                disk.seek(number * SLICE + offset)
                disk.write(sb.raw)
            lower = f"/dev/loop{number // per_disk}p{number % per_disk + 1}"
            name = f"vol{number + 1}"
            table.write(f"{name},SVCENC-1-{sb['uuid']}-{name},,rw,"
                        f"0 {SIZE // 512} svcenc {lower} {sb['uuid']} {desc}"
                        + (";" if (number + 1) % per_disk else "\n"))
    (where / "vol.desc").write_text(desc + "\n", encoding="ascii")
    (where / "vol.key").write_bytes(key)


main()
