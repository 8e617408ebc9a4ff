# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a bit flipped in the wrap's tag, MACed
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.flip("current.tag")
