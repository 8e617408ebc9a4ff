# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the volume key was that of an earlier epoch, too
# EXPECT-KERNEL: volume key is weak or belongs to another epoch


def damage(image):
    fingerprint = image.sb[0]["history1"]
    image.change(epoch=2, history2=fingerprint)
    image.wrap(lib.VOLUME_KEY)
