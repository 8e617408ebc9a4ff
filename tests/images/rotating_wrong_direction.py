# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: rotation to where the data is already
# EXPECT: superblock 1: feature in use that this version cannot open; also: rotation fields contradict each other
# EXPECT: superblock 2: feature in use that this version cannot open; also: rotation fields contradict each other
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(incompat=1, place=0, direction=1, next=image.sb[0]["current"])
