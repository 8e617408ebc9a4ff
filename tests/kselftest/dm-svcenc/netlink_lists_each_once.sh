#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will ask netlink for all volumes again and again while they come
# DESCRIPTION: and go, the one that was described last among them, and while one has a
# DESCRIPTION: second table: each is listed once.
# RUNS: vm
# SET: quick

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"

# The mapped devices that netlink knows, as their major:minor.
listed() {
	"$svc_top/build/test/bin/svcenc-genl" devices | sed -n 's/.*DEVNO=\([0-9:]*\).*/\1/p' |
		sort | tr '\n' ' '
}

# Those that device-mapper knows.
mapped() {
	[ ${#svc_mappings[@]} -eq 0 ] || dmsetup info -c --noheadings --separator : -o major,minor \
		"${svc_mappings[@]}" | sort | tr '\n' ' '
}

svc_plan 8
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_make_volumes 3 "$SVC_TMP/vol" 1M 4096
for name in one two three; do
	number=$((${#svc_mappings[@]} + 1))
	svc_add_key "$SVC_TMP/vol$number" >/dev/null
	svc_open $name "$SVC_TMP/vol$number"
done
svc_is "three" "$(listed)" "$(mapped)"
svc_must dmsetup load one --table "$(svc_table "$SVC_TMP/vol1")"
svc_is "a second table that is not used yet is no volume" "$(listed)" "$(mapped)"
svc_must dmsetup resume one
svc_is "nor is the first once the second is used" "$(listed)" "$(mapped)"
# the newest come first: the oldest was the last that was described
svc_close two
svc_is "without the middle one" "$(listed)" "$(mapped)"
svc_close three
svc_is "only the oldest" "$(listed)" "$(mapped)"
svc_close one
svc_is "the last that was described is gone" "$(listed)" ""
svc_open one "$SVC_TMP/vol1"
svc_is "one again" "$(listed)" "$(mapped)"
svc_open two "$SVC_TMP/vol2"
svc_is "and another" "$(listed)" "$(mapped)"
svc_done
