# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a bit flipped in the HMAC of both copies, CRC renewed
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    for sb in image.sb:
        sb.set_text("mac", "^01")
        sb.renew_crc()
