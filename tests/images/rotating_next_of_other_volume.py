# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: next wrap of another volume of the same policy
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.rotate(lib.UP, 64)
    other = image.other().copies[0]
    other["epoch"] = 2
    image.change(next=lib.crypto.wrap_volume_key(lib.POLICY_KEY, other, 2, lib.NEXT_VOLUME_KEY))
