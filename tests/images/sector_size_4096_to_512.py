# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: sector size 4096 changed to 512, MACed: the wrap's AAD must catch it
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.change(sector_size=512)
