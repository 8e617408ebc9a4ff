#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let IMA measure a table and find identifiers, cipher and sizes
# DESCRIPTION: in its log, and no key.
# RUNS: vm
# VM: --append ima_policy=critical_data
# SET: quick
# TIMEOUT: 90

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
log=/sys/kernel/security/ima/ascii_runtime_measurements

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume" allow_discards
svc_ok "the kernel measures device-mapper" grep -q ' dm_table_load ' $log
hex=$(awk '$5 == "dm_table_load" { print $6 }' $log | tail -n 1 | sed 's/../\\x&/g')
printf '%b' "$hex" >"$SVC_TMP/measured"
svc_ok "what is measured is documented" grep -q -F "target_name=svcenc,target_version=1.1.0,volume_uuid=$(<"$volume.uuid"),key_description=$(<"$volume.desc"),epoch=0,cipher_string=aes-xts-plain64,key_size=64,sector_size=4096,allow_discards=y;" "$SVC_TMP/measured" ||
	sed 's/^/# /' "$SVC_TMP/measured"
hex=$(od -An -v -tx1 "$volume.key" | tr -d ' \n')
svc_is "the policy key is not in it" "$(grep -c -i -e "$hex" $log "$SVC_TMP/measured" | grep -v ':0$')" ""
dmesg >"$SVC_TMP/dmesg"
svc_is "nor in the kernel's log" "$(grep -c -i -F -e "${hex:0:16}" -e "${hex:48:16}" \
	-e "$(base64 -w 0 "$volume.key" | cut -c 1-20)" "$SVC_TMP/dmesg")" 0
svc_done
