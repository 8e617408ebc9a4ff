# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: superblock copy 2 claimed at 5 MiB
# EXPECT: superblock 1: superblock or record offsets are not the fixed ones
# EXPECT: superblock 2: superblock or record offsets are not the fixed ones
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock or record offsets are not the fixed ones


def damage(image):
    image.change(sb2_offset=5 << 20)
