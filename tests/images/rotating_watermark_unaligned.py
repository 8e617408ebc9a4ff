# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: watermark within a 4096-byte sector
# EXPECT: superblock 1: feature in use that this version cannot open; also: rotation fields contradict each other
# EXPECT: superblock 2: feature in use that this version cannot open; also: rotation fields contradict each other
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(incompat=1, place=1, direction=1, watermark=7,
                 next=image.sb[0]["current"])
