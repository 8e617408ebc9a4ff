# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a bit flipped in the HMAC of copy 2, CRC renewed; copy 1 is good
# EXPECT: verdict: superblock copies contradict each other at one sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.sb[1].set_text("mac", "^01")
    image.sb[1].renew_crc()
