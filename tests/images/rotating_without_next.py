# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: rotation claimed without a next key: would decrypt in place
# EXPECT: superblock 1: rotation fields contradict each other
# EXPECT: superblock 2: rotation fields contradict each other
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: rotation fields contradict each other


def damage(image):
    image.change(incompat=1, place=1, direction=1)
