# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: HMAC of both copies zero, CRC renewed
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.forge(mac=bytes(32))
