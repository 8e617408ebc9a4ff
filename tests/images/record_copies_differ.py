# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy record copy 1 of the next generation: crash between two writes
# OPENS: yes


def damage(image):
    image.record({"generation": 2}, COPY1)
