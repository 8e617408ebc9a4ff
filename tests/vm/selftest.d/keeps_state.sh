#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run twice with one state disk: the second run sees what the first wrote.
if [ -e /var/lib/dm-svcenc-was-here ]; then
	echo "second boot"
else
	echo "first boot"
	echo x >/var/lib/dm-svcenc-was-here
fi
