# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: 129 unreadable extents in room for 128
# EXPECT: superblock 1: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: superblock 2: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(fields={"incompat": 2, "extent_count": 129, "extent0.start": 8,
                         "extent0.sectors": 8})
