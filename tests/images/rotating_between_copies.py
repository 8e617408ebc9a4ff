# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: a commit cut off between its copies: copy 2 has an older watermark
# EXPECT: verdict: copy 1, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:1; copy 2 is to be rewritten
# OPENS: yes
# REPAIR: whole


def damage(image):
    image.rotate(lib.DOWN, 72, seq=7)
    image.change(COPY2, seq=6, watermark=64)
