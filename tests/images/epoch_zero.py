# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: keyed with epoch 0
# EXPECT: superblock 1: keyed header with epoch 0 or without a wrap
# EXPECT: superblock 2: keyed header with epoch 0 or without a wrap
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: keyed header with epoch 0 or without a wrap


def damage(image):
    image.change(epoch=0)
