#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will show that a volume offers no discards unless its
# DESCRIPTION: table says allow_discards, that with it exactly the right sectors
# DESCRIPTION: are punched below (low and high place), that fstrim of a mounted
# DESCRIPTION: ext4 loses nothing, and that nothing is offered over a device
# DESCRIPTION: that cannot discard.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

# A loop device on tmpfs punches holes, and a hole reads as zeroes.
# shellcheck disable=SC2317 # called through svc_ok and the like
hole_is_exact() {
	local file=$1 start=$2 at=$((1 << 20)) len=$((1 << 20))

	data_is_zero "$file" $((start + at)) "$len" &&
		cmp -n $((start + at)) "$file" before &&
		cmp -i $((start + at + len)) "$file" before
}

refused_without_option() {
	local hash

	svc_open plain low
	svc_is "without the option nothing is offered" "$(<"$(data_queue plain)/discard_max_bytes")" 0
	hash=$(svc_hash low)
	svc_ok "without the option a discard is refused" eval "! blkdiscard /dev/mapper/plain"
	svc_is "and not a byte of the device changed" "$(svc_hash low)" "$hash"
	svc_is "no discard was counted" "$(svc_status plain 10)" 0
	svc_close plain
}

# PLACE, first byte of logical sector 0
right_sectors() {
	cp "$1" before
	svc_open trim "$1" allow_discards
	svc_ok "$1: a discard is taken" blkdiscard -o 1M -l 1M /dev/mapper/trim
	svc_ok "$1: the hole below is exactly there" hole_is_exact "$1" "$2"
	svc_ok "$1: it was counted" test "$(svc_status trim 10)" -ge 1
	svc_ok "$1: what lies before still decrypts" cmp -n $((1 << 20)) plain.data /dev/mapper/trim
	svc_ok "$1: what lies behind still decrypts" \
		cmp -i $((2 << 20)) -n $((1 << 20)) plain.data /dev/mapper/trim
	svc_close trim
}

under_ext4() {
	svc_open trim low allow_discards
	svc_must mkfs.ext4 -q -E nodiscard /dev/mapper/trim
	mkdir mnt
	svc_must mount -o discard /dev/mapper/trim mnt
	head -c 5M /dev/urandom >mnt/gone
	head -c 5M /dev/urandom | tee mnt/stays | sha256sum >sum
	sync
	rm mnt/gone
	svc_ok "fstrim of a mounted ext4" fstrim mnt
	svc_ok "it discarded" test "$(svc_status trim 10)" -ge 1
	svc_must umount mnt
	svc_must mount /dev/mapper/trim mnt
	svc_is "a file beside it is whole" "$(sha256sum <mnt/stays)" "$(<sum)"
	svc_must umount mnt
	svc_close trim
}

nothing_below() {
	svc_must modprobe brd rd_nr=1 rd_size=16384
	svc_must dd if=ram of=/dev/ram0 bs=1M conv=fsync status=none
	svc_add_key ram >/dev/null
	svc_is "the device below cannot discard" "$(</sys/block/ram0/queue/discard_max_bytes)" 0
	data_open flat /dev/ram0 ram allow_discards
	svc_is "then the volume does not offer it either" \
		"$(<"$(data_queue flat)/discard_max_bytes")" 0
	svc_close flat
	svc_must rmmod brd
}

svc_plan 19
data_start
data_random_file plain.data $((3 << 20)) # the model is slow here
data_model "create low --size 16M --plaintext plain.data --side-files" \
	"create high --size 16M --plaintext plain.data --place high --side-files" \
	"create ram --size 8M --side-files" >/dev/null
svc_add_key low >/dev/null
svc_add_key high >/dev/null
refused_without_option
right_sectors low "$data_header"
right_sectors high $((data_header + (1 << 20)))
under_ext4
nothing_below
svc_done
