# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: 129 unreadable extents in room for 128
# EXPECT: superblock 1: unreadable-extent list is malformed
# EXPECT: superblock 2: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: unreadable-extent list is malformed


def damage(image):
    image.change(fields={"incompat": 2, "extent_count": 129, "extent0.start": 8,
                         "extent0.sectors": 8})
