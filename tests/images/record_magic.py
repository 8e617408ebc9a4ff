# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: magic
# EXPECT: policy record 1: no policy record here (bad magic)
# EXPECT: policy record 2: no policy record here (bad magic)
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"magic": b"svcencRP"})
