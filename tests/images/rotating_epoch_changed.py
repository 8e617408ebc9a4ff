# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: epoch one too high
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.rotate(lib.DOWN, 64)
    image.change(epoch=2)
