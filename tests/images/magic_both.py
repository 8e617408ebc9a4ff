# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: magic of both copies is not ours
# EXPECT: superblock 1: no svcenc superblock here (bad magic)
# EXPECT: superblock 2: no svcenc superblock here (bad magic)
# EXPECT: verdict: both superblock copies are unreadable
# DUMP-EXIT: 4
# EXPECT-KERNEL: no svcenc superblock here (bad magic)


def damage(image):
    image.change(magic=b"svcencXX")
