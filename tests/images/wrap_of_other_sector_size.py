# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: wrap made for 512-byte sectors, MACed
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.wrap(lib.VOLUME_KEY, sector_size=512)
