# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: both copies torn
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: superblock 2: checksum does not match (torn write or rot)
# EXPECT: verdict: both superblock copies are unreadable
# DUMP-EXIT: 9
# EXPECT-KERNEL: checksum does not match (torn write or rot)


def damage(image):
    image.tear()
