# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: no defect: a rotation to LOW, just begun
# OPENS: yes
# REPAIR: whole


def damage(image):
    image.rotate(lib.DOWN, 0)
