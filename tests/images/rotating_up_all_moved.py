# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: no defect: a rotation to HIGH before its last commit
# OPENS: yes
# REPAIR: whole


def damage(image):
    image.rotate(lib.UP, 0)
