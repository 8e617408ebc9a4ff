# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: wrap and history of another volume of the same policy, MACed
# EXPECT-KERNEL: volume key does not unwrap: wrap belongs to another volume, epoch or format


def damage(image):
    other = image.other().copies[0]
    image.change(current=other["current"], history=other["history"])
