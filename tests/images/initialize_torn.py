# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: table says initialize, one copy is torn
# EXPECT: superblock 2: checksum does not match (torn write or rot)
# EXPECT: verdict: one copy is unreadable and the other was never keyed: format the volume again
# DUMP-EXIT: 9
# EXPECT-KERNEL: one copy is unreadable and the other was never keyed: format the volume again
# TABLE: initialize


def damage(image):
    image.fresh()
    image.tear(COPY2)
