#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let allocations that may not wait fail, from one in ten to all
# DESCRIPTION: of them, under a verified load: the reserves carry it, so no I/O fails, none
# DESCRIPTION: hangs and none returns wrong bytes.
# RUNS: uml
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

readonly BUDGET=1000000 # faults; more than ever happen

# Those that may not wait only: nobody else promised to get along without.
begin_faults() {
	local name

	for name in failslab fail_page_alloc; do
		echo Y >"$fault_fs/$name/ignore-gfp-wait"
		echo 0 >"$fault_fs/$name/verbose"
		echo $BUDGET >"$fault_fs/$name/times"
		echo "$1" >"$fault_fs/$name/probability"
	done
	echo 0 >"$fault_fs/fail_page_alloc/min-order"
}

# Ends them; how many there were.
end_faults() {
	local name count=0

	for name in failslab fail_page_alloc; do
		echo 0 >"$fault_fs/$name/probability"
		count=$((count + BUDGET - $(<"$fault_fs/$name/times")))
	done
	echo $count
}

fault_start
svc_plan_volume "$SVC_TMP/vol"
svc_make_planned
svc_add_key "$SVC_TMP/vol" >/dev/null
svc_open alpha "$SVC_TMP/vol"
for probability in 10 50 90 100; do
	svc_load_begin /dev/mapper/alpha --threads 4 --reads 30 --max-bytes 262144
	begin_faults $probability
	svc_ok "$probability %: I/O flows" svc_load_sees ok
	sleep 4
	svc_ok "$probability %: and still flows" svc_load_sees ok
	faults=$(end_faults)
	svc_load_end
	svc_is "$probability %: no I/O failed, no byte is wrong" "$fact_failed $fact_wrong" "0 0"
	svc_is "$probability %: there were faults ($faults), I/O since the last look: $fact_ok" \
		"$((faults > 0))" 1
done
svc_is "no conversion failed either" "$(svc_status alpha 14)" 0
svc_close alpha
svc_done
