# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a bit flipped in the HMAC of copy 1, CRC renewed; copy 2 is good
# EXPECT: verdict: superblock copies contradict each other at one sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.sb[0].set_text("mac", "^01")
    image.sb[0].renew_crc()
