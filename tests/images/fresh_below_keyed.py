# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: copy 2 still fresh: crash within the first commit
# EXPECT: verdict: copy 1, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 2 is to be rewritten
# OPENS: yes


def damage(image):
    image.fresh(COPY2)
