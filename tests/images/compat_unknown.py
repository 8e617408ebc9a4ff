# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: unknown compatible feature bit
# OPENS: yes


def damage(image):
    image.change(compat=1 << 40)
