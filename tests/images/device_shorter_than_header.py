# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: device ends in the middle of the header
# EXPECT: superblock 2: behind the end of the device
# EXPECT: policy record 2: behind the end of the device
# EXPECT: verdict: device is shorter than the header
# DUMP-EXIT: 4
# EXPECT-KERNEL: device is too small for a svcenc header
# REPAIR: a device of full length


def damage(image):
    image.length = 2 << 20
