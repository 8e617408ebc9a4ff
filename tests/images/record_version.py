# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: version 2
# EXPECT: policy record 1: policy record version is not 1
# EXPECT: policy record 2: policy record version is not 1
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"version": 2})
