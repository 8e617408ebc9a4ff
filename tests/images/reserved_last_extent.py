# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: reserved bytes not zero: extent127.reserved
# EXPECT: superblock 1: reserved bytes are not zero
# EXPECT: superblock 2: reserved bytes are not zero
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: reserved bytes are not zero


def damage(image):
    image.change(fields={"extent127.reserved": 1 << 31})
