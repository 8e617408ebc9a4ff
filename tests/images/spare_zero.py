# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: spare 0: the first rotation would overwrite what it needs
# EXPECT: superblock 1: spare is zero, too large or not 1 MiB aligned
# EXPECT: superblock 2: spare is zero, too large or not 1 MiB aligned
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: spare is zero, too large or not 1 MiB aligned


def damage(image):
    image.change(spare_len=0)
