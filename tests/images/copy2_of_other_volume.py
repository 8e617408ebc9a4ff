# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 2 is that of another volume of the same policy, with a higher seq
# EXPECT: verdict: superblock copies are of different volumes
# DUMP-EXIT: 9
# EXPECT-KERNEL: superblock belongs to another volume


def damage(image):
    image.sb[1] = image.other().copies[1]
    image.change(COPY2, seq=9)
