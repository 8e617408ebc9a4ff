# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: format version 2
# EXPECT: superblock 1: format version is not 1
# EXPECT: superblock 2: format version is not 1
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: format version is not 1


def damage(image):
    image.change(version=2)
