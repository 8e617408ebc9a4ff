# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sets the stage for svcenc-dmfuzz: three volumes, one of them in use, their
# keys, a kernel that neither loads modules for made-up names nor shows every
# refusal on its console; and runs it, a slice at a time, so that a long run
# does not outgrow the kernel log.
#
# shellcheck disable=SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

readonly FUZZ_SLICE=5000 # cases; a refusal takes about 200 bytes of the log
fuzz_modprobe='' fuzz_printk='' fuzz_devices=()

fuzz_restore() {
	[ -z "$fuzz_modprobe" ] || echo "$fuzz_modprobe" >/proc/sys/kernel/modprobe
	[ -z "$fuzz_printk" ] || echo "$fuzz_printk" >/proc/sys/kernel/printk
	fuzz_modprobe='' fuzz_printk=''
}

fuzz_start() {
	local volume

	# shellcheck disable=SC2119 # our arguments are not the module's
	svc_load_module
	trap 'fuzz_restore >/dev/null 2>&1; svc_key_cleanup' EXIT
	cd "$SVC_TMP" || svc_bail "no scratch directory"
	svc_plan_volume steady
	svc_plan_volume victim
	svc_plan_volume fresh --fresh
	svc_make_planned
	truncate -s +8M victim
	sed 's/:1$/:2/' victim.desc >new.desc
	cp victim.uuid new.uuid
	cp victim.sectors new.sectors
	head -c 32 /dev/urandom >new.key
	fuzz_auth=$("$svc_model" rewrap-auth victim --policy-key-file victim.key \
		--to-version 2 --to-key-file new.key) || svc_bail "rewrap-auth: $fuzz_auth"
	for volume in steady victim fresh; do
		svc_attach $volume
		fuzz_devices+=("$svc_dev" "$volume")
		svc_add_key $volume 7200 >/dev/null
	done
	svc_open steady steady
	# only now: the ciphers may be modules
	fuzz_modprobe=$(</proc/sys/kernel/modprobe)
	fuzz_printk=$(</proc/sys/kernel/printk)
	echo >/proc/sys/kernel/modprobe
	echo 3 >/proc/sys/kernel/printk
}

# What the runner looks for in the log must be there at the end, too.
fuzz_keep_mark() {
	[ -z "$fuzz_mark" ] || echo "<5>$fuzz_mark" >/dev/kmsg
}

# fuzz_run CASES SEED [OPTION...]: one check for each slice.
fuzz_run() {
	local cases=$1 seed=$2 from slice

	shift 2
	fuzz_mark=$(dmesg | sed -n 's/.*\(dm-svcenc-vm: begin .*\)/\1/p' | tail -n 1)
	for ((from = 0; from < cases; from += FUZZ_SLICE)); do
		slice=$((cases - from < FUZZ_SLICE ? cases - from : FUZZ_SLICE))
		if ! "$svc_bin/svcenc-dmfuzz" --seed "$seed" --from $from --cases $slice "$@" \
			"${fuzz_devices[@]}" new "$fuzz_auth" >out 2>&1; then
			svc_fail "seed $seed, cases from $from: all in order"
			sed 's/^/# /' out
			return 1
		fi
		fuzz_keep_mark
		svc_pass "seed $seed, $slice cases from $from"
		sed 's/^/# /' out
	done
	svc_is "the steady volume has had no error" "$(svc_status steady 11) $(svc_status steady 12) $(svc_status steady 13) $(svc_status steady 14)" "0 0 0 0"
}

fuzz_end() {
	fuzz_restore
	svc_close steady
	svc_done
}
