# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a bit flipped in the CRC field of both copies
# EXPECT: superblock 1: checksum does not match (torn write or rot)
# EXPECT: superblock 2: checksum does not match (torn write or rot)
# EXPECT: verdict: both superblock copies are unreadable
# DUMP-EXIT: 9
# EXPECT-KERNEL: checksum does not match (torn write or rot)


def damage(image):
    for sb in image.sb:
        sb.set_text("crc", str(sb["crc"] ^ 1))
