# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: reserved bytes not zero: next.reserved
# EXPECT: superblock 1: reserved bytes are not zero
# EXPECT: superblock 2: reserved bytes are not zero
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: reserved bytes are not zero


def damage(image):
    image.change(fields={"next.reserved": b"\1"})
