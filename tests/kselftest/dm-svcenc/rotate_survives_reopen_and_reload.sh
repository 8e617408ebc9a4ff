#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will close a volume in the midst of its rotation and open
# DESCRIPTION: it again, unload and load the module, suspend and resume, reload the
# DESCRIPTION: table, grow, freeze a filesystem, in both directions: the rotation goes
# DESCRIPTION: on by itself from where it was and ends with every byte right.
# RUNS: vm
# SET: quick
# TIMEOUT: 300

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

# Whatever happens, it does not begin anew.
not_less() {
	svc_ok "$1: it goes on from where it was" test "$(rotate_done)" -ge "$2"
}

closed_and_opened() {
	local moved

	rotate_begin
	moved=$(rotate_done)
	svc_close alpha
	svc_open alpha vol
	not_less "$1, reopened" "$moved"
	svc_ok "$1, reopened: it runs" rotate_is running
	rotate_ends "$1, reopened"
}

module_reloaded() {
	local moved

	rotate_begin
	moved=$(rotate_done)
	svc_close alpha
	svc_must keyctl clear "$svc_keyring"
	svc_must rmmod dm_svcenc
	svc_must insmod "$(svc_module_file)"
	svc_keyring=$(</sys/module/dm_svcenc/parameters/keyring)
	svc_add_key vol >/dev/null
	svc_open alpha vol
	not_less "$1, module reloaded" "$moved"
	rotate_ends "$1, module reloaded"
}

suspended() {
	local moved

	rotate_begin
	svc_must dmsetup suspend alpha
	svc_is "$1, suspended: it is held" "$(svc_status alpha 17)" held
	svc_expect_fail "rotate is not possible while suspended: resume first" dmsetup message alpha 0 rotate pause
	moved=$(rotate_done)
	sleep 0.5
	svc_is "$1, suspended: nothing moves" "$(rotate_done)" "$moved"
	svc_must dmsetup resume alpha
	svc_ok "$1, resumed: it runs" rotate_is running
	rotate_ends "$1, suspended and resumed"
}

table_reloaded() {
	local moved

	rotate_begin
	moved=$(rotate_done)
	svc_must dmsetup load alpha --table "$(svc_table vol allow_discards)"
	svc_must dmsetup resume alpha
	not_less "$1, table reloaded" "$moved"
	rotate_ends "$1, table reloaded"
}

grown() {
	local size

	size=$(($(<vol.sectors) + 4096))
	rotate_begin
	rotate_message rate 256 # on a slow machine the midst is short
	truncate -s +2M vol
	svc_must losetup -c "$svc_dev"
	echo $size >vol.sectors
	svc_must dmsetup load alpha --table "$(svc_table vol grow)"
	svc_must dmsetup resume alpha
	svc_ok "$1, grown: it runs" rotate_is running
	svc_is "$1, grown: the new sectors count" "$(svc_status alpha 6 | sed 's,.*/,,')" $size
	data_random_file more $((2 << 20))
	cat more >>data
	data_put $above $(((size - 4096) * 512)) <"more"
	rotate_before=$(sha256sum <data)
	rotate_before=${rotate_before%% *}
	svc_is "$1, grown: everything can be read" "$(rotate_contents)" "$rotate_before"
	rotate_ends "$1, grown"
}

svc_plan 43
data_start
rotate_volume 16M 4096
for direction in up down; do
	closed_and_opened $direction
done
for direction in up down; do
	module_reloaded $direction
done
for direction in up down; do
	suspended $direction
done
for direction in up down; do
	table_reloaded $direction
done
for direction in up down; do
	grown $direction
done
svc_is "as many rotations as were begun" "$(svc_status alpha 2)" 11
svc_done
