#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Leaves a live key behind, in the module's own keyring.
set -e
module=kernel/dm-svcenc/dm-svcenc.ko
# shellcheck disable=SC2046 # a list of names
modprobe -a dm-mod $(modinfo -F depends "$module" | tr ',' ' ')
insmod "$module"
keyring=$(cat /sys/module/dm_svcenc/parameters/keyring)
{
	printf '\001\0\0\0\200\0\0\0' # version 1, lease 128 s
	head -c 32 /dev/urandom
} | keyctl padd svcenc svcenc:01234567-89ab-4def-8123-456789abcdef:1 "$keyring"
grep svcenc: /proc/keys
