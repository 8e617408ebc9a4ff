#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will put the udev rule to work under a real udev:
# DESCRIPTION: lsblk -f shows type and uuid of the device below a volume, links
# DESCRIPTION: by uuid appear and go, blkid's own findings win, and the mapped
# DESCRIPTION: volume gets its links and is ready for systemd.
# RUNS: vm-systemd
# SET: quick
# TIMEOUT: 240
# expect-log: svcenc|Buffer I/O error

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/../kselftest/dm-svcenc/lib.sh"
bin=${CLI_BIN:-$svc_top/build/bin}

# shellcheck disable=SC2119 # no module parameters
svc_load_module
mkdir -p /run/udev/rules.d
sed "s#/usr/libexec/svcenc/svcenc-probe#$bin/svcenc-probe#" \
	"$svc_top/agent/units/61-svcenc.rules" >/run/udev/rules.d/61-svcenc.rules
svc_must udevadm control --reload

settle() {
	udevadm settle --timeout 60
}

# fields DEVICE: type, uuid as udev knows them
fields() {
	settle
	lsblk -n -d -o FSTYPE,UUID "$1" | xargs
}

svc_make_volume "$SVC_TMP/vol" 16M 4096
svc_add_key "$SVC_TMP/vol" >/dev/null
svc_attach "$SVC_TMP/vol"
below=$svc_dev
uuid=$(<"$SVC_TMP/vol.uuid")
svc_is "lsblk -f knows the device below" "$(fields "$below")" "svcenc $uuid"
svc_is "usage and version" \
	"$(udevadm info -q property "$below" | grep -E '^ID_FS_(USAGE|VERSION)' | sort | xargs)" \
	"ID_FS_USAGE=crypto ID_FS_VERSION=1"
svc_is "link by uuid" "$(readlink -f "/dev/disk/by-uuid/$uuid")" "$below"

"$bin/svcenc" table "$below" 2>/dev/null >"$SVC_TMP/line"
svc_ok "opened" dmsetup create --uuid "SVCENC-1-$uuid-vol" vol "$SVC_TMP/line"
svc_is "the volume is empty" "$(fields /dev/mapper/vol)" ""
svc_is "TYPE of the volume" "$(lsblk -n -d -o TYPE /dev/mapper/vol)" svcenc
svc_ok "link by dm uuid" test -e "/dev/disk/by-id/dm-uuid-SVCENC-1-$uuid-vol"
svc_ok "systemd has the device" systemctl is-active dev-mapper-vol.device
svc_must mkfs.ext4 -q -U 11111111-2222-4333-8444-555555555555 /dev/mapper/vol
svc_is "a filesystem in it is seen" "$(fields /dev/mapper/vol)" \
	"ext4 11111111-2222-4333-8444-555555555555"
svc_is "the device below is still ours" "$(fields "$below")" "svcenc $uuid"

# A key that ended: udev's look at the volume fails, and hangs nobody.
svc_revoke_key "$SVC_TMP/vol"
svc_ok "an event for a locked volume" udevadm trigger --settle -c change /dev/mapper/vol
# shellcheck disable=SC2016 # for the inner shell
svc_ok "a suspended volume is left alone" sh -c '
	dmsetup suspend --noflush --nolockfs vol &&
	udevadm trigger --settle -c change /dev/mapper/vol; r=$?
	dmsetup resume vol; exit $r'
svc_ok "closed" dmsetup remove --retry vol
settle
svc_is "no device unit is left" "$(systemctl is-active dev-mapper-vol.device)" inactive

# Reformatted: the type goes with the header.
svc_must mkfs.ext4 -q -F "$below"
udevadm trigger --settle -c change "$below"
svc_is "mkfs over the header" "$(fields "$below" | cut -d ' ' -f 1)" ext4
svc_ok "the link is gone" test ! -e "/dev/disk/by-uuid/$uuid"
rm /run/udev/rules.d/61-svcenc.rules
udevadm control --reload
svc_done
