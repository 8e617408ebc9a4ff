#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
echo "about to panic"
sleep 0.5
echo 1 >/proc/sys/kernel/sysrq
echo c >/proc/sysrq-trigger
