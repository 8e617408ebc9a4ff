# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the next key has equal halves
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    image.rotate(lib.DOWN, 0, next_key=bytes(range(32)) * 2)
