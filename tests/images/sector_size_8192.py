# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: sector size 8192
# EXPECT: superblock 1: sector size is neither 512 nor 4096
# EXPECT: superblock 2: sector size is neither 512 nor 4096
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: sector size is neither 512 nor 4096


def damage(image):
    image.change(sector_size=8192)
