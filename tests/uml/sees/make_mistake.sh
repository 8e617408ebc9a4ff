#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In the guest of tests/uml/selftest: the module makes its mistake and goes.
# Says itself that all is well: only the kernel knows better.
#
#	make_mistake.sh MISTAKE

set -e
insmod "$SVC_MODULE" mistake="$1"
rmmod sees
echo "done: $1"
