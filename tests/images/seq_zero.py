# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: seq 0
# EXPECT: superblock 1: sequence number is zero or at its end
# EXPECT: superblock 2: sequence number is zero or at its end
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: sequence number is zero or at its end


def damage(image):
    image.change(seq=0)
