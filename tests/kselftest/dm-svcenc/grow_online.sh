#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will enlarge the device below and then the volume, in
# DESCRIPTION: use and under verified load: refused without the option grow,
# DESCRIPTION: with it the header says the new length, the new space works, ext4
# DESCRIPTION: grows online, a shorter table is refused, and the new size holds
# DESCRIPTION: after a reopen.  A device that is too small is refused.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha
old=$((32 << 11)) new=$((48 << 11)) # sectors

# A reload as lvextend and the agent would do it.
# shellcheck disable=SC2317 # called through svc_ok and the like
try_reload() {
	local status

	dmsetup load alpha --table "$(data_table "$svc_dev" vol "$@")" || return
	dmsetup resume alpha && return
	status=$?
	dmsetup clear alpha
	return "$status"
}

# header_says OFFSET: that 64-bit number of both superblock copies; by the
# format's description and not by the model, which starts slowly here.
header_says() {
	echo "$(od -An -v -t u8 -j "$1" -N 8 vol) $(od -An -v -t u8 -j $(((3 << 20) + $1)) -N 8 vol)" | xargs
}
seq_at=88 data_len_at=128

svc_plan 19
data_start
svc_make_volume vol 32M 4096
svc_add_key vol >/dev/null
svc_open alpha vol
svc_must mkfs.ext4 -q $above
mkdir mnt
svc_must mount $above mnt

svc_expect_fail "device is too small for header, data and spare" try_reload $new grow
truncate -s +16M vol
svc_must losetup -c "$svc_dev"
svc_is "a longer device changes nothing" "$(data_sectors $above)" $old
data_background load data_fio_verify --directory=mnt --size=8M --direct=1 --time_based --runtime=14
data_io_flows alpha
svc_expect_fail "table is longer than the volume: option 'grow' is needed" try_reload $new
svc_expect_fail "table length is not a multiple of the volume's sector size" \
	try_reload $((new - 1)) grow
svc_ok "with grow it is loaded under load" try_reload $new grow
svc_is "the device is longer at once" "$(data_sectors $above)" $new
svc_is "both copies of the header say so" "$(header_says $data_len_at)" \
	"$((new * 512)) $((new * 512))"
svc_is "as one commit" "$(header_says $seq_at)" "3 3"
svc_ok "the table does not keep the option" eval "! dmsetup table alpha | grep grow"
svc_ok "ext4 grows online" resize2fs $above
svc_is "the load saw nothing of it" "$(data_finished load 120)" 0
svc_expect_fail "table is shorter than the volume: shrinking is not possible" try_reload $old
svc_ok "ext4 uses the new space" dd if=/dev/urandom of=mnt/large bs=1M count=26 conv=fsync
sum=$(sha256sum <mnt/large)
svc_must umount mnt
svc_close alpha

svc_expect_fail "table is shorter than the volume: shrinking is not possible" svc_try_open alpha vol
echo $new >vol.sectors
svc_open alpha vol
svc_is "the new size holds after a reopen" "$(data_sectors $above)" $new
svc_ok "the filesystem is clean" e2fsck -f -n $above
svc_must mount $above mnt
svc_is "and its data is there" "$(sha256sum <mnt/large)" "$sum"
svc_must umount mnt
svc_ok "a table with grow and nothing to grow is taken" try_reload $new grow
svc_is "without a commit" "$(header_says $seq_at)" "3 3"
svc_close alpha
svc_done
