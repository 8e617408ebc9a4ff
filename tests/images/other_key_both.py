# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: both copies under the next version of the policy key
# EXPECT: verdict: copy 1, if its HMAC holds under svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:2
# EXPECT-KERNEL: superblock is protected by another policy key: svcenc:9e0c4f52-6d0b-4bb1-9f0e-4c1d2e3f0001:2 is needed


def damage(image):
    image.rekey(BOTH, 2, seq=3)
    image.sb[1].raw[:] = image.sb[0].raw
