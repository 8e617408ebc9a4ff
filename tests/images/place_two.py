# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: place 2
# EXPECT: superblock 1: place of the data is neither low nor high
# EXPECT: superblock 2: place of the data is neither low nor high
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: place of the data is neither low nor high


def damage(image):
    image.change(place=2)
