#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run several times in one guest: what one run writes, the next must not see.
set -e
[ "$(tr -d '\0' </dev/vda | wc -c)" = 0 ]
[ ! -e /tmp/mine ] && [ ! -e /var/lib/svcenc ]
echo dirt >/dev/vda
mkdir -p /tmp/mine /var/lib/svcenc /tmp/mount
mount -t tmpfs none /tmp/mount
sleep 1000 &
