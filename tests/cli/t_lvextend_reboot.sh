#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will extend the logical volume (on LUKS2) below a mounted volume,
# DESCRIPTION: reboot the machine in the midst of a rotation, find the volume opened through
# DESCRIPTION: /etc/svcenctab at its old size with the same files, its rotation going on by
# DESCRIPTION: itself until it is complete, and grow volume and filesystem to the new size.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 600
#
# Without an argument it runs on the host and boots one machine twice; the
# halves of the story are its functions "before" and "after", in the VM.

set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd -P)
export LVM_SUPPRESS_FD_WARNINGS=1
luks_key=/etc/provider.key sums=/var/lib/svcenc-test.sums rotated=/var/lib/svcenc-test.rotated mnt=/srv/data

trap 'echo "Bail out! line $LINENO: $BASH_COMMAND"' ERR

# holds NAME COMMAND...: a check; the first that fails ends the test.
holds() {
	local name=$1

	shift
	if ! "$@"; then
		echo "not ok - $name: $*"
		[ ! -d /run/systemd/system ] || journalctl -b --no-pager -u 'svcenc*' | tail -n 30
		exit 1
	fi
	echo "ok - $name"
}

size_mib() {
	echo $(($(blockdev --getsize64 "$1") >> 20))
}

files_are_the_same() {
	(cd $mnt && sha256sum --quiet -c $sums)
}

# wait_until SECONDS COMMAND...
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# rotation MEMBER: of the volume
rotation() {
	svcenc status data --json | jq -r ".volume.rotation.$1"
}

rotation_has_moved() {
	[ "$(rotation state)" = running ] && [ "$(rotation 'done')" -gt 0 ]
}

rotation_went_on() {
	rotation_is_complete || [ "$(rotation 'done')" -ge "$(<$rotated)" ]
}

rotation_is_complete() {
	[ "$(svcenc status data --json | jq -r '.volume.epoch')" = 2 ]
}

# --- first boot

lvm_on_luks() {
	(umask 077 && head -c 64 /dev/urandom >$luks_key)
	cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vda $luks_key
	cryptsetup open --key-file $luks_key /dev/vda provider
	echo "provider /dev/vda $luks_key luks" >>/etc/crypttab
	vgcreate -q vg0 /dev/mapper/provider
	lvcreate -q -W n -n data -L 48M vg0
}

installed() {
	tar -C "$top/build/stage" -c . | tar -C / --keep-directory-symlink -x
	systemd-sysusers
	systemd-tmpfiles --create svcenc.conf
	systemctl daemon-reload
	udevadm control --reload
	systemctl enable -q svcencd svcenc.target
	systemctl start svcencd
}

before() {
	lvm_on_luks
	installed
	svcenc tenant create alpha
	svcenc format data /dev/vg0/data --tenant alpha --spare 4M
	svcenc open data
	holds "the volume has what 48 MiB leave beside header and spare" test "$(size_mib /dev/mapper/data)" -eq 40
	mkfs.ext4 -q /dev/mapper/data
	mkdir $mnt
	mount /dev/mapper/data $mnt
	cp -r "$top/kernel/dm-svcenc" $mnt/
	head -c 12M /dev/urandom >$mnt/random
	(cd $mnt && find . -type f -print0 | xargs -0 sha256sum) >$sums
	holds "there are files" test "$(wc -l <$sums)" -gt 30
	lvextend -q -L 96M vg0/data
	holds "the device below is larger" test "$(size_mib /dev/vg0/data)" -eq 96
	holds "the volume is as it was" test "$(size_mib /dev/mapper/data)" -eq 40
	echo "data /dev/vg0/data alpha/provider" >/etc/svcenctab
	svcenc rotate data --rate 512K
	holds "a rotation is in its midst" wait_until 60 rotation_has_moved
	rotation 'done' >$rotated
	sync
}

# --- second boot

after() {
	holds "the volume is open after the reboot" wait_until 120 test -b /dev/mapper/data
	holds "by the unit of its line in svcenctab" wait_until 60 systemctl -q is-active svcenc@data
	svcenc status data
	holds "it is active" grep -q '"state": "active"' <(svcenc status data --json)
	holds "its rotation goes on from where it was, or has ended" rotation_went_on
	holds "in its old size" test "$(size_mib /dev/mapper/data)" -eq 40
	mount /dev/mapper/data $mnt
	holds "the files are the same" files_are_the_same
	holds "its rotation ends by itself" wait_until 120 rotation_is_complete
	holds "the files are the same" files_are_the_same
	svcenc volume resize data
	holds "resize: the volume has the new room" test "$(size_mib /dev/mapper/data)" -eq 88
	resize2fs /dev/mapper/data
	holds "the filesystem, too" test "$(df --output=size -B 1M $mnt | tail -n 1)" -gt 70
	holds "the files are the same" files_are_the_same
	head -c 36M /dev/urandom >$mnt/more # more than there was room for
	(cd $mnt && sha256sum ./more) >>$sums
	umount $mnt
	svcenc close data
	svcenc open data
	holds "closed and opened again: the size stays" test "$(size_mib /dev/mapper/data)" -eq 88
	holds "fsck has nothing to say" fsck.ext4 -fn /dev/mapper/data
	mount /dev/mapper/data $mnt
	holds "the files are the same, the new one, too" files_are_the_same
	umount $mnt
	svcenc close data
	systemctl stop svcenc@data svcencd
	vgchange -q -an vg0
	cryptsetup close provider
}

# --- on the host

boot() {
	"$top/tests/vm/run" --init systemd --timeout 240 --keep-state "$scratch/root:512M" \
		--disk "$scratch/disk:512M" "${@:2}" "$top/tests/cli/t_lvextend_reboot.sh" "$1" | tee "$scratch/said"
	holds "boot \"$1\" came to its end" grep -q -x "end of $1" "$scratch/said"
}

host() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-lvextend.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	"$top/tools/demo.d/stage"
	boot before --no-checks # what it leaves open, the next is to find again
	boot after
	echo "took $SECONDS s"
}

case ${1:-} in
'') host ;;
before | after)
	"$1"
	echo "end of $1"
	;;
*) exit 2 ;;
esac
