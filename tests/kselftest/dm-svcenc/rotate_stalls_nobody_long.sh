#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write 4 KiB at a time, direct, at depth 1, all over a volume
# DESCRIPTION: of 284 MiB while it is rotated, and all over an open LUKS2 device of the
# DESCRIPTION: same size on the same disk while cryptsetup reencrypt works on it, with its
# DESCRIPTION: resilience modes: no write may stall for more than 100 ms in the rotation.
# DESCRIPTION: Prints the longest write of every 50 ms, for kernel/dm-svcenc/figures.
# DESCRIPTION: Arguments: MiB of the volume (default 284), modes (checksum journal),
# DESCRIPTION: writes per second (default 1000, 0: no limit).
# RUNS: vm
# VM: --plain --icount --mem 1200
# SET: long
# TIMEOUT: 100000

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_cost.sh
. "$(dirname "$0")/lib_cost.sh"

mib=${1:-284} modes=${2-checksum journal} per_second=${3:-1000}

luks() {
	cryptsetup "$@" --key-file pass
}

# NAME DEVICE: writes until finish_load, the longest of every 50 ms in NAME.log
begin_load() {
	fio --name=load --filename="$2" --direct=1 --bs=4k --rw=randwrite --ioengine=psync --size="${mib}M" \
		--norandommap --rate_iops="$per_second" --randseed=7 --time_based --runtime=3600 --clocksource=clock_gettime \
		--write_lat_log="$1" --log_avg_msec=50 --log_max_value=1 --eta=never >"$1.out" 2>&1 &
	load=$!
	sleep 1 # of load alone, for the figure
}

# NAME: the worst in $worst, in microseconds
finish_load() {
	sleep 1
	kill -INT $load
	wait $load # it says that it was interrupted
	grep -q 'err= 0' "$1.out" || svc_bail "fio: $(cat "$1.out")"
	awk -F ', *' -v name="$1" '{ printf "# plot %s %.3f %.3f\n", name, $1 / 1000, $2 / 1000000 }' "$1_lat.1.log"
	worst=$(awk -F ', *' '$2 > worst { worst = $2 } END { print int(worst / 1000) }' "$1_lat.1.log")
}

rotation() {
	begin_load rotation $above
	svc_ok "the rotation comes to its end under load" cost_rotate
	finish_load rotation
	svc_note "the longest park: $(svc_status alpha 19) us, of $(svc_status alpha 16)"
	svc_ok "rotate: the worst stall is $worst us" test "$worst" -le 100000
	ours=$worst
}

# MODE
reencrypt() {
	svc_must cost_awake luks luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--sector-size 4096 --cipher aes-xts-plain64 --key-size 512 /dev/mapper/small
	svc_must cost_awake luks open /dev/mapper/small other --disable-keyring
	begin_load "reencrypt-$1" /dev/mapper/other
	svc_must luks reencrypt -q --resilience "$1" --pbkdf-force-iterations 1000 \
		--pbkdf pbkdf2 --disable-locks --active-name other
	finish_load "reencrypt-$1"
	svc_must cryptsetup close other
	svc_ok "reencrypt, $1: the worst stall is $worst us, $((worst / ours)) times ours" test "$worst" -gt "$ours"
}

# shellcheck disable=SC2086 # a list of words
set -- $modes
svc_plan $((2 + $#))
data_start
svc_must modprobe -a dm-crypt aesni-intel xts
head -c 32 /dev/urandom >pass
cost_timer_disk 16 $((mib + 52))
data_make_on /dev/mapper/disk vol "${mib}M" 4096
cost_open alpha /dev/mapper/disk vol
rotation
svc_close alpha
# its data area is as large: the header takes 16 MiB, the rest is not used
data_map small "0 $(((mib + 16) << 11)) linear /dev/mapper/disk 0"
for mode; do
	reencrypt "$mode"
done
svc_close small
cost_timer_disks_off disk
svc_done
