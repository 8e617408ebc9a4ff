#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let superblock writes of a rotation fail although they
# DESCRIPTION: are durable, fail and be decided by a rewrap, fail and be followed by the
# DESCRIPTION: end of the key: what is on disk is decided anew, the rotation ends, every
# DESCRIPTION: byte is right; who waited for the window gets the error of a locked volume
# DESCRIPTION: if the key ended.  An unlock does not resume what an error has halted.
# DESCRIPTION: Each in one direction; with the argument "all" in both, and either copy.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

mib=2048 # sectors

below_is() {
	data_swap below "$1"
}

healthy() {
	below_is "0 $size linear $svc_dev 0"
}

# START TARGET...: one MiB from there on has another target.
copy_on() {
	local start=$1

	shift
	below_is "$(
		[ "$start" -eq 0 ] || echo "0 $start linear $svc_dev 0"
		echo "$start $mib $*"
		echo "$((start + mib)) $((size - start - mib)) linear $svc_dev $((start + mib))"
	)"
}

# From now on every command of the SCSI disk is carried out and then fails (1),
# or not (0).
scsi_fails() {
	echo "$1" >/sys/bus/pseudo/drivers/scsi_debug/every_nth
}

scsi_disk() {
	local block

	svc_must modprobe sd_mod
	svc_must modprobe scsi_debug dev_size_mb=8 opts=0x10
	svc_wait 30 scsi_is_there || svc_bail "no SCSI disk"
	block=(/sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*)
	scsi=/dev/${block[0]##*/}
}

scsi_is_there() {
	compgen -G '/sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*'
}

resumed() {
	rotate_message rate 0
	rotate_message resume
	svc_ok "$1: resumed, it ends" svc_wait 60 rotate_is idle
	svc_is "$1: every byte is as before" "$(rotate_contents)" "$rotate_before"
}

# DEVICE: the seq of the superblock copy at its beginning
seq_on() {
	data_bytes "$1" 88 8 | od -A n -t u8 | tr -d ' '
}

# DIRECTION COPY
durable_but_failed() {
	local name="$1, copy $2" at=$(($2 == 1 ? 0 : 3))

	svc_must dd if="$svc_dev" of="$scsi" bs=1M skip=$at count=1 oflag=direct status=none
	copy_on $((at * mib)) linear "$scsi" 0
	rotate_begin
	scsi_fails 1
	svc_ok "$name: it halts" svc_wait 60 rotate_is superblock-error
	scsi_fails 0
	svc_ok "$name: what failed is on the disk, the status does not say so" \
		test "$(seq_on "$scsi")" -gt "$(svc_status alpha 5)"
	svc_is "$name: everything can be read" "$(rotate_contents)" "$rotate_before"
	resumed "$name"
	svc_must dmsetup suspend alpha
	svc_must dd if="$scsi" of="$svc_dev" bs=1M seek=$at count=1 oflag=direct conv=notrunc status=none
	healthy
	svc_must dmsetup resume alpha
}

# The same, but it is closed instead of resumed: what is on the disk counts.
durable_and_closed() {
	local name="$1, closed"

	svc_must dd if="$svc_dev" of="$scsi" bs=1M count=1 oflag=direct status=none
	copy_on 0 linear "$scsi" 0
	rotate_begin
	scsi_fails 1
	svc_ok "$name: it halts" svc_wait 60 rotate_is superblock-error
	scsi_fails 0
	svc_close alpha
	data_open alpha /dev/mapper/below vol
	svc_ok "$name: it goes on, and ends" svc_wait 60 rotate_is idle
	svc_is "$name: every byte is as before" "$(rotate_contents)" "$rotate_before"
	svc_close alpha
	svc_must dd if="$scsi" of="$svc_dev" bs=1M count=1 oflag=direct conv=notrunc status=none
	healthy
	data_open alpha /dev/mapper/below vol
}

halted_by_superblock() {
	rotate_begin
	copy_on 0 flakey "$svc_dev" 0 0 3600 1 error_writes
	svc_wait 60 rotate_is superblock-error || svc_bail "it does not halt: $(dmsetup status alpha)"
	healthy
}

# The authorisation is made by the model, which knows the keys.
decided_by_rewrap() {
	local auth new policy

	policy=$(</proc/sys/kernel/random/uuid)
	new=svcenc:$policy:1
	echo "$new" >other.desc
	head -c 32 /dev/urandom >other.key
	svc_add_key other >/dev/null
	halted_by_superblock
	svc_must dmsetup message alpha 0 unlock "$(<vol.desc)"
	svc_is "$1: an unlock of what is not locked does not resume it" "$(svc_status alpha 17)" superblock-error
	auth=$("$svc_model" rewrap-auth vol --policy-key-file vol.key --to-policy "$policy" --to-version 1 --to-key-file other.key)
	svc_ok "$1: a rewrap decides" dmsetup message alpha 0 rewrap "$new" "$auth"
	svc_is "$1: it is halted all the same" "$(svc_status alpha 17)" superblock-error
	svc_revoke_key vol
	mv other.desc vol.desc
	mv other.key vol.key
	svc_is "$1: everything can be read" "$(rotate_contents)" "$rotate_before"
	resumed "$1, rewrapped"
}

write_until_it_fails() {
	while dd if=data of="$above" bs=1M oflag=direct conv=notrunc status=none; do :; done
}

# Writes of the superblock take 2 s, then they fail; the key ends meanwhile.
key_ends() {
	local parked

	rotate_begin
	parked=$(svc_status alpha 16)
	copy_on 0 delay /dev/mapper/dead 0 0 /dev/mapper/dead 0 2000
	data_background load write_until_it_fails
	svc_wait 30 has_parked "$parked" || svc_bail "no write waits: $(dmsetup status alpha)"
	svc_revoke_key vol
	svc_is "$1, key ended: who waited is told" "$(data_finished load 60)" 0
	svc_ok "$1, key ended: that the volume is locked" grep -q 'No such device' load.out
	svc_wait 30 rotate_is locked
	healthy
	svc_add_key vol >/dev/null
	svc_must dmsetup message alpha 0 unlock "$(<vol.desc)"
	svc_ok "$1, unlocked: it runs" rotate_is running
	rotate_ends "$1, key ended"
}

has_parked() {
	[ "$(svc_status alpha 16)" -gt "$1" ]
}

svc_plan $(($# > 0 ? 48 : 19))
data_start
svc_must modprobe dm-delay
scsi_disk
svc_make_volume vol 8M 4096 --spare 1M
svc_add_key vol >/dev/null
svc_attach vol
size=$(data_sectors "$svc_dev")
data_map dead "0 $mib error"
data_map below "0 $size linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
data_random_file data $((8 << 20))
svc_must dd if=data of=$above bs=1M oflag=direct status=none
rotate_before=$(rotate_contents)
# rotations alternate
durable_but_failed up 1
durable_and_closed down
decided_by_rewrap up
key_ends down
if [ $# -gt 0 ]; then
	durable_but_failed up 2
	durable_but_failed down 1
	durable_and_closed up
	durable_but_failed down 2
	key_ends up
	decided_by_rewrap down
fi
svc_close alpha
svc_close below
svc_close dead
svc_must rmmod scsi_debug sd_mod
svc_done
