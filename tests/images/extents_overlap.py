# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: unreadable extents that overlap
# EXPECT: superblock 1: unreadable-extent list is malformed
# EXPECT: superblock 2: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: unreadable-extent list is malformed


def damage(image):
    image.change(fields={"incompat": 2, "extent_count": 2, "extent0.start": 8,
                         "extent0.sectors": 16, "extent1.start": 16, "extent1.sectors": 8})
