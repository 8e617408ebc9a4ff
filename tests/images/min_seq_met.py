# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: the table demands seq 2, and that is what lies there
# OPENS: yes
# TABLE: min_seq:2


def damage(image):
    pass
