# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: table says initialize, both copies are torn
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: superblock 2: checksum does not match (torn write or rot)
# EXPECT: verdict: both superblock copies are unreadable
# DUMP-EXIT: 9
# EXPECT-KERNEL: checksum does not match (torn write or rot)
# TABLE: initialize


def damage(image):
    image.tear()
