#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will fill volumes through the independent model and
# DESCRIPTION: read them through the kernel, then write at random places and
# DESCRIPTION: sizes through the kernel (direct, vectored and buffered; first,
# DESCRIPTION: last and straddling sectors) and decrypt with the model: equal
# DESCRIPTION: byte for byte, for sectors of 512 and 4096 bytes, with the data
# DESCRIPTION: in the low and in the high place.
# RUNS: vm
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

variants="512-low:1M 512-high:1M 4096-low:4M 4096-high:4M" # the model is slow here

# NAME, SECTOR_SIZE, PLACE, SIZE of each variant in turn
each_variant() {
	local variant name

	for variant in $variants; do
		name=${variant%:*}
		"$@" "$name" "${name%-*}" "${name#*-}" "${variant#*:}"
	done
}

# shellcheck disable=SC2317 # called through each_variant
prepare() {
	data_random_file "$1.plain" "$(numfmt --from=iec "$4")"
	cp "$1.plain" "$1.shadow"
	echo "create $1 --size $4 --sector-size $2 --place $3 --plaintext $1.plain --side-files" >>create
	echo "decrypt $1 --policy-key-file $1.key" >>decrypt
}

# shellcheck disable=SC2317 # called through each_variant
through_kernel() {
	svc_add_key "$1" >/dev/null
	svc_open "$1" "$1"
	svc_ok "$1: written by the model, reads equal through the kernel" cmp "$1.plain" "/dev/mapper/$1"
	svc_ok "$1: random I/O, everything reads back" \
		data_io mix "/dev/mapper/$1" "$1.shadow" "$2" 300 "$((RANDOM))"
	svc_note "$(cat "$SVC_TMP/output")"
	svc_close "$1"
	svc_detach "$1"
}

# shellcheck disable=SC2317 # called through each_variant
compare() {
	local size

	size=$(stat -c %s "$1.shadow")
	svc_ok "$1: written through the kernel, the model decrypts the same" \
		cmp <(data_bytes model.out "$at" "$size") "$1.shadow"
	svc_ok "$1: and it is not the old data" eval "! cmp -s $1.plain $1.shadow"
	at=$((at + size))
}

svc_plan 16
data_start
each_variant prepare
svc_must "$svc_model" batch create >/dev/null
each_variant through_kernel
"$svc_model" batch decrypt >model.out || svc_bail "the model does not decrypt"
at=0
each_variant compare
svc_done
