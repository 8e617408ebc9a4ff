# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: device longer than the header says
# OPENS: yes
# REPAIR: not needed


def damage(image):
    image.length += 1 << 20
