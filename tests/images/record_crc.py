# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: CRC
# EXPECT: policy record 1: policy record checksum does not match (torn write or rot)
# EXPECT: policy record 2: policy record checksum does not match (torn write or rot)
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    image.record_unsigned({"generation": 9})
