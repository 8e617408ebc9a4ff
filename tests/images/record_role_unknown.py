# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: role 4
# EXPECT: policy record 1: policy record has a role twice or an unknown role
# EXPECT: policy record 2: policy record has a role twice or an unknown role
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap0.role": 4})
