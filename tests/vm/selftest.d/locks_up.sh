#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A task of the kernel never gives its processor back.
echo 2 >/proc/sys/kernel/watchdog_thresh # seconds
insmod build/test/trouble/trouble.ko what=soft_lockup
echo "still alive"
