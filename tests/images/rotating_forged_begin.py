# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a rotation made up by somebody without the key
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    sb = image.sb[0]
    image.forge(fields={"incompat": 1, "direction": 2, "watermark": 2048, "next": sb["current"]})
