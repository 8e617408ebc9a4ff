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

# key_end_pairs COUNT: keys with two volumes each: on a loop device, whose
# completions come from a workqueue, and on null_blk, whose completions come
# from an interrupt.
key_end_pairs() {
	local i

	for ((i = 1; i <= $1; i++)); do
		svc_plan_siblings "$SVC_TMP/one$i" "$SVC_TMP/two$i"
	done
	svc_make_planned
	key_end_bystander
	victims=() names=()
	for ((i = 1; i <= $1; i++)); do
		svc_add_key "$SVC_TMP/one$i" >/dev/null
		svc_open "one$i" "$SVC_TMP/one$i"
		svc_on_null "$SVC_TMP/two$i"
		svc_open_on "$svc_dev" "two$i" "$SVC_TMP/two$i"
		victims+=("$SVC_TMP/one$i:one$i,two$i")
		names+=("one$i" "two$i")
	done
}

# key_end_many COUNT: keys with a volume each, for ends that come by the clock;
# side by side on one device, as programs start slowly here.
key_end_many() {
	local i file slices='' volumes='' files=() slice=$((10 << 11))

	victims=() names=()
	truncate -s $(($1 * slice * 512)) "$SVC_TMP/disk"
	svc_attach "$SVC_TMP/disk"
	for ((i = 1; i <= $1; i++)); do
		file=$SVC_TMP/v$i
		slices+="slice$i,,,rw,0 $slice linear $svc_dev $(((i - 1) * slice));"
		svc_plan_volume "$file" --size 4M
		files+=("$file")
		victims+=("$file:v$i")
		names+=("v$i")
		svc_mappings+=("slice$i")
	done
	svc_must dmsetup create --concise "$slices"
	# shellcheck disable=SC2016 # perl's variables
	svc_must perl -e 'symlink "/dev/mapper/slice$_", "$ARGV[0]$_" or die $! for 1 .. $ARGV[1]' \
		"$SVC_TMP/v" "$1"
	svc_make_planned
	key_end_bystander
	svc_must "$svc_bin/svcenc-keycall" add "$svc_keyring" 3600 "${files[@]}" >/dev/null
	for ((i = 1; i <= $1; i++)); do
		file=$SVC_TMP/v$i
		volumes+="v$i,SVCENC-1-$(<"$file.uuid")-v$i,,rw,0 $(<"$file.sectors") svcenc"
		volumes+=" /dev/mapper/slice$i $(<"$file.uuid") $(<"$file.desc");"
		svc_mappings+=("v$i")
	done
	svc_must dmsetup create --concise "$volumes"
}

# The volumes answer plainly after the last end, and after the last unlock.
key_end_look_after() {
	local name word
	local -A state=()

	while read -r name _ _ _ word _; do
		state[$name]=$word
	done < <(dmsetup status --target svcenc)
	for name in "${names[@]}"; do
		svc_is "$name says that it is locked" "${state[$name:]-}" locked
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
