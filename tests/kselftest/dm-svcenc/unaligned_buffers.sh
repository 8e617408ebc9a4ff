#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do direct I/O from buffers at every multiple of
# DESCRIPTION: 512 bytes in memory, with odd vectors, and from a buffer that
# DESCRIPTION: another thread changes all the time: what the disk then holds
# DESCRIPTION: decrypts, word by word, to something that was in the buffer, no
# DESCRIPTION: error is reported, and neighbours are untouched.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

check() {
	local name=v$1 sector=$1

	svc_add_key "$name" >/dev/null
	svc_open alpha "$name"
	svc_ok "$sector: skewed buffers" data_io align /dev/mapper/alpha "$sector"
	svc_note "$(cat "$SVC_TMP/output")"
	svc_must data_io touch /dev/mapper/alpha "$sector" 0x11 >/dev/null
	svc_ok "$sector: a buffer that changes under the write" \
		data_io scribble /dev/mapper/alpha "$sector" 200
	svc_note "$(cat "$SVC_TMP/output")"
	# the writes went to the 32 sectors behind the first 32
	svc_ok "$sector: neighbours are untouched" eval "[ \$(data_bytes /dev/mapper/alpha 0 $((32 * sector)) |
		tr -d '\\021' | wc -c) -eq 0 ] && [ \$(data_bytes /dev/mapper/alpha $((64 * sector)) 65536 |
		tr -d '\\021' | wc -c) -eq 0 ]"
	svc_is "$sector: no error is counted" \
		"$(svc_status alpha 12) $(svc_status alpha 13) $(svc_status alpha 14)" "0 0 0"
	svc_close alpha
	svc_detach "$name"
}

svc_plan 8
data_start
data_model "create v512 --size 4M --sector-size 512 --side-files" \
	"create v4096 --size 4M --sector-size 4096 --side-files" >/dev/null
check 512
check 4096
svc_done
