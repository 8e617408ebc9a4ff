# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the wrapped volume key has K1 = K2, all else right
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    key = bytes(range(32)) * 2
    image.wrap(key)
    image.change(history1=lib.crypto.fingerprint(key, lib.VOLUME))
