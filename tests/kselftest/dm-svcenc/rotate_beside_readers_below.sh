#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will read the device below through the page cache, again and
# DESCRIPTION: again, while the volume is rotated in both directions: what is cached
# DESCRIPTION: there is old, every byte of the volume is as before, and svcenc-dump shows
# DESCRIPTION: the header that is on the device.  Whoever wants the device below for
# DESCRIPTION: itself is refused.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

read_below_until_enough() {
	until [ -e enough ]; do
		dd if="$svc_dev" of=/dev/null bs=64k status=none || return
		echo >>rounds
	done
}

epoch_on_device() {
	"$svc_top/build/bin/svcenc-dump" --json "$svc_dev" | jq -r '.superblocks[0].fields.epoch'
}

# The MiB with the first copy of the superblock.
header() {
	dd if="$svc_dev" bs=1M count=1 status=none "$@" | sha256sum
}

wanted_alone() {
	perl -MFcntl -e 'sysopen(my $f, $ARGV[0], O_RDWR | O_EXCL) or die "$!\n"' "$svc_dev"
}

read_since() {
	[ "$(wc -l <rounds)" -gt "$1" ]
}

svc_plan 15
data_start
rotate_volume 4M 4096
data_background reader read_below_until_enough
svc_wait 30 test -s rounds || svc_bail "nothing is read"
for epoch in 2 3; do
	rotate_begin
	svc_ok "epoch $epoch: who wants the device below for itself is refused" \
		eval '! wanted_alone 2>why && grep -q busy why'
	svc_ok "epoch $epoch: it is read all the time" svc_wait 30 read_since "$(wc -l <rounds)"
	rotate_ends "epoch $epoch"
	svc_is "epoch $epoch: what is cached below is not what is there" \
		"$([ "$(header)" = "$(header iflag=direct)" ] && echo the same)" ""
	svc_is "epoch $epoch: svcenc-dump shows what is there" "$(epoch_on_device)" "$epoch"
done
touch enough
svc_is "no read below failed" "$(data_finished reader 30)" 0
svc_close alpha
svc_open alpha vol
svc_is "opened again, every byte is as before" "$(rotate_contents)" "$rotate_before"
svc_is "it was rotated twice" "$(svc_status alpha 2)" 3
svc_close alpha
svc_done
