# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: policy name that climbs directories
# EXPECT: policy record 1: policy record has a malformed tenant, policy or volume name
# EXPECT: policy record 2: policy record has a malformed tenant, policy or volume name
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"policy_name": "../../etc"})
