# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: device lacks the last sector of the spare
# EXPECT: verdict: device is shorter than the volume: has 6290944 bytes, needs 6291456
# DUMP-EXIT: 4
# EXPECT-KERNEL: device is too small for header, data and spare
# REPAIR: a device of full length


def damage(image):
    image.length -= 512
