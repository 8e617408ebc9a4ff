#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will end keys under full random load 200 times in each
# DESCRIPTION: way, see key_end_stops_io_*.sh.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 1800

failed=''
for way in revoke unlink clear invalidate lease timeout; do
	"$(dirname "$0")/key_end_stops_io_$way.sh" 200 || failed+=" $way"
done
[ -z "$failed" ] || {
	echo "failed:$failed"
	exit 1
}
