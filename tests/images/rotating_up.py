# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a well-formed rotation to HIGH is claimed
# EXPECT: superblock 1: feature in use that this version cannot open
# EXPECT: superblock 2: feature in use that this version cannot open
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(incompat=1, place=0, direction=2, watermark=8,
                 next=image.sb[0]["current"])
