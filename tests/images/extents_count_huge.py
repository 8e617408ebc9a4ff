# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: 2^32 - 1 unreadable extents
# EXPECT: superblock 1: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: superblock 2: feature in use that this version cannot open; also: unreadable-extent list is malformed
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: feature in use that this version cannot open


def damage(image):
    image.change(incompat=2, extent_count=(1 << 32) - 1)
