# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: two watermarks at one sequence number
# EXPECT: verdict: superblock copies contradict each other at one sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock copies contradict each other at one sequence number


def damage(image):
    image.rotate(lib.DOWN, 64, seq=8)
    image.change(COPY2, watermark=72)
