# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: highest incompatible feature bit
# EXPECT: superblock 1: unknown incompatible feature bit
# EXPECT: superblock 2: unknown incompatible feature bit
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: unknown incompatible feature bit


def damage(image):
    image.change(incompat=1 << 63)
