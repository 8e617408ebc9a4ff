# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is compared, and on what: devices below, stacks of targets above, and
# the cells of a table, each a load of one kind on one stack.  For a guest under
# --icount, where time is instructions.  Knows no limit and no wanted figure.
# Sources lib_cost.sh.
#
#	cells_start
#	cells_below brd
#	cells_stack svcenc
#	cells_load svcenc write seq 4096 32	# in $cell: instructions per I/O
#	cells_unstack

# shellcheck source=tests/kselftest/dm-svcenc/lib_cost.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tests/kselftest/dm-svcenc/lib_cost.sh"

cells_module=$svc_top/build/bench/module/svcenc-bench.ko
cells_jobs=/sys/kernel/debug/svcenc-bench/jobs
cells_mib=44   # of the device below
cells_span=16  # MiB of it that the load goes over
cells_dev=''   # the device below
cells_top=''   # the device that the load runs on
cells_names=() # mappings of the stack, lowest first

# shellcheck disable=SC2034 # for those who run all of them
cells_stacks=(linear crypt crypt-nowq svcenc
	crypt/crypt crypt-nowq/crypt-nowq svcenc/crypt svcenc/crypt-nowq)

cells_start() {
	data_start
	svc_must modprobe -a dm-crypt aesni-intel xts
	[ -e "$cells_module" ] || svc_bail "$cells_module is not built (make bench-module)"
	mountpoint -q /sys/kernel/debug || svc_must mount -t debugfs debugfs /sys/kernel/debug
	svc_must insmod "$cells_module"
	trap cells_exit EXIT
}

# shellcheck disable=SC2317 # called by a trap
cells_exit() {
	svc_cleanup
	rmmod svcenc_bench
} >/dev/null 2>&1

# --- below

# cells_null IRQMODE [NANOSECONDS]: a null_blk device with memory that completes
# in softirq (1) or by timer (2), after that time.
cells_null() {
	local dir=/sys/kernel/config/nullb/nullb0

	svc_must modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || svc_must mount -t configfs configfs /sys/kernel/config
	svc_must mkdir "$dir"
	echo 1 >"$dir/memory_backed"
	echo 4096 >"$dir/blocksize"
	echo $cells_mib >"$dir/size"
	echo 2 >"$dir/queue_mode"
	echo "$1" >"$dir/irqmode"
	echo "${2:-10000}" >"$dir/completion_nsec"
	echo 1 >"$dir/power"
	cells_dev=/dev/nullb0
}

# cells_below brd|null-softirq|null-timer: all of it written once, so that its
# own page allocation is in no figure.
cells_below() {
	case $1 in
	brd)
		cost_ram_disk $cells_mib
		cells_dev=/dev/ram0
		return
		;;
	null-softirq) cells_null 1 ;;
	null-timer) cells_null 2 ;;
	*) svc_bail "no such device below: $1" ;;
	esac
	svc_must dd if=/dev/zero of=$cells_dev bs=1M count=$cells_mib oflag=direct status=none
}

cells_remove_below() {
	case $1 in
	brd) svc_must rmmod brd ;;
	*)
		svc_must rmdir /sys/kernel/config/nullb/nullb0
		svc_must rmmod null_blk
		;;
	esac
}

# --- stacks

cells_key() {
	od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n'
}

# cells_layer KIND: one more mapping on top of what is there.
cells_layer() {
	local name=bench${#cells_names[@]} sectors below=$cells_top options

	sectors=$(data_sectors "$below")
	case $1 in
	linear) svc_must dmsetup create "$name" --table "0 $sectors linear $below 0" ;;
	crypt | crypt-nowq)
		options='1 sector_size:4096'
		[ "$1" = crypt ] || options='3 sector_size:4096 no_read_workqueue no_write_workqueue'
		cost_awake svc_must dmsetup create "$name" --table \
			"0 $sectors crypt aes-xts-plain64 $(cells_key) 0 $below 0 $options"
		;;
	svcenc) cells_svcenc "$name" "$below" ;;
	*) svc_bail "no such layer: $1" ;;
	esac
	cells_names+=("$name")
	cells_top=/dev/mapper/$name
}

# A new volume each time: other stacks have written over the last one.
cells_svcenc() {
	rm -f vol*
	data_make_on "$2" vol $((cells_mib - 12))M 4096 --spare 1M
	cost_awake svc_add_key vol >/dev/null
	cost_awake svc_must dmsetup create "$1" --uuid "SVCENC-1-$(<vol.uuid)-$1" \
		--table "$(data_table "$2" vol "$(<vol.sectors)")"
}

# cells_stack UPPER/LOWER or ONE: on the device below; "none": nothing at all.
cells_stack() {
	local layers i

	cells_top=$cells_dev
	[ "$1" != none ] || return 0
	IFS=/ read -r -a layers <<<"$1"
	for ((i = ${#layers[@]} - 1; i >= 0; i--)); do
		cells_layer "${layers[i]}"
	done
	svc_mappings=("${cells_names[@]}")
}

cells_unstack() {
	local i

	for ((i = ${#cells_names[@]} - 1; i >= 0; i--)); do
		svc_must dmsetup remove --retry "${cells_names[i]}"
	done
	cells_names=() svc_mappings=() cells_top=''
}

# --- cells

# cells_run JOB...: at the same time; their results, one a line.  A set is one
# write, and bash would make more of a long one.
cells_run() {
	printf '%s\n' "$@" >"$SVC_TMP/jobs"
	exec {cells_fd}<>"$cells_jobs" || svc_bail "no $cells_jobs"
	dd if="$SVC_TMP/jobs" bs=64K status=none >&"$cells_fd" ||
		svc_bail "$*: $(dmesg | tail -n 1)"
	cat <&"$cells_fd"
	exec {cells_fd}>&-
}

# cells_result LINE NAME: one value of a line of results.
cells_result() {
	local value=${1#*"$2="}

	echo "${value%% *}"
}

# How many I/Os of so many bytes are worth counting: a deep queue must fill.
cells_ios() {
	local ios=$(((4 << 20) / $1))

	[ $ios -ge $((2 * $2)) ] || ios=$((2 * $2))
	[ $ios -ge 8 ] || ios=8
	echo $ios
}

# cells_load RW ORDER BYTES DEPTH: instructions per I/O of the stack, in $cell.
cells_load() {
	local job="rw=$1 order=$2 bytes=$3 depth=$4 span=$((cells_span << 20)) dev=$cells_top" result ios

	ios=$(cells_ios "$3" "$4")
	# once before, for what is only paid for the first time: pages for so many
	# I/Os at once
	cells_run "$job ios=$(($4 + 16))" >/dev/null
	result=$(cells_run "$job ios=$ios")
	[ "$(cells_result "$result" error)" = 0 ] || svc_bail "$job: $result"
	# shellcheck disable=SC2034 # for the callers
	cell=$((($(cells_result "$result" ns) - $(cells_result "$result" idle_ns)) / ios))
}

# cells_cipher encrypt|decrypt BYTES: AES-256-XTS alone, in $cell.
cells_cipher() {
	cells_top=none
	cells_load "$1" seq "$2" 1
}
