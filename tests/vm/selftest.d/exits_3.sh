#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
echo "three it is"
exit 3
