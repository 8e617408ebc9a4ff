# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 2 is of another policy key, copy 1 torn
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: verdict: copy 2, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:2; copy 1 is to be rewritten
# EXPECT-KERNEL: superblock is protected by another policy key: svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:2 is needed


def damage(image):
    image.rekey(COPY2, 2, seq=3)
    image.tear(COPY1)
