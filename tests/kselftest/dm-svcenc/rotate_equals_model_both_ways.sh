#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will stop volumes in the middle of a rotation: by the
# DESCRIPTION: independent model, then the kernel must read every byte of them
# DESCRIPTION: and finish; by the kernel, under random I/O, then the model must
# DESCRIPTION: decrypt them to the same bytes.  Both directions, sectors of 512
# DESCRIPTION: and 4096 bytes.
# RUNS: vm
# SET: quick
# TIMEOUT: 300
#
# shellcheck disable=SC2016,SC2317 # called, and expanded, by others

# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

size=$((1 << 20)) # the model is slow here
variants="512-low-1032 512-high-1500 4096-low-1032 4096-high-1024"

prepare() {
	local name sector_size place mark

	for name in $variants; do
		IFS=- read -r sector_size place mark <<<"$name"
		data_random_file "$name.plain" $size
		# the model's, the kernel's
		echo "create $name --size $size --sector-size $sector_size --place $place \
			--watermark $mark --plaintext $name.plain --side-files"
		echo "create own-$name --size $size --sector-size $sector_size --place $place \
			--plaintext $name.plain --side-files"
	done >create
	svc_must "$svc_model" batch create >/dev/null
}

total() {
	svc_status alpha 6
}

stopped_by_model() {
	local name=$1

	svc_add_key "$name" >/dev/null
	svc_open --readonly alpha "$name"
	svc_is "$name: read-only, its rotation is held" "$(svc_status alpha 17)" held
	svc_ok "$name: read-only, every byte is as the model wrote it" cmp "$name.plain" $above
	svc_close alpha
	svc_open alpha "$name"
	svc_ok "$name: opened, every byte is as the model wrote it" cmp "$name.plain" $above
	svc_ok "$name: the rotation ends" svc_wait 60 rotate_is idle
	svc_is "$name: the epoch is the next one" "$(svc_status alpha 2)" 2
	svc_close alpha
	svc_detach "$name"
	echo "decrypt $name --policy-key-file $name.key" >>decrypt
	cat "$name.plain" >>wanted
}

stopped_by_kernel() {
	local name=own-$1 shadow=$1.plain sector_size=${1%%-*}

	svc_add_key "$name" >/dev/null
	svc_open alpha "$name"
	rotate_message rate 128
	rotate_message start
	svc_ok "$name: random I/O meanwhile, everything reads back" \
		data_io mix $above "$shadow" "$sector_size" 200 "$((RANDOM))"
	svc_wait 30 eval '[ "$(rotate_done)" -gt 0 ]'
	rotate_message pause
	svc_ok "$name: it pauses" svc_wait 30 rotate_is paused
	svc_note "stopped at $(total) sectors"
	svc_ok "$name: in the middle" rotate_in_the_midst_of $((size / 512))
	svc_close alpha
	svc_detach "$name"
	echo "decrypt $name --policy-key-file $name.key" >>decrypt
	cat "$shadow" >>wanted
}

rotate_in_the_midst_of() {
	[ "$(rotate_done)" -gt 0 ] && [ "$(rotate_done)" -lt "$1" ]
}

compare() {
	local name at=0

	"$svc_model" batch decrypt >got || svc_bail "the model does not decrypt"
	for name in $variants; do
		svc_ok "$name: finished by the kernel, the model decrypts the same" \
			cmp <(data_bytes got $at $size) <(data_bytes wanted $at $size)
		at=$((at + size))
	done
	for name in $variants; do
		svc_ok "own-$name: stopped by the kernel, the model decrypts the same" \
			cmp <(data_bytes got $at $size) <(data_bytes wanted $at $size)
		at=$((at + size))
	done
}

data_start
prepare
for name in $variants; do
	stopped_by_model "$name"
done
for name in $variants; do
	stopped_by_kernel "$name"
done
compare
svc_done
