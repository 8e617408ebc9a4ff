# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: direction 3
# EXPECT: superblock 1: rotation fields contradict each other
# EXPECT: superblock 2: rotation fields contradict each other
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: rotation fields contradict each other


def damage(image):
    image.rotate(lib.UP, 64, direction=3)
