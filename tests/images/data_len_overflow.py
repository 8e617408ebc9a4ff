# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: data length 2^64 - 4096: wraps around to less than the device
# EXPECT: superblock 1: data area reaches beyond the largest device
# EXPECT: superblock 2: data area reaches beyond the largest device
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: data area reaches beyond the largest device


def damage(image):
    image.change(data_len=(1 << 64) - 4096)
