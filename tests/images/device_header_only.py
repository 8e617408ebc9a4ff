# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: device of exactly 4 MiB
# EXPECT: verdict: device is shorter than the volume: has 4194304 bytes, needs 6291456
# DUMP-EXIT: 4
# EXPECT-KERNEL: device is too small for a svcenc header
# REPAIR: a device of full length


def damage(image):
    image.length = 4 << 20
