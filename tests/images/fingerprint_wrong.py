# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: history does not hold the fingerprint of the volume key
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    image.change(history1=bytes(15) + b"\1")
