# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: volume uuid zero
# EXPECT: superblock 1: volume uuid is zero
# EXPECT: superblock 2: volume uuid is zero
# EXPECT: verdict: a superblock copy is malformed
# DUMP-EXIT: 9
# EXPECT-KERNEL: volume uuid is zero


def damage(image):
    image.change(fields={"@40:16": bytes(16)})
