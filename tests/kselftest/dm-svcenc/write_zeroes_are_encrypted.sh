#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will zero a range with BLKZEROOUT and show that the
# DESCRIPTION: volume reads as zeroes there while the device below holds the
# DESCRIPTION: ciphertext of zeroes: no plain zeroes, nothing unmapped.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

at=$((5 << 20)) len=$((3 << 20))

svc_plan 9
data_start
svc_make_volume vol 16M 4096
svc_add_key vol >/dev/null
svc_open alpha vol allow_discards
svc_must data_io touch /dev/mapper/alpha 4096 0xa5
cp vol before
svc_is "write-zeroes is not offered" "$(<"$(data_queue alpha)/write_zeroes_max_bytes")" 0
svc_ok "BLKZEROOUT succeeds" data_io zeroout /dev/mapper/alpha $at $len
svc_ok "the range reads as zeroes" data_is_zero /dev/mapper/alpha $at $len
svc_close alpha
svc_detach vol
svc_is "no sector below is all zeroes" "$(data_bytes vol $((data_header + at)) $len |
	perl -e '$n = 0; while (read STDIN, $s, 512) { $n++ unless $s =~ /[^\0]/ } print $n')" 0
svc_ok "the first sector below changed" \
	eval "! cmp -s -n 512 -i $((data_header + at)) vol before"
svc_ok "the last sector below changed" \
	eval "! cmp -s -n 512 -i $((data_header + at + len - 512)) vol before"
svc_ok "what lies before is untouched" cmp -n $((data_header + at)) vol before
svc_ok "what lies behind is untouched" cmp -i $((data_header + at + len)) vol before
svc_ok "the model decrypts zeroes" cmp -n $len /dev/zero \
	<("$svc_model" decrypt vol --policy-key-file vol.key --offset $at --length $len)
svc_done
