# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: unreadable extent of no length
# EXPECT: superblock 1: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: superblock 2: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(fields={"incompat": 2, "extent_count": 1, "extent0.start": 8})
