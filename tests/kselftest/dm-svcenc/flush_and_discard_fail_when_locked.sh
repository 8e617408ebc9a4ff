#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will count what a volume counts (reads, writes, flushes, discards),
# DESCRIPTION: end its key, and find that reads, writes, flushes, discards and zeroing all fail
# DESCRIPTION: at once, are counted as offline, and that the tracepoints say so.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one dev=/dev/mapper/one
trace=/sys/kernel/tracing

counters() {
	dmsetup status one | cut -d ' ' -f 10-
}

# adds "R W F D OFFLINE" COMMAND...: the command succeeds and counts so much.
adds() {
	local wanted=$1 before after
	shift

	read -r -a before <<<"$(counters)"
	svc_ok "$*" "$@"
	read -r -a after <<<"$(counters)"
	svc_is "counted: $wanted" "$(for i in 0 1 2 3 4; do echo $((after[i] - before[i])); done | xargs)" "$wanted"
}

# shellcheck disable=SC2317 # called through adds and offline
direct() {
	dd bs=4096 "$@" status=none
}

offline() {
	local before

	before=$(svc_status one 11)
	svc_is "$1: fails" "$(svc_errno "${@:2}")" "No such device"
	svc_ok "$1: counted as offline" [ "$(svc_status one 11)" -gt "$before" ]
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
for event in svcenc_key_end svcenc_commit svcenc_offline; do
	svc_ok "tracepoint $event" test -d $trace/events/svcenc/$event
done
echo 1 >$trace/events/svcenc/enable
svc_add_key "$volume" >/dev/null
svc_open one "$volume" allow_discards
adds "4 0 0 0 0" direct if=$dev of=/dev/null count=4 iflag=direct
adds "0 3 0 0 0" direct if=/dev/zero of=$dev count=3 oflag=direct
adds "8 0 0 0 0" dd if=$dev of=/dev/null bs=1M count=1 iflag=direct status=none
adds "0 0 1 0 0" sync -d $dev
adds "0 0 0 1 0" blkdiscard -f -o 0 -l 65536 $dev
svc_is "nothing was offline, no errors" "$(counters | cut -d ' ' -f 5-8)" "0 0 0 0"

svc_revoke_key "$volume"
offline "read" direct if=$dev of=/dev/null count=1 iflag=direct
offline "write" direct if=/dev/zero of=$dev count=1 oflag=direct
offline "flush" sync -d $dev
offline "discard" blkdiscard -f -o 0 -l 65536 $dev
offline "zeroing" blkdiscard -f -z -o 0 -l 65536 $dev
svc_is "reads and writes begun are those before" "$(counters | cut -d ' ' -f 1-4)" "12 3 1 1"
cp $trace/trace "$SVC_TMP/trace"
echo 0 >$trace/events/svcenc/enable
svc_ok "the end was traced" grep -q \
	"svcenc_key_end: $(<"$volume.desc") revoked, conversions stopped after [0-9]* ns" "$SVC_TMP/trace"
svc_ok "so was each bio" grep -q "svcenc_offline: [0-9:]* sector 0 opf 0x" "$SVC_TMP/trace"

svc_note "a commit, and discards that were not allowed"
svc_add_key "$volume" >/dev/null
svc_must dmsetup message one 0 unlock "$(<"$volume.desc")"
svc_close one
svc_open one "$volume"
svc_is "without allow_discards" "$(svc_errno blkdiscard -f -o 0 -l 65536 $dev)" "Operation not supported"
svc_close one
dd if=/dev/zero of="$svc_dev" bs=4096 count=1 oflag=direct conv=fsync status=none
echo 1 >$trace/events/svcenc/enable
svc_open one "$volume"
echo 0 >$trace/events/svcenc/enable
svc_ok "the repair of a copy was traced" grep -q "svcenc_commit: [0-9:]* seq 2 error 0" $trace/trace
svc_done
