#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will count the instructions of reads and writes of 4 and
# DESCRIPTION: 128 KiB on a RAM disk, 32 under way, and fail if dm-svcenc has become
# DESCRIPTION: 5 % dearer than recorded beside linear, dm-crypt with either setting
# DESCRIPTION: or the bare cipher of the same run; on the kernel that the limits
# DESCRIPTION: were set for, also if it costs more than those.
# RUNS: vm
# VM: --plain --icount
# SET: quick
# TIMEOUT: 20000

# shellcheck source=tools/bench.d/lib_cells.sh
. "$(dirname "$0")/../../../tools/bench.d/lib_cells.sh"

readonly limits_of=6.1.0-56-amd64
declare -A cost

# BYTES RW LIMIT, and dm-svcenc's cost in thousandths of that of linear, of
# dm-crypt default, without workqueues, and of the floor (linear and the cipher
# alone), as measured on 6.1.0-56.
table() {
	cat <<-'END'
		4096   write 15500  3994  429  704 1039
		4096   read  14400  4057  646  934 1013
		131072 write 358000 11390 664  677 1025
		131072 read  346000 12456 960  973 997
	END
}

measure() {
	local stack=$1 bytes rw rest

	cells_stack "$stack"
	while read -r bytes rw rest; do
		cells_load "$rw" seq "$bytes" 32
		cost[$stack.$bytes.$rw]=$cell
	done < <(table)
	cells_unstack
}

measure_cipher() {
	local bytes rw rest

	while read -r bytes rw rest; do
		if [ "$rw" = write ]; then
			cells_cipher encrypt "$bytes"
		else
			cells_cipher decrypt "$bytes"
		fi
		cost[floor.$bytes.$rw]=$((${cost[linear.$bytes.$rw]} + cell))
	done < <(table)
}

# compare CELL RIVAL RECORDED: one check.
compare() {
	local now

	now=$((${cost[svcenc.$1]} * 1000 / ${cost[$2.$1]}))
	# less than half as much: then it was not done, or not counted
	[ "$now" -gt $(($3 / 2)) ] || svc_bail "$1: $now thousandths of $2 cannot be"
	svc_ok "$1: ${cost[svcenc.$1]} are $now thousandths of $2 (${cost[$2.$1]}), recorded $3" \
		test "$now" -le $(($3 * 105 / 100))
}

check_limit() {
	if [ "$(uname -r)" = $limits_of ]; then
		svc_ok "$1: ${cost[svcenc.$1]} instructions, at most $2" test "${cost[svcenc.$1]}" -le "$2"
	else
		svc_pass "$1: ${cost[svcenc.$1]} instructions; the limit is for $limits_of only"
	fi
}

svc_plan 20
cells_start
cells_below brd
for stack in linear crypt crypt-nowq svcenc; do
	measure $stack
done
measure_cipher
while read -r bytes rw limit linear crypt nowq floor; do
	check_limit "$bytes.$rw" "$limit"
	compare "$bytes.$rw" linear "$linear"
	compare "$bytes.$rw" crypt "$crypt"
	compare "$bytes.$rw" crypt-nowq "$nowq"
	compare "$bytes.$rw" floor "$floor"
done < <(table)
svc_done
