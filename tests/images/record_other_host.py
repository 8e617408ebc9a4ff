# SPDX-License-Identifier: GPL-2.0-or-later
# DEFECT: policy records name a vault on another host: well-formed, recovery must not follow it
# OPENS: yes


def damage(image):
    image.record({"wrap0.vault": "evil.example.org",
                  "wrap0.kid": "file:evil.example.org/root/1", "wrap0.kid_len": 28})
