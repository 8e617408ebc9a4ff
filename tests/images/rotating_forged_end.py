# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: rotation declared over by somebody without the key
# EXPECT-KERNEL: superblock is forged: HMAC does not match


def damage(image):
    image.rotate(lib.DOWN, 1024)
    sb = image.sb[0]
    image.forge(fields={"incompat": 0, "direction": 0, "watermark": 0, "place": 0,
                        "epoch": 2, "current": sb["next"], "next": b""})
