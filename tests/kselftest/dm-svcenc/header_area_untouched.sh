#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write every logical sector of volumes with the
# DESCRIPTION: data in the low and in the high place and compare what does not
# DESCRIPTION: belong to them: header, spare, bytes behind: not one changed.
# DESCRIPTION: Reads and writes behind the last sector fail.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

size=$((6 << 20)) spare=$((2 << 20)) behind=$((3 << 20))

# NAME, SECTOR_SIZE, first byte of data on the device, of the spare
check() {
	local name=$1 sector=$2 start=$3 spare_start=$4

	data_random_file "$name.noise" $spare
	data_put "$name" "$spare_start" <"$name.noise"
	head -c $behind /dev/urandom >>"$name"
	cp "$name" before
	svc_add_key "$name" >/dev/null
	svc_open alpha "$name"
	svc_ok "$name: every sector is written" data_io touch /dev/mapper/alpha "$sector" 0xff
	svc_ok "$name: nothing behind the last sector" data_io beyond /dev/mapper/alpha "$sector"
	svc_close alpha
	svc_detach "$name"
	svc_ok "$name: header is untouched" cmp -n $data_header "$name" before
	svc_ok "$name: spare is untouched" cmp -i "$spare_start" -n $spare "$name" before
	svc_ok "$name: what lies behind is untouched" \
		cmp -i $((data_header + size + spare)) "$name" before
	svc_is "$name: every 512 bytes of the data area changed" \
		"$(unchanged "$start")" 0
}

# Pieces of 512 bytes of the data area that are as before.
unchanged() {
	perl -e 'open A, "<", $ARGV[0]; open B, "<", "before"; $n = 0;
		seek A, $ARGV[1], 0; seek B, $ARGV[1], 0;
		for (1 .. $ARGV[2] / 512) { read A, $a, 512; read B, $b, 512; $n++ if $a eq $b }
		print $n' "$name" "$1" $size
}

batch_lines() {
	for sector in 512 4096; do
		for place in low high; do
			echo "create $place$sector --size $size --spare $spare --place $place" \
				"--sector-size $sector --side-files"
		done
	done
}

svc_plan 24
data_start
batch_lines >lines
svc_must "$svc_model" batch lines >/dev/null
for sector in 512 4096; do
	check low$sector $sector $data_header $((data_header + size))
	check high$sector $sector $((data_header + spare)) $data_header
done
svc_done
