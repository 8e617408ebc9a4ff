# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: watermark behind the end
# EXPECT: superblock 1: rotation fields contradict each other
# EXPECT: superblock 2: rotation fields contradict each other
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: rotation fields contradict each other


def damage(image):
    image.rotate(lib.DOWN, 1024)
    image.change(watermark=2056)
