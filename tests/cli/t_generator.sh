#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will turn an svcenctab into units with
# DESCRIPTION: svcenc-generator: what it writes is exact, systemd finds no fault
# DESCRIPTION: with it nor with the units installed, and a wrong line costs one
# DESCRIPTION: volume and is reported with its number.
# RUNS: host
# SET: quick
# TIMEOUT: 60

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

tab=$CLI_TMP/svcenctab
dir=$CLI_TMP/units

generate() {
	rm -rf "$dir"
	mkdir "$dir"
	cat >"$tab"
	cli_run "$CLI_BIN/svcenc-generator" "$dir" "$dir" "$dir" "$tab"
}

listing() {
	(cd "$dir" && find . \( -type f -o -type l \) | LC_ALL=C sort)
}

generate <<'EOF'
# a comment

data    /dev/vg/data
my-vol  UUID=12-ab  alpha/provider  nofail,discard,x-systemd.device-timeout=2min
late    /dev/a%b"c  -               noauto,readonly
net     ID=x        none            _netdev
EOF
cli_is "no complaint" "$status $err" "0 "
cli_is "files and links" "$(listing)" './dev-disk-by\x2duuid-12\x2dab.device.d/50-svcenctab.conf
./dev-mapper-data.device.d/50-svcenctab.conf
./dev-mapper-data.device.requires/svcenc@data.service
./dev-mapper-late.device.requires/svcenc@late.service
./dev-mapper-my\x2dvol.device.requires/svcenc@my\x2dvol.service
./dev-mapper-net.device.d/50-svcenctab.conf
./dev-mapper-net.device.requires/svcenc@net.service
./remote-svcenc.target.requires/svcenc@net.service
./svcenc.target.requires/svcenc@data.service
./svcenc.target.wants/svcenc@my\x2dvol.service
./svcenc@data.service.d/50-svcenctab.conf
./svcenc@late.service.d/50-svcenctab.conf
./svcenc@my\x2dvol.service.d/50-svcenctab.conf
./svcenc@net.service.d/50-svcenctab.conf'
cli_is "links lead to the template" "$(readlink "$dir/svcenc.target.requires/svcenc@data.service")" \
	/usr/lib/systemd/system/svcenc@.service
cli_is "drop-in of a plain line" "$(<"$dir/svcenc@data.service.d/50-svcenctab.conf")" \
	"# Made by svcenc-generator from $tab:3
[Unit]
SourcePath=$tab
BindsTo=dev-vg-data.device
After=dev-vg-data.device
Before=svcenc.target

[Service]
ExecStart=
ExecStart=/usr/sbin/svcenc open -- data \"/dev/vg/data\""
# shellcheck disable=SC2012 # names made above
cli_is "drop-in with options" "$(<"$dir/svcenc@my\\x2dvol.service.d/50-svcenctab.conf")" \
	"# Made by svcenc-generator from $tab:4
[Unit]
SourcePath=$tab
BindsTo=dev-disk-by\\x2duuid-12\\x2dab.device
After=dev-disk-by\\x2duuid-12\\x2dab.device

[Service]
ExecStart=
ExecStart=/usr/sbin/svcenc open --discard --policy alpha/provider -- my-vol \"/dev/disk/by-uuid/12-ab\""
cli_is "odd device" "$(tail -n 1 "$dir/svcenc@late.service.d/50-svcenctab.conf")" \
	'ExecStart=/usr/sbin/svcenc open --readonly -- late "/dev/a%%b\"c"'
cli_is "device timeout" \
	"$(tail -n 1 "$dir/dev-disk-by\\x2duuid-12\\x2dab.device.d/50-svcenctab.conf")" \
	JobRunningTimeoutSec=2min
cli_is "network" "$(grep -c -e network-online -e 'Before=remote-svcenc.target' \
	"$dir/svcenc@net.service.d/50-svcenctab.conf")" 3

# --- systemd's own opinion, with programs that exist

cp "$cli_top"/agent/units/*.service "$cli_top"/agent/units/*.target "$dir"
sed -i -E 's#(/usr/sbin/svcencd?|/usr/libexec/svcenc/svcenc-vault-[a-z0-9]+)( |$)#/bin/true\2#' \
	"$dir"/*.service "$dir"/svcenc@*.service.d/*.conf
verify() {
	SYSTEMD_UNIT_PATH="$dir:" systemd-analyze verify --man=no "$@" 2>&1 | grep -F "$dir"
}
for unit in svcencd.service svcenc@data.service 'svcenc@my\x2dvol.service' svcenc@late.service \
	svcenc@net.service svcenc-vault@a.service svcenc-vault-akv@kv.service \
	svcenc-vault-kmip@kms.service svcenc-vault-pkcs11@hsm.service \
	svcenc.target remote-svcenc.target; do
	template=${unit%%@*}@.service
	[ -e "$dir/$unit" ] || cp "$dir/$template" "$dir/$unit"
	cli_is "systemd likes $unit" "$(verify "$dir/$unit")" ''
done

# --- wrong lines

generate <<EOF
good /dev/a
bad name here - -
good /dev/b
file /etc/passwd
alone
opt /dev/c - luks
long $(printf 'x%.0s' {1..5000})
last /dev/d
EOF
cli_is "wrong lines are reported" "$status
$err" "1
<3>svcenc-generator: $tab:2: more than four fields (NAME DEVICE [POLICY [OPTIONS]]); this line is left out
<3>svcenc-generator: $tab:3: volume good is there already; this line is left out
<3>svcenc-generator: $tab:4: the device is neither a path below /dev nor UUID=, LABEL=, PARTUUID=, PARTLABEL=, ID=; this line is left out
<3>svcenc-generator: $tab:5: the device is missing (NAME DEVICE [POLICY [OPTIONS]]); this line is left out
<3>svcenc-generator: $tab:6: unknown option (wanted: nofail, noauto, discard, readonly, _netdev, x-systemd.device-timeout=TIME); this line is left out
<3>svcenc-generator: $tab:7: the line is too long; it is left out"
cli_is "the others are there" "$(listing | grep -c 'svcenc.target.requires')" 2

cli_run "$CLI_BIN/svcenc-generator" "$dir" "$dir" "$dir" "$CLI_TMP/absent"
cli_is "no svcenctab is fine" "$status $err" "0 "
mkdir "$CLI_TMP/isdir"
cli_run "$CLI_BIN/svcenc-generator" "$CLI_TMP/nodir/x" x x "$tab"
cli_is "nowhere to write" "$status" 1

cli_done
