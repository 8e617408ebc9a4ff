# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: unknown read-only compatible feature bit
# OPENS: read-only
# EXPECT-KERNEL: unknown read-only feature bit: open read-only


def damage(image):
    image.change(ro_compat=1 << 40)
