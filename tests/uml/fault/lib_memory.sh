# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# No memory for those who may not wait for it. Needs a kernel with fault
# injection (tests/uml/run) and debugfs; knows nothing of volumes.

fault_fs=/sys/kernel/debug
readonly FAULT_BUDGET=1000000 # faults; more than ever happen

# fault_no_memory PERCENT: of the allocations that may not wait fail, and only
# those: nobody else promised to get along without.
fault_no_memory() {
	local name

	for name in failslab fail_page_alloc; do
		echo Y >"$fault_fs/$name/ignore-gfp-wait"
		echo 0 >"$fault_fs/$name/verbose"
		echo $FAULT_BUDGET >"$fault_fs/$name/times"
		echo "$1" >"$fault_fs/$name/probability"
	done
	echo 0 >"$fault_fs/fail_page_alloc/min-order"
}

# Ends that; how many there were.
fault_memory_again() {
	local name count=0

	for name in failslab fail_page_alloc; do
		echo 0 >"$fault_fs/$name/probability"
		count=$((count + FAULT_BUDGET - $(<"$fault_fs/$name/times")))
	done
	echo $count
}
