# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: fresh header with epoch 1
# EXPECT: superblock 1: fresh header carries key, epoch or MAC
# EXPECT: superblock 2: fresh header carries key, epoch or MAC
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: fresh header carries key, epoch or MAC


def damage(image):
    image.fresh(epoch=1)
