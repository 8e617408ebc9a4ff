# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: an authentic header from earlier in the rotation; the table demands seq 9
# EXPECT-KERNEL: superblock is rolled back: seq 8, at least 9 expected
# TABLE: min_seq:9


def damage(image):
    image.rotate(lib.DOWN, 64, seq=8)
