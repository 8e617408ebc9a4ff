# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: seq 2^64 - 1, behind which none fits
# EXPECT: superblock 1: sequence number is zero or at its end
# EXPECT: superblock 2: sequence number is zero or at its end
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: sequence number is zero or at its end


def damage(image):
    image.change(seq=(1 << 64) - 1)
