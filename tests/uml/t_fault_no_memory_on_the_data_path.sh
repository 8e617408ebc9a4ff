#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let allocations that may not wait fail, from one in ten to all
# DESCRIPTION: of them, under a verified load: the reserves carry it, so no I/O fails, none
# DESCRIPTION: hangs and none returns wrong bytes.
# RUNS: uml
# SET: quick
# TIMEOUT: 240
# expect-log: ODEBUG: Out of memory

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

fault_start
svc_plan_volume "$SVC_TMP/vol"
svc_make_planned
svc_add_key "$SVC_TMP/vol" >/dev/null
svc_open alpha "$SVC_TMP/vol"
for probability in 10 50 90 100; do
	svc_load_begin /dev/mapper/alpha --threads 4 --reads 30 --max-bytes 262144
	fault_no_memory $probability
	svc_ok "$probability %: I/O flows" svc_load_sees ok
	sleep 4
	svc_ok "$probability %: and still flows" svc_load_sees ok
	faults=$(fault_memory_again)
	svc_load_end
	svc_is "$probability %: no I/O failed, no byte is wrong" "$fact_failed $fact_wrong" "0 0"
	svc_is "$probability %: there were faults ($faults), I/O since the last look: $fact_ok" \
		"$((faults > 0))" 1
done
svc_is "no conversion failed either" "$(svc_status alpha 14)" 0
svc_close alpha
svc_done
