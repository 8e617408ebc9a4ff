# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: keyed flag 2
# EXPECT: superblock 1: keyed flag is neither 0 nor 1
# EXPECT: superblock 2: keyed flag is neither 0 nor 1
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: keyed flag is neither 0 nor 1


def damage(image):
    image.change(keyed=2)
