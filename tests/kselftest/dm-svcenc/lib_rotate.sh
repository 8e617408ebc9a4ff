# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the tests about rotation: a volume with random contents, whose
# rotation is slow enough for something to happen in its midst.  Sources
# lib_data.sh.
#
#   . "$(dirname "$0")/lib_rotate.sh"
#   data_start
#   rotate_volume 16M 4096          # volume "vol", open as alpha
#   rotate_begin                    # in its midst when this returns
#   ...
#   rotate_ends "what happened"     # two checks

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_data.sh"

# shellcheck disable=SC2034 # for the tests
above=/dev/mapper/alpha

# rotate_is WORD: what the rotation of alpha is doing.
rotate_is() {
	[ "$(svc_status alpha 17)" = "$1" ]
}

rotate_message() {
	svc_must dmsetup message alpha 0 rotate "$@"
}

rotate_contents() {
	local sum

	sum=$(dd if=/dev/mapper/alpha bs=1M iflag=direct status=none | sha256sum) && echo "${sum%% *}"
}

# Sectors that are done.
rotate_done() {
	local progress

	progress=$(svc_status alpha 6)
	echo "${progress%/*}"
}

# alpha holds what is in the file "data", of which rotate_ends knows.
rotate_fill() {
	data_random_file data "$(svc_plaintext_size vol)"
	svc_must dd if=data of=/dev/mapper/alpha bs=1M oflag=direct conv=notrunc status=none
	rotate_before=$(rotate_contents)
}

# rotate_volume SIZE SECTOR_SIZE [MODEL_OPTION...]: vol, with a spare of 1 MiB.
rotate_volume() {
	svc_make_volume vol "$@" --spare 1M
	svc_add_key vol >/dev/null
	svc_open alpha vol
	rotate_fill
}

# rotate_volume_below SIZE SECTOR_SIZE [SPARE]: the same on a mapping "below", for
# other tables under it; of the device at the bottom, $svc_dev, $size is the length.
rotate_volume_below() {
	svc_make_volume vol "$1" "$2" --spare "${3:-1M}"
	svc_add_key vol >/dev/null
	svc_attach vol
	size=$(data_sectors "$svc_dev")
	data_map below "0 $size linear $svc_dev 0"
	data_open alpha /dev/mapper/below vol
	rotate_fill
}

rotate_in_the_midst() {
	local moved

	moved=$(rotate_done)
	[ "$moved" -gt 0 ] && [ "$moved" -lt "$(<vol.sectors)" ]
}

# Begins a rotation of 2 MiB/s and waits until something is done.
rotate_begin() {
	rotate_message rate 2048
	rotate_message start
	svc_wait 30 rotate_in_the_midst || svc_bail "the rotation does not begin: $(dmsetup status alpha)"
}

# rotate_ends NAME: without a limit it ends, and every byte is as before.
rotate_ends() {
	rotate_message rate 0
	svc_ok "$1: the rotation ends" svc_wait 60 rotate_is idle
	svc_is "$1: every byte is as before" "$(rotate_contents)" "$rotate_before"
}
