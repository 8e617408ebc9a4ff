# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records claimed to reach over copy 2
# EXPECT: superblock 1: superblock or record offsets are not the fixed ones
# EXPECT: superblock 2: superblock or record offsets are not the fixed ones
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock or record offsets are not the fixed ones


def damage(image):
    image.change(record_len=3 << 20)
