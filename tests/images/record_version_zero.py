# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: policy key version 0
# EXPECT: policy record 1: policy record has a zero uuid, version or generation
# EXPECT: policy record 2: policy record has a zero uuid, version or generation
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"policy_version": 0})
