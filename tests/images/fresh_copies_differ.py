# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: two fresh copies of different length
# EXPECT: verdict: superblock copies contradict each other at one sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock copies contradict each other at one sequence number


def damage(image):
    image.fresh()
    image.sb[1]["data_len"] = 1 << 19
    image.sb[1].renew_crc()
