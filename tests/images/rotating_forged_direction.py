# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: direction turned round by somebody without the key
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.rotate(lib.DOWN, 1024)
    image.forge(place=0, direction=2)
