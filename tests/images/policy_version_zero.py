# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy key version zero
# EXPECT: superblock 1: policy uuid or key version is zero
# EXPECT: superblock 2: policy uuid or key version is zero
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: policy uuid or key version is zero


def damage(image):
    image.change(policy_version=0)
