# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the next key is the current one, truly wrapped
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    image.rotate(lib.UP, 64, next_key=lib.VOLUME_KEY)
