# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: bytes behind the key identifier's length
# EXPECT: policy record 1: policy record has a malformed wrap
# EXPECT: policy record 2: policy record has a malformed wrap
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap0.kid_len": 5})
