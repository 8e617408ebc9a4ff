# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many volumes side by side on one device, as on LVM. Programs start slowly in
# an emulated machine: as few as can be. Sources lib_data.sh.

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_data.sh"

many_volumes=() # the mapped devices

# many_make DEVICE COUNT MIB [OWN]: headers of COUNT volumes, each on MIB of the
# device; vol1 ... name them and their companions. All have the same policy key
# but the one with number OWN; the keys are added.
many_make() {
	local device=$1 count=$2 mib=$3 own=${4:-0} i policy slices=''

	for ((i = 1; i <= count; i++)); do
		slices+="slice$i,,,rw,0 $((mib << 11)) linear $device $(((i - 1) * (mib << 11)));"
		svc_mappings+=("slice$i")
	done
	svc_must dmsetup create --concise "$slices"
	# shellcheck disable=SC2016 # perl's variables
	svc_must perl -e 'symlink "/dev/mapper/slice$_", "vol$_" or die $! for 1 .. $ARGV[0]' "$count"
	data_random_file policy.key 32
	policy=$(</proc/sys/kernel/random/uuid)
	for ((i = 1; i <= count; i++)); do
		echo "create vol$i --size 2M --side-files" \
			"$([ $i -eq "$own" ] || echo "--policy $policy --policy-key-file policy.key")"
	done >lines
	svc_must "${svc_model:?}" batch lines >/dev/null
	svc_add_key vol1 >/dev/null
	[ "$own" -eq 0 ] || svc_add_key "vol$own" >/dev/null
}

# many_open COUNT
many_open() {
	local count=$1 i all=''

	for ((i = 1; i <= count; i++)); do
		all+="vol$i,SVCENC-1-$(<"vol$i.uuid")-vol$i,,rw,$(data_table "/dev/mapper/slice$i" "vol$i" 4096);"
		svc_mappings+=("vol$i")
		many_volumes+=("/dev/mapper/vol$i")
	done
	svc_must dmsetup create --concise "$all"
}
