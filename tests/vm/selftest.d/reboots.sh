#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
echo b >/proc/sysrq-trigger
sleep 60
