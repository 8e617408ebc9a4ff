#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will use the far sectors of a sparse volume of 3 TiB
# DESCRIPTION: (beyond 2^32 sectors) and a data area that begins behind the
# DESCRIPTION: usual place: the last sector, and both sides of 2 TiB, written
# DESCRIPTION: through the kernel, decrypt in the model.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

size=$((3 << 40))

# Bytes above; the data is made of 8 KiB that end or straddle there.
places="0 $(((2 << 40) - 4096)) $((size - 8192))"

svc_plan 10
data_start
data_model "create vol --size $size --place high --side-files" \
	"mutate vol --policy-key-file vol.key --remac --field data_offset --value $((7 << 20))" >/dev/null
truncate -s $((size + (16 << 20))) vol
data_random_file plain 8192
svc_add_key vol >/dev/null
svc_open alpha vol
svc_is "the volume has 3 TiB" "$(blockdev --getsize64 /dev/mapper/alpha)" $size
for at in $places; do
	svc_ok "byte $at: written" eval "dd if=plain of=/dev/mapper/alpha bs=4096 \
		oflag=direct,seek_bytes seek=$at conv=notrunc,fsync status=none"
	svc_ok "byte $at: read" cmp -n 8192 plain <(dd if=/dev/mapper/alpha bs=4096 \
		iflag=direct,skip_bytes skip="$at" count=2 status=none)
	echo "decrypt vol --policy-key-file vol.key --offset $at --length 8192" >>decrypt
done
svc_close alpha
svc_ok "all decrypt in the model" cmp <("$svc_model" batch decrypt) <(cat plain plain plain)
svc_is "the data begins where the header says" \
	"$(data_is_zero vol "$data_header" $((4 << 20)) && echo nothing before)" "nothing before"
svc_ok "and the last sector is right before the end" \
	eval "! data_is_zero vol $((size + (8 << 20) - 4096)) 4096 && data_is_zero vol $((size + (8 << 20))) 4096"
svc_done
