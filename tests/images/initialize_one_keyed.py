# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: table says initialize, one copy has a key
# EXPECT: verdict: copy 1, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 2 is to be rewritten
# EXPECT-KERNEL: volume has a key already: open it without 'initialize'
# TABLE: initialize


def damage(image):
    image.fresh(COPY2)
