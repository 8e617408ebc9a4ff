#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
echo "BUG: hidden" >/dev/kmsg
dmesg -C
