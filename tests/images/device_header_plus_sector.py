# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: device of 4 MiB and one sector
# EXPECT: verdict: device is shorter than the volume: has 4194816 bytes, needs 6291456
# DUMP-EXIT: 4
# EXPECT-KERNEL: device is too small for header, data and spare
# REPAIR: a device of full length


def damage(image):
    image.length = (4 << 20) + 512
