# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: no wraps
# EXPECT: policy record 1: policy record has no wraps or more than 8
# EXPECT: policy record 2: policy record has no wraps or more than 8
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap_count": 0})
