#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A bad pointer in the kernel.
insmod build/test/trouble/trouble.ko what=oops
echo "still alive"
