# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a commit torn in copy 1: copy 2 has the older watermark
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: verdict: copy 2, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 1 is to be rewritten
# OPENS: yes
# REPAIR: whole


def damage(image):
    image.rotate(lib.UP, 64, seq=7)
    image.tear(COPY1)
