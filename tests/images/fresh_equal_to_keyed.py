# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 2 fresh with the seq of keyed copy 1
# EXPECT: verdict: a fresh superblock copy lies beside a keyed one with a lower sequence number
# DUMP-EXIT: 9
# EXPECT-KERNEL: a fresh superblock copy lies beside a keyed one with a lower sequence number


def damage(image):
    image.fresh(COPY2, seq=2)
