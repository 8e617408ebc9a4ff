# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: magic of copy 1 is not ours
# EXPECT: superblock 1: no svcenc superblock here (bad magic)
# EXPECT: verdict: copy 2, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 1 is to be rewritten
# OPENS: yes


def damage(image):
    image.change(COPY1, magic=b"LUKS\xba\xbe\0\2")
