# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: data offset 4 MiB + 4096
# EXPECT: superblock 1: data offset is below 4 MiB or not 1 MiB aligned
# EXPECT: superblock 2: data offset is below 4 MiB or not 1 MiB aligned
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: data offset is below 4 MiB or not 1 MiB aligned


def damage(image):
    image.change(data_offset=(4 << 20) + 4096)
