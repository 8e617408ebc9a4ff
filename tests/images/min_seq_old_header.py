# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: an authentic older header; the table demands seq 3
# EXPECT-KERNEL: superblock is rolled back: seq 2, at least 3 expected
# TABLE: min_seq:3


def damage(image):
    pass
