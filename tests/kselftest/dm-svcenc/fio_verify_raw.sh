#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will run fio with verification on raw volumes with
# DESCRIPTION: sectors of 512 and 4096 bytes: random reads and writes of 4 to
# DESCRIPTION: 256 KiB, direct and buffered, and read everything back after a
# DESCRIPTION: reopen.  Argument: MiB per volume (default 12).
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

mib=${1:-12}

# NAME; what was written is compared again after the volume was closed.
check() {
	local name=$1 direct=$2 target="--filename=/dev/mapper/$1 --size="${mib}M" --direct=$2"

	# shellcheck disable=SC2086 # options
	svc_ok "$name, direct=$direct: random I/O verifies" data_fio_verify $target
	# shellcheck disable=SC2086
	svc_ok "$name, direct=$direct: everything written anew" data_fio --rw=randwrite \
		--verify=crc32c --do_verify=0 $target
	svc_close "$name"
	svc_open "$name" "$name"
	# shellcheck disable=SC2086
	svc_ok "$name, direct=$direct: verifies after a reopen" data_fio --rw=randwrite \
		--verify=crc32c --verify_only $target
}

svc_plan 15
svc_log_mark
data_start
svc_must "$svc_model" batch <(for sector in 512 4096; do
	echo "create $SVC_TMP/v$sector --size ${mib}M --sector-size $sector --side-files"
done) >/dev/null
for sector in 512 4096; do
	svc_add_key "v$sector" >/dev/null
	svc_open "v$sector" "v$sector"
	check "v$sector" 1
	check "v$sector" 0
	svc_is "v$sector: no read error" "$(svc_status "v$sector" 12)" 0
	svc_close "v$sector"
	svc_detach "v$sector"
	rm "v$sector"
done
svc_ok "the kernel log has no I/O error" eval '! svc_log_since_mark | grep -i "I/O error"'
svc_done
