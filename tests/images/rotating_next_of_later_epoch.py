# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: next wrap of the epoch after the next one
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    image.rotate(lib.DOWN, 64)
    image.change(next=lib.crypto.wrap_volume_key(
        lib.POLICY_KEY, image.sb[0], 3, lib.NEXT_VOLUME_KEY))
