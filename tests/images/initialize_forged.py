# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: table says initialize, a keyed header was forged (seq raised without the key)
# EXPECT-KERNEL: superblock is forged: HMAC does not match
# TABLE: initialize


def damage(image):
    image.forge(seq=9)
