# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: data offset 2^64 - 1 MiB: wraps around with the length
# EXPECT: superblock 1: data area reaches beyond the largest device
# EXPECT: superblock 2: data area reaches beyond the largest device
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: data area reaches beyond the largest device


def damage(image):
    image.change(data_offset=(1 << 64) - (1 << 20))
