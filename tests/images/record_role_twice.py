# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: role a twice
# EXPECT: policy record 1: policy record has a role twice or an unknown role
# EXPECT: policy record 2: policy record has a role twice or an unknown role
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap_count": 2, "wrap1": image.record_copies[0]["wrap0"]})
