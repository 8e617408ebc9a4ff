# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: 2^32 - 1 unreadable extents
# EXPECT: superblock 1: unreadable-extent list is malformed
# EXPECT: superblock 2: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: unreadable-extent list is malformed


def damage(image):
    image.change(incompat=2, extent_count=(1 << 32) - 1)
