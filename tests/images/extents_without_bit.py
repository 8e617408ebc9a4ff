# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: an unreadable extent, feature bit not set
# EXPECT: superblock 1: unreadable-extent list is malformed
# EXPECT: superblock 2: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: unreadable-extent list is malformed


def damage(image):
    image.change(fields={"extent_count": 1, "extent0.start": 8, "extent0.sectors": 8})
