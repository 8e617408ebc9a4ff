#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A task of the kernel waits for ever.
echo 3 >/proc/sys/kernel/hung_task_timeout_secs
insmod build/test/trouble/trouble.ko what=hung_task
echo "still alive"
