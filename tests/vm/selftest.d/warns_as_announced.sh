#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# expect-log: WARNING: .* at selftest\.c
echo "WARNING: CPU: 0 PID: 1 at selftest.c:1 nothing+0x0/0x10" >/dev/kmsg
