#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write the plaintexts of the AES-256 vectors of
# DESCRIPTION: IEEE 1619 annex B at the sectors that their data unit numbers
# DESCRIPTION: name and find their ciphertexts on the device below, and the
# DESCRIPTION: other way round.  The volume has the vectors' key, sectors of
# DESCRIPTION: 512 bytes, and is a sparse 1 PiB, as one number is 2^40 - 1.
# DESCRIPTION: Units of 4096 bytes are compared with python3-cryptography in
# DESCRIPTION: device_equals_model_both_ways.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

vectors=$svc_top/tests/vectors/xts-aes-256.txt

unhex() {
	perl -e 'print pack "H*", <STDIN>'
}

# Writes above, looks below; then puts the answer below and reads above.
check_vector() {
	local unit=$1 plain=$2 cipher=$3 below above=/dev/mapper/alpha

	below=$((data_header + unit * 512))
	printf '%s' "$plain" | unhex >plain
	printf '%s' "$cipher" | unhex >cipher
	svc_must dd if=plain of="$above" bs=512 seek="$unit" oflag=direct conv=notrunc status=none
	sync "$SVC_TMP/vol"
	svc_ok "unit $unit: ciphertext on the device below" \
		cmp <(data_bytes "$SVC_TMP/vol" "$below" 512) cipher
	svc_must dd if=/dev/zero of="$above" bs=512 seek="$unit" count=1 oflag=direct status=none
	svc_ok "unit $unit: gone again" \
		eval "! cmp -s <(data_bytes $SVC_TMP/vol $below 512) cipher"
	data_put "$svc_dev" "$below" <cipher
	svc_ok "unit $unit: reads as the plaintext" \
		cmp <(dd if="$above" bs=512 skip="$unit" count=1 iflag=direct status=none) plain
}

grep -v '^#' "$vectors" >list
key=$(cut -d ' ' -f 2 list | sort -u)
[ "$(wc -l <<<"$key")" -eq 1 ] || svc_bail "the vectors have more than one key"
svc_plan $((3 * $(wc -l <list)))
data_start
svc_make_volume "$SVC_TMP/vol" 1024T 512 --volume-key "$key"
svc_add_key "$SVC_TMP/vol" >/dev/null
svc_open alpha "$SVC_TMP/vol"
while read -r unit _ plain cipher; do
	check_vector "$unit" "$plain" "$cipher"
done <list
svc_close alpha
svc_done
