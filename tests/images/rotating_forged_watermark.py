# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: watermark put back by somebody without the key
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.rotate(lib.DOWN, 1024)
    image.forge(watermark=64)
