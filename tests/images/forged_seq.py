# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: seq raised in copy 2 by somebody without the key
# EXPECT: verdict: copy 2, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 1 is to be rewritten
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.forge(COPY2, seq=9)
