# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: cipher number: 2^32 - 1
# EXPECT: superblock 1: cipher is not aes-xts-plain64 with 512-bit key
# EXPECT: superblock 2: cipher is not aes-xts-plain64 with 512-bit key
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: cipher is not aes-xts-plain64 with 512-bit key


def damage(image):
    image.change(cipher=(1 << 32) - 1)
