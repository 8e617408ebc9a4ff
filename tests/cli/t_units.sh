#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run the agent and a volume of /etc/svcenctab as
# DESCRIPTION: systemd units, in their whole confinement: the first start, a
# DESCRIPTION: mount that pulls its volume in, a restart of the agent under the
# DESCRIPTION: mount, external vault workers, one of them with a network (a key vault,
# DESCRIPTION: emulated), and the way down.
# RUNS: vm-systemd
# VM: --disk 64M
# SET: quick
# TIMEOUT: 300
# expect-log: svcenc|Buffer I/O error

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/akv/lib_akv.sh
. "$svc_top/tests/akv/lib_akv.sh"
bin=${CLI_BIN:-$svc_top/build/bin}
units=$svc_top/agent/units

# shellcheck disable=SC2119 # no module parameters
svc_load_module

# shellcheck disable=SC2317 # called through svc_must
install_all() {
	install -d /usr/libexec/svcenc /etc/systemd/system-generators
	install -m 755 "$bin/svcencd" "$bin/svcenc" /usr/sbin/ &&
		install -m 755 "$bin"/svcenc-vault-* "$bin/svcenc-probe" /usr/libexec/svcenc/ &&
		install -m 755 "$bin/svcenc-generator" /usr/lib/systemd/system-generators/ &&
		install -m 644 "$units"/*.service "$units"/*.target /usr/lib/systemd/system/ &&
		install -m 644 "$units/61-svcenc.rules" /usr/lib/udev/rules.d/ &&
		install -m 644 "$units/sysusers.conf" /usr/lib/sysusers.d/svcenc.conf &&
		install -m 644 "$units/tmpfiles.conf" /usr/lib/tmpfiles.d/svcenc.conf &&
		systemd-sysusers svcenc.conf && systemd-tmpfiles --create svcenc.conf &&
		udevadm control --reload && systemctl daemon-reload
}
svc_must install_all

why() {
	systemctl status --no-pager -l "$@" | sed 's/^/# /'
	journalctl --no-pager -n 30 | sed 's/^/# /'
}

svc_ok "svcencd starts in its confinement" systemctl start svcencd.service || why svcencd.service
svc_is "and says that it is ready" "$(systemctl is-active svcencd.service)" active
svc_ok "format" svcenc format data-1 /dev/vda || why svcencd.service
udevadm settle
svc_is "udev knows the device" "$(lsblk -n -d -o FSTYPE /dev/vda)" svcenc

echo "data-1 UUID=$(lsblk -n -d -o UUID /dev/vda) default/provider discard" >/etc/svcenctab
install -d /srv/data
echo '/dev/mapper/data-1 /srv/data ext4 noauto 0 0' >>/etc/fstab
svc_must systemctl daemon-reload
svc_ok "svcenc.target opens it" systemctl start svcenc.target ||
	why 'svcenc@data\x2d1.service' svcencd.service
svc_is "the volume is active" "$(svcenc status data-1 --json | jq -r .volume.state)" active
svc_is "with discards" "$(dmsetup table data-1 | cut -d ' ' -f 7-)" "1 allow_discards"
svc_must mkfs.ext4 -q /dev/mapper/data-1
svc_ok "closed by its unit" systemctl stop 'svcenc@data\x2d1.service'
svc_is "it is gone" "$(svcenc status data-1 --json | jq -r .volume.state)" closed

svc_ok "a mount pulls it in" systemctl start srv-data.mount || why srv-data.mount
svc_ok "it is mounted" mountpoint -q /srv/data
echo kept >/srv/data/file
pid=$(systemctl show -P MainPID svcencd.service)
svc_ok "the agent restarts under it" systemctl restart svcencd.service
svc_is "it is another process" "$([ "$(systemctl show -P MainPID svcencd.service)" != "$pid" ] && echo yes)" yes
svc_is "the unit of the volume stayed" "$(systemctl is-active 'svcenc@data\x2d1.service')" active
svc_ok "the data is there" grep -q kept /srv/data/file
svc_ok "and can be written" sh -c 'dd if=/dev/zero of=/srv/data/more bs=1M count=4 conv=fsync'
svc_is "closing it is refused, busy" "$(svcenc close data-1 >/dev/null 2>&1; echo $?)" 5

# The same vault under systemd instead of the agent.
printf '[vault]\ntype = file\nstart = external\n' >/etc/svcenc/vaults.d/b.conf
svc_ok "external worker starts" systemctl start svcenc-vault@b.service || why svcenc-vault@b.service
svc_must systemctl restart svcencd.service
svc_ok "and serves" svc_wait 60 svcenc vault test b || why svcenc-vault@b.service svcencd.service

# A vault with a network, in its unit: a credential of systemd's, and the whole
# confinement around name look-up, TLS and seccomp.
printf '127.0.0.1 %s\n' kv1.vault.localhost login.localhost >>/etc/hosts
akv_start "$SVC_TMP/akv"
svc_must akv secret app s3cret
svc_must akv grant app kv1 unwrapKey,get
svc_must akv key kv1 root
install -m 644 "$SVC_TMP/akv/ca.pem" /etc/svcenc/ca.pem
(umask 077 && echo s3cret >/etc/svcenc/kv.secret)
{
	akv_settings kv1 secret | grep -v -e ^start -e ^user -e ^ca_file
	printf 'ca_file = /etc/svcenc/ca.pem\ntest_key = root\n'
} >/etc/svcenc/vaults.d/kv.conf
install -d /etc/systemd/system/svcenc-vault-akv@kv.service.d
printf '[Service]\nLoadCredential=secret:/etc/svcenc/kv.secret\n' \
	>/etc/systemd/system/svcenc-vault-akv@kv.service.d/credential.conf
svc_must systemctl daemon-reload
svc_ok "worker of a key vault starts" systemctl start svcenc-vault-akv@kv.service || why svcenc-vault-akv@kv.service
svc_must systemctl restart svcencd.service
svc_ok "and serves" svc_wait 60 svcenc vault test kv || why svcenc-vault-akv@kv.service svcencd.service
svc_is "all its processes under a user of its own" "$(ps -o user:32= -C svcenc-vault-akv | sort | uniq -c | awk '{ print $1, $2 }')" "9 svcenc-vault-net"
akv_stop

# The way down, and the ordering that a shutdown follows.
# systemctl quotes names with a backslash, hence the dots.
blockdev='blockdev@dev-mapper-data.*x2d1\.target'
svc_ok "the mount comes after blockdev@" grep -q "$blockdev" <(systemctl show -P After srv-data.mount)
svc_ok "and the volume before it" \
	grep -q "$blockdev" <(systemctl show -P Before 'svcenc@data\x2d1.service')
svc_ok "unmounted" systemctl stop srv-data.mount
svc_ok "closed" systemctl stop 'svcenc@data\x2d1.service'
svc_is "no device is left" "$(dmsetup ls --target svcenc)" "No devices found"
svc_ok "svcencd stops" systemctl stop svcencd.service svcenc-vault@b.service \
	svcenc-vault-akv@kv.service
svc_is "nothing failed" "$(systemctl list-units --failed --no-legend --plain 'svcenc*' | cut -d ' ' -f 1)" ""
rm -f /etc/svcenctab
systemctl daemon-reload
svc_done
