# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 1 torn, copy 2 fresh: nobody knows whether there was a key
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: verdict: one copy is unreadable and the other was never keyed: format the volume again
# DUMP-EXIT: 9
# EXPECT-KERNEL: one copy is unreadable and the other was never keyed: format the volume again


def damage(image):
    image.fresh()
    image.tear(COPY1)
