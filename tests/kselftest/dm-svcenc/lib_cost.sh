# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What something costs, in instructions: for a guest under --icount, in which
# one instruction takes one virtual nanosecond.  Time in which the processor
# was idle (waiting for the file system of the host, a timer) is taken off, by
# the kernel's own account of it.  Sources lib_rotate.sh.

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_rotate.sh"

# While such a guest is idle its clock jumps to the next timer; the files of the
# host come at their own pace.  What waits for them with a limit then hears that
# its time is over: the crypto API for a module, after 60 s.  So it is not idle.
cost_awake() {
	local spinner status

	chrt --idle 0 bash -c 'while :; do :; done' &
	spinner=$!
	"$@"
	status=$?
	kill "$spinner"
	wait "$spinner" 2>/dev/null
	return $status
}

# cost_open NAME DEVICE FILE: adds the key of FILE and opens it as NAME.
cost_open() {
	cost_awake svc_add_key "$3" >/dev/null
	cost_awake data_open "$@"
}

cost_busy() {
	awk '/^now at/ { now = $3 }
		$1 == ".idle_sleeptime" { idle = $3 }
		END { printf "%.0f", now - idle }' /proc/timer_list
}

# cost_of UNITS COMMAND...: instructions per unit, in $cost.
cost_of() {
	local units=$1 start

	shift
	start=$(cost_busy)
	svc_must "$@"
	cost=$((($(cost_busy) - start) / units))
}

# A RAM disk of MIB, all of its pages there; one of another test has another size.
cost_ram_disk() {
	modprobe -q -r brd
	svc_must modprobe brd rd_nr=1 rd_size=$(($1 << 10))
	svc_must dd if=/dev/zero of=/dev/ram0 bs=1M count="$1" oflag=direct status=none
}

# cost_null_disk NAME MIB MEMORY_BACKED: /dev/NAME, completes by a timer, after
# 10 us.
cost_null_disk() {
	local dir=/sys/kernel/config/nullb/$1 pair

	mkdir "$dir" || svc_bail "no null_blk"
	for pair in size="$2" memory_backed="$3" queue_mode=2 irqmode=2 completion_nsec=10000 power=1; do
		echo "${pair#*=}" >"$dir/${pair%%=*}" || svc_bail "null_blk: $pair"
	done
}

# cost_timer_disk HEAD_MIB REST_MIB [NAME]: as /dev/mapper/NAME (disk).  What is
# behind the head is kept nowhere and reads as anything: a copy would be the
# processor's work, an instruction for each byte, where a disk has DMA.
cost_timer_disk() {
	local name=${3:-disk}

	svc_must modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || svc_must mount -t configfs configfs /sys/kernel/config
	cost_null_disk "null$name-head" "$1" 1
	cost_null_disk "null$name-rest" "$2" 0
	data_map "$name" "0 $(($1 << 11)) linear /dev/null$name-head 0
$(($1 << 11)) $(($2 << 11)) linear /dev/null$name-rest 0"
}

# cost_timer_disks_off NAME...: all that there are.
cost_timer_disks_off() {
	local name

	for name; do
		svc_close "$name"
		svc_must rmdir /sys/kernel/config/nullb/"null$name"-{head,rest}
	done
	svc_must umount /sys/kernel/config
	svc_must rmmod null_blk
}

# Rotates alpha as a whole; ends with the event that it is complete.
cost_rotate() {
	cost_programs "$(dmsetup info -c --noheadings -o events alpha)" start
}

# The same programs without a rotation: alpha has had an event before.
cost_nothing() {
	cost_programs $(($(dmsetup info -c --noheadings -o events alpha) - 1)) rate 0
}

cost_programs() {
	local event=$1

	shift
	dmsetup message alpha 0 rotate "$@" && dmsetup wait alpha "$event" && rotate_is idle
}

# cost_of_rotation MIB: instructions per 4 KiB of a volume of that size, in
# $cost; without what the programs take that start it and wait for its end.
cost_of_rotation() {
	local whole

	cost_of 1 cost_rotate
	whole=$cost
	cost_of 1 cost_nothing
	cost=$(((whole - cost) / ($1 << 8)))
}
