# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# More helpers, for tests about data and about the device below: mappings
# under and over a volume, one svcenc table on any device, what lies where on
# the disk, random data, fio.  Sources lib.sh; meant for a throw-away VM.
#
#   . "$(dirname "$0")/lib_data.sh"
#   data_start
#   svc_make_volume "$SVC_TMP/vol" 16M 4096
#   svc_add_key "$SVC_TMP/vol" >/dev/null
#   svc_attach "$SVC_TMP/vol"
#   data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
#   data_open alpha /dev/mapper/below "$SVC_TMP/vol"

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data_bin=$svc_top/build/test/bin
# shellcheck disable=SC2034 # for the tests
data_header=$((4 << 20)) # bytes before the data area
cd "$SVC_TMP" || exit 1 # fio writes where it stands

data_io() {
	"$data_bin/svcenc-io" "$@"
}

# First of all: the module, and are the programs there?
data_start() {
	local name

	for name in svcenc-io svcenc-fsx; do
		[ -x "$data_bin/$name" ] || svc_bail "$data_bin/$name is not built (make kselftest)"
	done
	# shellcheck disable=SC2119 # our arguments are not the module's
	svc_load_module
}

data_sectors() {
	blockdev --getsz "$1"
}

# Where sysfs keeps the queue of /dev/mapper/NAME.
data_queue() {
	echo "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/queue"
}

# --- mappings

# data_map NAME TABLE: a mapping of any kind, removed at the end of the test.
data_map() {
	svc_must dmsetup create "$1" --table "$2"
	svc_mappings+=("$1")
}

# data_swap NAME TABLE: another table, I/O in flight finishes first.
data_swap() {
	svc_must dmsetup load "$1" --table "$2"
	svc_must dmsetup resume "$1"
}

# data_table DEVICE FILE SECTORS [OPTION...]
data_table() {
	local device=$1 file=$2 sectors=$3

	shift 3
	printf '0 %s svcenc %s %s %s' "$sectors" "$device" "$(<"$file.uuid")" "$(<"$file.desc")"
	[ $# -eq 0 ] || printf ' %d %s' $# "$*"
	echo
}

# data_try_open NAME DEVICE FILE [OPTION...]: FILE names the companions only.
data_try_open() {
	local name=$1 device=$2 file=$3 status

	shift 3
	dmsetup create "$name" --uuid "SVCENC-1-$(<"$file.uuid")-$name" \
		--table "$(data_table "$device" "$file" "$(<"$file.sectors")" "$@")"
	status=$?
	[ "$status" -ne 0 ] || return 0
	! dmsetup info "$name" >/dev/null 2>&1 || dmsetup remove --retry "$name"
	return "$status"
}

data_open() {
	data_try_open "$@" >"$SVC_TMP/output" 2>&1 ||
		svc_bail "cannot open $*: $(cat "$SVC_TMP/output") $(dmesg | tail -n 3)"
	svc_mappings+=("$1")
}

# data_make_on DEVICE FILE SIZE SECTOR_SIZE [MODEL_OPTION...]: a volume on a
# block device; FILE becomes a link to it, with companions.
data_make_on() {
	local device=$1 file=$2 size=$3 sector_size=$4

	shift 4
	ln -s "$device" "$file"
	svc_must "$svc_model" create "$file" --size "$size" --sector-size "$sector_size" \
		--side-files "$@" >/dev/null
}

# --- what lies where

# data_model BATCHLINE...: commands of the model, one start of Python.
data_model() {
	printf '%s\n' "$@" >"$SVC_TMP/batch"
	"$svc_model" batch "$SVC_TMP/batch"
}

data_random_file() {
	head -c "$2" /dev/urandom >"$1"
}

# data_bytes FILE OFFSET LENGTH: to stdout.
data_bytes() {
	dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" bs=64k status=none
}

# data_put FILE OFFSET: stdin to there; writes through, does not truncate.
data_put() {
	dd of="$1" oflag=seek_bytes seek="$2" bs=64k conv=notrunc,fsync status=none
}

data_hash() {
	local sum

	sum=$(data_bytes "$@" | sha256sum) && echo "${sum%% *}"
}

data_is_zero() {
	data_bytes "$@" | tr -d '\0' | head -c 1 | wc -c | grep -q -x 0
}

# --- load

# Defaults for every fio run; it stops at the first wrong byte.
data_fio() {
	timeout -k 5 "${DATA_FIO_LIMIT:-240}" fio --name=load --ioengine=libaio --iodepth=16 \
		--randseed="${SEED:-20240501}" --bssplit=4k/50:16k/20:64k/20:256k/10 \
		--verify_state_save=0 --verify_fatal=1 --group_reporting \
		--eta=never "$@"
}

# data_fio_verify TARGET_OPTIONS...: random reads and writes, all verified.
data_fio_verify() {
	data_fio --rw=randrw --rwmixread=30 --verify=crc32c --verify_backlog=128 "$@"
}

# data_background NAME COMMAND...: output to NAME.out, status to NAME.status.
data_background() {
	local name=$1

	shift
	rm -f "$SVC_TMP/$name.status"
	(
		"$@" >"$SVC_TMP/$name.out" 2>&1
		echo $? >"$SVC_TMP/$name.status"
	) &
}

# data_finished NAME SECONDS: its exit status, or "hangs".
data_finished() {
	if svc_wait "$2" test -s "$SVC_TMP/$1.status"; then
		cat "$SVC_TMP/$1.status"
	else
		echo hangs
	fi
}

# data_io_flows NAME: waits until a volume's reads and writes have risen.
data_io_flows() {
	local start

	start=$(($(svc_status "$1" 7) + $(svc_status "$1" 8)))
	svc_wait 60 data_bios_above "$1" $((start + 50)) || svc_bail "no I/O flows on $1"
}

data_bios_above() {
	[ $(($(svc_status "$1" 7) + $(svc_status "$1" 8))) -ge "$2" ]
}
