#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate a volume of 160 MiB and let cryptsetup reencrypt
# DESCRIPTION: an open LUKS2 device of the same size, on the same RAM disk in the same
# DESCRIPTION: guest, with each of its resilience modes, and print the instructions per
# DESCRIPTION: 4 KiB of each side by side, and their ratios.
# RUNS: vm
# VM: --plain --icount --mem 1100
# SET: long
# TIMEOUT: 100000

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_cost.sh
. "$(dirname "$0")/lib_cost.sh"

mib=${1:-160}

luks() {
	cryptsetup "$@" --key-file pass
}

# MODE: the cost of one, in $cost
reencrypt() {
	svc_must luks luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--sector-size 4096 --cipher aes-xts-plain64 --key-size 512 /dev/mapper/small
	svc_must luks open /dev/mapper/small other --disable-keyring
	cost_of $((mib << 8)) luks reencrypt -q --resilience "$1" --pbkdf-force-iterations 1000 \
		--pbkdf pbkdf2 --disable-locks --active-name other
	svc_must cryptsetup close other
}

svc_plan 4
data_start
svc_must modprobe -a dm-crypt aesni-intel xts
head -c 32 /dev/urandom >pass
cost_ram_disk $((mib + 64 + 4))
data_make_on /dev/ram0 vol "${mib}M" 4096
cost_open alpha /dev/ram0 vol
cost_of_rotation "$mib"
ours=$cost
svc_ok "rotate: $ours instructions per 4 KiB, at most 25000" test "$ours" -le 25000
svc_must dmsetup remove --retry alpha
# its data area is as large: the header takes 16 MiB, the rest is not used
svc_must dmsetup create small --table "0 $(((mib + 16) << 11)) linear /dev/ram0 0"
for mode in checksum journal none; do
	reencrypt $mode
	svc_ok "reencrypt, $mode: $cost instructions per 4 KiB, $((cost * 10 / ours)) tenths of ours" \
		test "$cost" -gt "$ours"
done
svc_must dmsetup remove small
svc_done
