# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 2 has a right CRC and HMAC, but an impossible spare
# EXPECT: superblock 2: spare is zero, too large or not 1 MiB aligned
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock: spare is zero, too large or not 1 MiB aligned


def damage(image):
    image.change(COPY2, spare_len=0)
