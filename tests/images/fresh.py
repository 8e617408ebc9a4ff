# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: never opened, table without initialize
# EXPECT: verdict: the volume has no key yet: open it once with 'initialize'
# EXPECT-KERNEL: the volume has no key yet: open it once with 'initialize'


def damage(image):
    image.fresh()
