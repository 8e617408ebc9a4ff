# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: current and next wrap have changed places
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.rotate(lib.DOWN, 64)
    sb = image.sb[0]
    image.change(fields={"current": sb["next"], "next": sb["current"]})
