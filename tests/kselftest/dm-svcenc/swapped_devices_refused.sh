#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will swap the devices, the keys and the tables of two volumes:
# DESCRIPTION: refused, nothing written, and what was mapped stays what it was.  And put
# DESCRIPTION: the header of each of four volumes of two tenants on each other one.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

a=$SVC_TMP/a b=$SVC_TMP/b

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_siblings "$a" "$SVC_TMP/c"
svc_plan_siblings "$b" "$SVC_TMP/d"
svc_make_planned
svc_add_key "$a" >/dev/null
svc_add_key "$b" >/dev/null
table_a=$(svc_table "$a") table_b=$(svc_table "$b")
svc_attach "$a"
dev_a=$svc_dev
svc_attach "$b"
dev_b=$svc_dev
before=$(svc_hash "$a")$(svc_hash "$b")
svc_expect_fail "volume uuid in the superblock is another one" \
	dmsetup create x --table "${table_a/$dev_a/$dev_b}"
svc_expect_fail "volume uuid in the superblock is another one" \
	dmsetup create x --table "${table_b/$dev_b/$dev_a}"
svc_expect_fail "superblock is protected by another policy key: $(<"$a.desc") is needed" \
	dmsetup create x --table "${table_a/$(<"$a.desc")/$(<"$b.desc")}"
dmsetup remove x
svc_is "nothing was written" "$(svc_hash "$a")$(svc_hash "$b")" "$before"

svc_note "a device that has a table already"
svc_open a "$a"
svc_must dd if=/dev/urandom of=/dev/mapper/a bs=4096 count=1 oflag=direct status=none
sum=$(dd if=/dev/mapper/a bs=4096 count=1 iflag=direct status=none | sha256sum)
svc_expect_fail "volume uuid in the superblock is another one" \
	dmsetup load a --table "${table_a/$dev_a/$dev_b}"
svc_must dmsetup load a --table "${table_a/$(<"$a.desc")/$(<"$b.desc")}"
dmsetup resume a
svc_is "with another volume's key it does no I/O" "$(svc_read_errno /dev/mapper/a)" "No such device"
svc_must dmsetup load a --table "$table_a"
svc_must dmsetup resume a
svc_is "with its own it works again" "$(dd if=/dev/mapper/a bs=4096 count=1 iflag=direct status=none | sha256sum)" "$sum"
svc_must dmsetup load a --table "$table_b"
svc_expect_fail "device-mapper uuid names another volume" dmsetup resume a
svc_must dmsetup load a --table "$table_a"
svc_must dmsetup resume a
svc_is "and so it does after another volume's table" "$(dd if=/dev/mapper/a bs=4096 count=1 iflag=direct status=none | sha256sum)" "$sum"
svc_close a

svc_note "the header of one volume on the device of another, with all keys there"
for to in a b c d; do
	table=$(svc_table "$SVC_TMP/$to")
	cp --sparse=always "$SVC_TMP/$to" "$SVC_TMP/whole"
	for from in a b c d; do
		[ "$from" != "$to" ] || continue
		svc_must dd if="$SVC_TMP/$from" of="$SVC_TMP/$to" bs=1M count=4 conv=notrunc status=none
		svc_expect_fail "volume uuid in the superblock is another one" \
			dmsetup create "$to" --table "$table"
		svc_ok "header of $from on $to: not a byte of it changed" \
			cmp -n $((4 << 20)) "$SVC_TMP/$from" "$SVC_TMP/$to"
	done
	svc_ok "$to: not a byte of the data changed" cmp -i $((4 << 20)) "$SVC_TMP/whole" "$SVC_TMP/$to"
	svc_must dd if="$SVC_TMP/whole" of="$SVC_TMP/$to" bs=1M count=4 conv=notrunc status=none
	svc_ok "$to: opens with its own header again" dmsetup create "$to" --table "$table"
	svc_must dmsetup remove --retry "$to"
done
svc_done
