# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The body of key_end_stops_io_*.sh: volumes under full random load, whose
# policy keys are ended by svcenc-key-end in one way, many times.
#
# shellcheck disable=SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$svc_tests/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_tests/lib/key.sh"

# The bystander's key also lies in root's user keyring, so that clearing
# ".svcenc" does not drop its last link.
key_end_bystander() {
	bystander=$(svc_add_key "$SVC_TMP/other")
	keyctl link "$bystander" @u
	svc_open other "$SVC_TMP/other"
}

# One key, two volumes: on a loop device, whose completions come from a
# workqueue, and on null_blk, whose completions come from an interrupt.
key_end_pair() {
	svc_plan_siblings "$SVC_TMP/one" "$SVC_TMP/two"
	svc_make_planned
	key_end_bystander
	svc_add_key "$SVC_TMP/one" >/dev/null
	svc_open one "$SVC_TMP/one"
	svc_on_null "$SVC_TMP/two"
	svc_open_on "$svc_dev" two "$SVC_TMP/two"
	victims=("$SVC_TMP/one:one,two")
	names=(one two)
}

# COUNT keys with a volume each, for ends that come by the clock.
key_end_many() {
	local i

	for ((i = 1; i <= $1; i++)); do
		svc_plan_volume "$SVC_TMP/v$i"
	done
	svc_make_planned
	key_end_bystander
	victims=() names=()
	for ((i = 1; i <= $1; i++)); do
		svc_add_key "$SVC_TMP/v$i" >/dev/null
		svc_open "v$i" "$SVC_TMP/v$i"
		victims+=("$SVC_TMP/v$i:v$i")
		names+=("v$i")
	done
}

# The volumes answer plainly after the last end, and after the last unlock.
key_end_look_after() {
	local name

	for name in "${names[@]}"; do
		svc_is "$name says that it is locked" "$(svc_status "$name" 1)" locked
	done
	svc_is "the bystander is active" "$(svc_status other 1)" active
	svc_is "not one of the bystander's I/Os went offline" "$(svc_status other 11)" 0
}

# key_end_test WAY REPETITIONS [OPTION...]
key_end_test() {
	local way=$1 repetitions=$2

	shift 2
	keyctl clear "$svc_keyring" # opened; the keys come again in each repetition
	keyctl link "$bystander" "$svc_keyring"
	"$svc_bin/svcenc-key-end" --way "$way" --keyring "$svc_keyring" \
		--repetitions "$repetitions" --bystander /dev/mapper/other "$@" \
		"${victims[@]}" | tee "$SVC_TMP/ends" | sed 's/^/# /'
	svc_ok "$repetitions ends by $way, each stopped I/O within its bound" \
		grep -q "^pass: [0-9]* ends by $way" "$SVC_TMP/ends"
	key_end_look_after
	keyctl unlink "$bystander" @u
	svc_done
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$SVC_TMP/other"
