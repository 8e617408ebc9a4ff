# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the next key has no fingerprint in the history
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    image.rotate(lib.DOWN, 64)
    image.change(history2=bytes(16))
