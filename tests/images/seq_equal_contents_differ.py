# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: one seq, different contents, both MACed
# EXPECT: verdict: superblock copies contradict each other at one sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock copies contradict each other at one sequence number


def damage(image):
    image.change(COPY2, compat=1)
