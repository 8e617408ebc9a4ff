# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: tenant uuid zero
# EXPECT: policy record 1: policy record has a zero uuid, version or generation
# EXPECT: policy record 2: policy record has a zero uuid, version or generation
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"@64:16": bytes(16)})
