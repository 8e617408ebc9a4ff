# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: first reserved area
# EXPECT: policy record 1: policy record has reserved bytes that are not zero
# EXPECT: policy record 2: policy record has reserved bytes that are not zero
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"@272:1": b"\1"})
