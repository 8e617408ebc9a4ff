# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy record copy 1 torn
# EXPECT: policy record 1: policy record checksum does not match (torn write or rot)
# OPENS: yes


def damage(image):
    image.record_unsigned({"generation": 9}, COPY1)
