# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: data length no multiple of the sector size
# EXPECT: superblock 1: data length is zero or not a multiple of the sector size
# EXPECT: superblock 2: data length is zero or not a multiple of the sector size
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: data length is zero or not a multiple of the sector size


def damage(image):
    image.change(data_len=(1 << 20) - 512)
