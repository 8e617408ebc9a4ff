#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let the header area fail while a volume is opened
# DESCRIPTION: with initialize, with a stale copy to repair, and with
# DESCRIPTION: a copy unreadable, keyed or fresh: each is refused in clear
# DESCRIPTION: words, no I/O has happened, and with the device healthy again the
# DESCRIPTION: same command (or the one named) works.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha

healthy() {
	data_swap below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
}

# COPY, MODE: writes to that copy's MiB fail, or also reads (mode "all")
sick() {
	local start=$((($1 - 1) * 3 * 2048)) mode="1 error_writes" size

	[ "${2:-}" != all ] || mode=''
	size=$(data_sectors "$svc_dev")
	data_swap below "$(
		[ "$start" -eq 0 ] || echo "0 $start linear $svc_dev 0"
		echo "$start 2048 flakey $svc_dev $start 0 3600 $mode"
		echo "$((start + 2048)) $((size - start - 2048)) linear $svc_dev $((start + 2048))"
	)"
}

# FILE: attaches it below
use() {
	svc_attach "$1"
	if dmsetup info below >/dev/null 2>&1; then
		healthy
	else
		data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
	fi
}

refused() {
	local text=$1 file=$2

	shift 2
	svc_expect_fail "$text" data_try_open alpha /dev/mapper/below "$file" "$@"
}

# NAME, FILE, OPTION...: it opens, and what is written stays
opens() {
	local name=$1 file=$2

	shift 2
	svc_ok "$name" data_try_open alpha /dev/mapper/below "$file" "$@" || return
	head -c 65536 /dev/urandom >data
	svc_ok "$name: data holds" eval "dd if=data of=$above bs=64k oflag=direct status=none &&
		dd if=$above bs=64k count=1 iflag=direct status=none | cmp - data"
	svc_must dmsetup remove --retry alpha
	svc_is "$name: both copies are equal" "$(data_hash "$file" 0 4096)" "$(data_hash "$file" $((3 << 20)) 4096)"
}

words="superblock could not be written"

initialize_copy1() {
	use fresh1
	sick 1
	refused "$words" fresh1 initialize
	healthy
	svc_expect_fail "the volume has no key yet: open it once with 'initialize'" \
		data_try_open alpha /dev/mapper/below fresh1
	svc_ok "copy 1 failed: then it initializes" data_try_open alpha /dev/mapper/below fresh1 initialize
	svc_must dmsetup remove --retry alpha
}

initialize_copy2() {
	use fresh2
	sick 2
	refused "$words" fresh2 initialize
	healthy
	refused "volume has a key already: open it without 'initialize'" fresh2 initialize
	opens "copy 2 failed: it opens without initialize" fresh2
}

# Copy 2 is garbage and cannot be rewritten: no I/O on one copy.
repair() {
	use old
	svc_must dd if=/dev/urandom of=old bs=4096 seek=768 count=1 conv=notrunc status=none
	sick 2
	refused "stale superblock copy could not be rewritten" old
	healthy
	opens "stale copy: repaired on a healthy device" old
}

# Copy 1 cannot be read either: copy 2 tells what to do.
unreadable() {
	use old
	sick 1 all
	refused "stale superblock copy could not be rewritten" old
	healthy
	opens "unreadable copy: opens on a healthy device" old
}

# The other copy may hold a key: what is fresh must not be taken for all there is.
unreadable_fresh() {
	local text="one superblock copy was never keyed and the other cannot be read: I/O errors below, try again"

	use fresh3
	sick 1 all
	refused "$text" fresh3 initialize
	refused "$text" fresh3
	healthy
	sick 2 all
	refused "$text" fresh3 initialize
	healthy
	opens "fresh, unreadable copy: initializes on a healthy device" fresh3 initialize
}

svc_plan 22
data_start
svc_must modprobe dm-flakey
data_model "create fresh1 --size 8M --fresh --side-files" \
	"create fresh2 --size 8M --fresh --side-files" \
	"create fresh3 --size 8M --fresh --side-files" \
	"create old --size 8M --side-files" >/dev/null
for file in fresh1 fresh2 fresh3 old; do
	svc_add_key $file >/dev/null
done
initialize_copy1
initialize_copy2
repair
unreadable
unreadable_fresh
svc_done
