# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: a wrap behind the count
# EXPECT: policy record 1: policy record has reserved bytes that are not zero
# EXPECT: policy record 2: policy record has reserved bytes that are not zero
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap3.role": 2})
