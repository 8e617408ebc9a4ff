# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers of the tests with injected failures, on top of the kernel tests' own:
# is the kernel able to, volumes for svcenc-nth, one line of figures per
# operation.  Whatever is switched on is switched off at the end.
#
# shellcheck disable=SC2034,SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"
# shellcheck source=tests/uml/fault/lib_memory.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_memory.sh"

fault_start() {
	local name

	if ! mountpoint -q "$fault_fs"; then
		svc_must mount -t debugfs debugfs "$fault_fs"
	fi
	for name in failslab fail_page_alloc fail_make_request; do
		[ -d "$fault_fs/$name" ] ||
			svc_bail "this kernel has no $name: run it with tests/uml/run"
	done
	# shellcheck disable=SC2119 # our arguments are not the module's
	svc_load_module
	trap 'fault_stop >/dev/null 2>&1; svc_key_cleanup' EXIT
}

# No more faults, and the settings of a kernel just booted.
fault_stop() {
	local name file

	for name in failslab fail_page_alloc fail_make_request; do
		echo 0 >"$fault_fs/$name/probability"
		echo 1 >"$fault_fs/$name/interval"
		echo 1 >"$fault_fs/$name/times"
		echo 0 >"$fault_fs/$name/space"
		echo 2 >"$fault_fs/$name/verbose"
		echo N >"$fault_fs/$name/task-filter"
	done
	echo N >"$fault_fs/failslab/cache-filter"
	echo Y >"$fault_fs/failslab/ignore-gfp-wait"
	echo Y >"$fault_fs/fail_page_alloc/ignore-gfp-wait"
	echo Y >"$fault_fs/fail_page_alloc/ignore-gfp-highmem"
	echo 1 >"$fault_fs/fail_page_alloc/min-order"
	for file in /sys/block/*/make-it-fail; do
		echo 0 >"$file"
	done
}

# Volumes for every operation: keyed and fresh, room to grow, a key to rewrap
# to with its authorisation.  Sets keyed, fresh, new, auth.
fault_volumes() {
	keyed=$SVC_TMP/keyed fresh=$SVC_TMP/fresh new=$SVC_TMP/new
	svc_plan_volume "$keyed" --spare 1M
	svc_plan_volume "$fresh" --fresh
	svc_make_planned
	truncate -s +8M "$keyed"
	sed 's/:1$/:2/' "$keyed.desc" >"$new.desc"
	cp "$keyed.uuid" "$new.uuid"
	cp "$keyed.sectors" "$new.sectors"
	head -c 32 /dev/urandom >"$new.key"
	auth=$("$svc_model" rewrap-auth "$keyed" --policy-key-file "$keyed.key" \
		--to-version 2 --to-key-file "$new.key") || svc_bail "rewrap-auth: $auth"
	auth=${auth##* }
	svc_attach "$keyed"
	keyed_dev=$svc_dev
	svc_attach "$fresh"
	fresh_dev=$svc_dev
}

# points MODE OPERATION [STEP]: every fault of that mode in turn, or every
# STEPth.  One check, whose name is the figures.
points() {
	local mode=$1 operation=$2 step=${3:-1} arguments=("$keyed_dev" "$keyed" "$new" "$auth")

	[ "$operation" != initialize ] || arguments=("$fresh_dev" "$fresh")
	if "$svc_bin/svcenc-nth" -s "$step" "$mode" "$operation" "${arguments[@]}" >"$SVC_TMP/points" 2>&1; then
		svc_pass "$mode: $(cat "$SVC_TMP/points")"
	else
		svc_fail "$mode: $operation"
		sed 's/^/# /' "$SVC_TMP/points"
		dmesg | tail -n 20 | sed 's/^/# log: /'
		dmsetup remove --retry --force svcenc-nth >/dev/null 2>&1
	fi
}
