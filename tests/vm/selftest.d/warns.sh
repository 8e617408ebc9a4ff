#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A script that succeeds while the kernel complains.
echo "WARNING: CPU: 0 PID: 1 at selftest.c:1 nothing+0x0/0x10" >/dev/kmsg
