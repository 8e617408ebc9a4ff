#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will shorten the device below a volume: closed, it is
# DESCRIPTION: refused in clear words and with no byte changed; open, I/O behind
# DESCRIPTION: the new end fails and the rest goes on; at full length again all
# DESCRIPTION: data is there.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha

shorten_to() {
	data_swap below "0 $1 linear $svc_dev 0"
}

refused_at() {
	shorten_to "$1"
	svc_expect_fail "$2" data_try_open alpha /dev/mapper/below vol
}

svc_plan 14
data_start
data_random_file plain $((8 << 20))
svc_make_volume vol 8M 4096 --plaintext plain
svc_add_key vol >/dev/null
svc_attach vol
full=$(data_sectors "$svc_dev")
hash=$(svc_hash vol)
data_map below "0 $full linear $svc_dev 0"

small="device is too small for header, data and spare"
header="device is too small for a svcenc header"
refused_at 1 "$header"
refused_at 8192 "$header"
refused_at 8200 "$small"
refused_at $((full - 8)) "$small"
refused_at $((full - 1)) "$small"
svc_is "not a byte of the device changed" "$(svc_hash vol)" "$hash"

shorten_to "$full"
data_open alpha /dev/mapper/below vol
shorten_to $((8192 + 8192)) # header and half of the data
svc_ok "open: the first half reads" cmp -n $((4 << 20)) plain $above
svc_ok "open: the second half fails" \
	eval "! dd if=$above of=/dev/null bs=64k skip=64 count=1 iflag=direct"
svc_ok "open: a write there fails" \
	eval "! dd if=plain of=$above bs=64k seek=64 count=1 oflag=direct"
svc_ok "open: a read over the edge fails" \
	eval "! dd if=$above of=/dev/null bs=128k skip=4128768 count=1 iflag=direct,skip_bytes"
svc_ok "open: a write to the first half works" \
	dd if=plain of=$above bs=64k count=64 oflag=direct conv=notrunc
svc_ok "open: a flush works" sync $above
shorten_to "$full"
svc_must blockdev --flushbufs $above
svc_ok "at full length again all data is there" cmp plain $above
svc_close alpha
data_open alpha /dev/mapper/below vol
svc_ok "also after a reopen" cmp plain $above
svc_close alpha
svc_done
