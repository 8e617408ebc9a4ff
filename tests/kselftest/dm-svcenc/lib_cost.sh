# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What something costs, in instructions: for a guest under --icount, in which
# one instruction takes one virtual nanosecond.  Time in which the processor
# was idle (waiting for the file system of the host, a timer) is taken off; it
# is told in steps of 10 ms.  Sources lib_rotate.sh.

# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_rotate.sh"

cost_busy() {
	local words

	read -r -a words </proc/stat
	echo $(($(date +%s%N) - (words[4] + words[5]) * 10000000))
}

# cost_of UNITS COMMAND...: instructions per unit, in $cost.
cost_of() {
	local units=$1 start

	shift
	start=$(cost_busy)
	svc_must "$@"
	cost=$((($(cost_busy) - start) / units))
}

# A RAM disk of MIB, all of its pages there.
cost_ram_disk() {
	svc_must modprobe brd rd_nr=1 rd_size=$(($1 << 10))
	svc_must dd if=/dev/zero of=/dev/ram0 bs=1M count="$1" oflag=direct status=none
}

# Rotates alpha as a whole; ends with the event that it is complete.
cost_rotate() {
	local event

	event=$(dmsetup info -c --noheadings -o events alpha)
	dmsetup message alpha 0 rotate start && dmsetup wait alpha "$event" && rotate_is idle
}
