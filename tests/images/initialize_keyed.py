# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: table says initialize, the volume has a key
# EXPECT-KERNEL: volume has a key already: open it without 'initialize'
# TABLE: initialize


def damage(image):
    pass
