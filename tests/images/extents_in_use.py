# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: no defect: one unreadable extent, behind what is read here
# OPENS: yes


def damage(image):
    image.change(fields={"incompat": 2, "extent_count": 1, "extent0.start": 1024,
                         "extent0.sectors": 8})
