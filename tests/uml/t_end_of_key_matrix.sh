#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will end a key in each of six ways in each of ten situations: idle,
# DESCRIPTION: under reads, under writes, suspended, while it resumes, reloads, is removed,
# DESCRIPTION: the module unloads, the device below fails, and unlock is tried all the time.
# DESCRIPTION: I/O fails from then on, nothing hangs, and with the key back the volume opens,
# DESCRIPTION: with its contents.  The kernel watches.
# RUNS: uml
# SET: long
# TIMEOUT: 400

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

ways='revoke unlink clear invalidate lease timeout'
situations='idle reads writes suspend resume reload remove unload failing unlock'
volume=$SVC_TMP/one
above=/dev/mapper/one
cells=0

# --- a cell's beginning and end

# A linear device below the volume, so that it can be made to fail.
below() {
	local kind=$1

	svc_attach "$volume"
	case $kind in
	linear) echo "0 $(blockdev --getsz "$svc_dev") linear $svc_dev 0" ;;
	error) echo "0 $(blockdev --getsz "$svc_dev") error" ;;
	esac
}

swap_below() {
	svc_must dmsetup load below --table "$(below "$1")"
	svc_must dmsetup suspend --noflush --nolockfs below
	svc_must dmsetup resume below
}

table() {
	echo "0 $(<"$volume.sectors") svcenc /dev/mapper/below $(<"$volume.uuid") $(<"$volume.desc")"
}

open_one() {
	svc_must dmsetup create one --uuid "SVCENC-1-$(<"$volume.uuid")-one" --table "$(table)"
}

first_block() {
	dd if=$above bs=4096 count=1 iflag=direct status=none | sha256sum
}

# --- ways: each returns when its bound is over, so that what follows counts

# shellcheck disable=SC2317 # called through svc_wait
gone() {
	! "$svc_bin/svcenc-genl" keys | grep -q -F "$(<"$volume.desc")"
}

end_by() {
	case $1 in
	revoke) svc_must keyctl revoke "$serial" ;;
	unlink) svc_must keyctl unlink "$serial" "$svc_keyring" ;;
	clear) svc_must keyctl clear "$svc_keyring" ;;
	invalidate) svc_must keyctl invalidate "$serial" ;;
	lease) svc_must "$svc_bin/svcenc-genl" lease "$(<"$volume.desc")" 1 ;;
	timeout) svc_must keyctl timeout "$serial" 1 ;;
	esac
}

# --- situations: what goes on while the key ends

tries_to_unlock() {
	local end=$((SECONDS + 2))

	while [ "$SECONDS" -lt "$end" ]; do
		dmsetup message one 0 unlock "$(<"$volume.desc")"
	done
}

begin() {
	racer=''
	case $1 in
	reads) svc_load_begin $above --threads 1 --max-bytes 16384 --reads 100 ;;
	writes) svc_load_begin $above --threads 1 --max-bytes 16384 --reads 0 ;;
	suspend) svc_must dmsetup suspend one ;;
	resume)
		svc_must dmsetup suspend one
		dmsetup resume one &
		;;
	reload)
		svc_must dmsetup load one --table "$(table)"
		dmsetup resume one &
		;;
	remove) dmsetup remove --retry one & ;;
	unload)
		svc_must dmsetup remove --retry one
		rmmod dm_svcenc &
		;;
	failing)
		svc_load_begin $above --threads 1 --max-bytes 16384
		swap_below error
		;;
	unlock) tries_to_unlock & ;;
	esac >"$SVC_TMP/racer" 2>&1
	case $1 in
	resume | reload | remove | unload | unlock) racer=$! ;;
	esac
	case $1 in
	reads | writes) svc_load_sees ok || svc_bail "no I/O flows before the end" ;;
	esac
}

# What was started comes to an end by itself; how is said by the checks.
end_racer() {
	[ -z "$racer" ] || wait "$racer"
	racer=''
}

# shellcheck disable=SC2317 # called through svc_wait
is_locked() {
	[ "$(svc_status one 1)" = locked ] &&
		[ "$(svc_read_errno "$above")" = "No such device" ]
}

# --- what must hold after it

after() {
	local situation=$1

	case $situation in
	suspend) svc_must dmsetup resume one ;;
	failing) swap_below linear ;;
	esac
	if [ -n "$svc_load_pid" ]; then
		svc_load_sees failed || return 1
		svc_load_end
		[ "$fact_wrong" -eq 0 ] || return 1
	fi
	case $situation in
	remove) [ ! -e $above ] && open_again ;;
	unload) reload_module && open_again ;;
	# the key may have ended before the table came to life: then there is none
	*) { svc_wait 5 is_locked && unlock_again; } || { closed_for_want_of_key && open_again; } ;;
	esac
}

closed_for_want_of_key() {
	[ -n "$suspended_is_fine" ] && dmsetup info one | grep -q 'State: *SUSPENDED' &&
		dmsetup remove --retry one
}

# rmmod lost the race when the key's end held the module: then it is still there.
reload_module() {
	if [ -d /sys/module/dm_svcenc ]; then
		svc_must rmmod dm_svcenc
	fi
	svc_must insmod "$(svc_module_file)"
	svc_keyring=$(</sys/module/dm_svcenc/parameters/keyring)
}

unlock_again() {
	serial=$(svc_add_key "$volume")
	dmsetup message one 0 unlock "$(<"$volume.desc")" && first_block >"$SVC_TMP/now"
}

open_again() {
	serial=$(svc_add_key "$volume")
	open_one
	first_block >"$SVC_TMP/now"
}

cell() {
	local way=$1 situation=$2

	suspended_is_fine=''
	case $situation in resume | reload) suspended_is_fine=1 ;; esac
	serial=$(svc_add_key "$volume")
	open_one
	svc_must dd if=/dev/urandom of=$above bs=4096 count=1 oflag=direct status=none
	first_block >"$SVC_TMP/before"
	begin "$situation"
	# the racing module may be gone, and the key with it
	if [ "$situation" = unload ]; then
		end_by "$way" >/dev/null 2>&1 || :
	else
		end_by "$way"
		svc_wait 5 gone || return 1
	fi
	end_racer
	after "$situation" || return 1
	case $situation in
	writes | failing) ;; # wrote over it
	*) cmp -s "$SVC_TMP/before" "$SVC_TMP/now" || return 1 ;;
	esac
	svc_must dmsetup remove --retry one
	svc_must keyctl clear "$svc_keyring"
	svc_wait 5 gone
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_must dmsetup create below --table "$(below linear)"
svc_mappings+=(below one)
for situation in $situations; do
	for way in $ways; do
		cells=$((cells + 1))
		cell "$way" "$situation" >"$SVC_TMP/cell" 2>&1
		status=$?
		[ $status -eq 0 ] || sed 's/^/# /' "$SVC_TMP/cell"
		svc_note "$(awk '{ print $1 }' /proc/uptime)"
		svc_is "$way while $situation" $status 0 || break 2
	done
done
svc_is "cells" $cells 60
svc_done
