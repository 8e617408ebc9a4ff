# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: epoch 1 changed to 2, MACed: the wrap's AAD must catch it
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.change(epoch=2, history2=image.sb[0]["history1"])
