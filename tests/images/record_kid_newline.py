# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records: key identifier with a newline
# EXPECT: policy record 1: policy record has a malformed wrap
# EXPECT: policy record 2: policy record has a malformed wrap
# DUMP-EXIT: 9
# OPENS: yes


def damage(image):
    kid = image.record_copies[0]["wrap0.kid"]
    image.record({"wrap0.kid": kid[:8] + "\n" + kid[9:]})
