# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: whole header of another volume of the same policy
# EXPECT-KERNEL: volume uuid in the superblock is another one


def damage(image):
    other = image.other()
    image.sb, image.record_copies = other.copies, other.records
