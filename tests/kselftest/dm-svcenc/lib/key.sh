# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests about keys and control, on top of lib.sh: volumes that
# share a policy key, a lower device that completes in interrupt context, the
# load generator, time stamps.  Sourced after lib.sh.
#
# shellcheck disable=SC2154 # svc_* come from lib.sh

svc_bin=$svc_top/build/test/bin
svc_load_pid=''
# shellcheck disable=SC2034 # for the test that asked
fact_ok=0 fact_failed=0 fact_wrong=0 fact_not_offline=0 fact_first_failure=0

# svc_plan_volume FILE [MODEL_OPTION...]: a keyed volume of 8 MiB, made by the
# next svc_make_planned: Python starts slowly in an emulated machine.
svc_plan_volume() {
	local file=$1

	shift
	echo "create ${file@Q} --size 8M --side-files ${*@Q}" >>"$SVC_TMP/planned"
}

# svc_plan_siblings FILE...: volumes under one policy key.
svc_plan_siblings() {
	local policy keyfile=$1.shared file

	policy=$(</proc/sys/kernel/random/uuid)
	for file; do
		svc_plan_volume "$file" --policy "$policy" --policy-key-file "$keyfile"
	done
}

svc_make_planned() {
	svc_must "$svc_model" batch "$SVC_TMP/planned" >/dev/null
	rm "$SVC_TMP/planned"
}

# svc_on_null FILE [NANOSECONDS]: a null_blk device with memory, filled with
# FILE, whose completions come from a timer interrupt so much later; the device
# in $svc_dev.
svc_on_null() {
	local dir=/sys/kernel/config/nullb/nullb$svc_nulls

	svc_must modprobe null_blk nr_devices=0
	if ! mountpoint -q /sys/kernel/config; then
		svc_must mount -t configfs configfs /sys/kernel/config
		svc_configfs=1
	fi
	svc_must mkdir "$dir"
	echo 1 >"$dir/memory_backed"
	echo $((($(stat -c %s "$1") + 1048575) / 1048576)) >"$dir/size"
	echo 2 >"$dir/queue_mode"
	echo 2 >"$dir/irqmode"
	echo "${2:-100000}" >"$dir/completion_nsec"
	echo 1 >"$dir/power"
	svc_dev=/dev/nullb$svc_nulls
	svc_must dd if="$1" of="$svc_dev" bs=1M conv=fsync status=none
	svc_nulls=$((svc_nulls + 1))
}
svc_nulls=0 svc_configfs=''

# svc_open_on DEVICE NAME FILE: as svc_open, on a device of its own.
svc_open_on() {
	local device=$1 name=$2 file=$3

	svc_must dmsetup create "$name" --uuid "SVCENC-1-$(<"$file.uuid")-$name" --table \
		"0 $(<"$file.sectors") svcenc $device $(<"$file.uuid") $(<"$file.desc")"
	svc_mappings+=("$name")
}

# --- load

# svc_load_begin DEVICE [OPTION...]: in the background, until svc_load_end.
svc_load_begin() {
	local device=$1

	shift
	rm -f "$SVC_TMP/facts" "$SVC_TMP/load.out"
	"$svc_bin/svcenc-load" --facts "$SVC_TMP/facts" "$@" "$device" \
		>"$SVC_TMP/load.out" 2>&1 &
	svc_load_pid=$!
	# before its first facts a signal would still end it
	svc_wait 20 test -e "$SVC_TMP/facts" ||
		svc_bail "the load does not start: $(cat "$SVC_TMP/load.out")"
}

# What the load saw since the last call: sets fact_ok, fact_failed, ...
svc_load_facts() {
	rm -f "$SVC_TMP/facts"
	kill -USR1 "$svc_load_pid" || svc_bail "the load is gone: $(cat "$SVC_TMP/load.out")"
	svc_wait 20 test -e "$SVC_TMP/facts" || svc_bail "the load does not answer"
	svc_take_facts "$SVC_TMP/facts"
}

svc_take_facts() {
	# shellcheck disable=SC1090 # NAME=VALUE lines of svcenc-load
	. <(sed 's/^/fact_/' "$1")
}

# Ends the load; facts since the last look, as above.
svc_load_end() {
	kill "$svc_load_pid"
	wait "$svc_load_pid"
	svc_load_pid=''
	grep -q '^ok=' "$SVC_TMP/load.out" || svc_bail "load: $(cat "$SVC_TMP/load.out")"
	svc_take_facts "$SVC_TMP/load.out"
}

# Polls until the load has seen at least one more I/O succeed (or fail).
svc_load_sees() {
	local what=fact_$1 end=$((SECONDS + 20))

	until svc_load_facts && [ "${!what}" -gt 0 ]; do
		[ "$SECONDS" -lt "$end" ] || return 1
	done
}

# --- what I/O says

# svc_errno COMMAND...: the last word of its complaint, "" when it succeeds.
svc_errno() {
	"$@" 2>&1 >/dev/null | sed -n 's/.*: //p' | tail -n 1
}

svc_read_errno() {
	svc_errno dd if="$1" of=/dev/null bs=4096 count=1 iflag=direct status=none
}

svc_write_errno() {
	svc_errno dd if=/dev/zero of="$1" bs=4096 count=1 oflag=direct status=none
}

# --- who asks

# Neither a root without CAP_SYS_ADMIN nor another user is enough.
svc_as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

svc_as_weak_root() {
	setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$@"
}

# svc_says NAME TEXT COMMAND...: it fails, and TEXT is in what it prints.
svc_says() {
	local name=$1 text=$2

	shift 2
	if "$@" >"$SVC_TMP/output" 2>&1; then
		svc_fail "$name"
		svc_note "succeeded: $*"
	elif grep -q -F -e "$text" "$SVC_TMP/output"; then
		svc_pass "$name: $text"
	else
		svc_fail "$name"
		svc_note "wanted: $text; got: $(cat "$SVC_TMP/output")"
	fi
}

# --- the way down

svc_key_cleanup() {
	[ "$BASHPID" = $$ ] || return # as svc_cleanup
	[ -z "$svc_load_pid" ] || kill "$svc_load_pid"
	[ -z "$svc_load_pid" ] || wait "$svc_load_pid"
	svc_cleanup
	while [ "$svc_nulls" -gt 0 ]; do
		svc_nulls=$((svc_nulls - 1))
		rmdir "/sys/kernel/config/nullb/nullb$svc_nulls"
	done
	[ -z "$svc_configfs" ] || umount /sys/kernel/config
} >/dev/null 2>&1

trap svc_key_cleanup EXIT
