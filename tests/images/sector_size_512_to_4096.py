# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: sector size 512 changed to 4096, MACed: the wrap's AAD must catch it
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.start_over(sector_size=512)
    image.change(sector_size=4096)
