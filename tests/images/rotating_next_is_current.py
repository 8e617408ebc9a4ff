# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the next wrap is a copy of the current one
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.rotate(lib.UP, 64)
    image.change(next=image.sb[0]["current"])
