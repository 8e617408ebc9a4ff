# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: blob of 2^32 - 1 bytes
# EXPECT: policy record 1: policy record has a malformed wrap
# EXPECT: policy record 2: policy record has a malformed wrap
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record({"wrap0.blob_len": (1 << 32) - 1})
