#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will swap the devices, the keys and the tables of two volumes:
# DESCRIPTION: refused, nothing written, and what was mapped stays what it was.
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
svc_plan_volume "$a"
svc_plan_volume "$b"
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
svc_done
