# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: algorithm 6
# EXPECT: policy record 1: policy record has a malformed wrap
# EXPECT: policy record 2: policy record has a malformed wrap
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap0.alg": 6})
