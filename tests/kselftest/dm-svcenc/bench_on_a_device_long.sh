#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will run the bench for a real device: it touches nothing without
# DESCRIPTION: being told the device's name, refuses what is no free block device, and
# DESCRIPTION: else ends with a table of all nine stacks, and with JSON.
# RUNS: vm
# VM: --smp 2 --mem 1024 --disk 256M
# SET: long
# TIMEOUT: 900

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

bench=$svc_top/tools/bench.d/on-device

hash_of() {
	sha256sum <"$1"
}

svc_plan 7
svc_must modprobe dm-mod # the bench loads what it measures
svc_must dd if=/dev/urandom of=/dev/vda bs=1M count=1 status=none
before=$(hash_of /dev/vda)
svc_is "not confirmed: refused" "$("$bench" --seconds 1 /dev/vda 2>&1 <<<no | sed 's/.*bench: //')" \
	"not confirmed, nothing was touched"
svc_is "nothing was touched" "$(hash_of /dev/vda)" "$before"
svc_is "no block device: refused" "$("$bench" --yes /dev/null 2>&1)" \
	"bench: /dev/null is no block device"
svc_must dmsetup create user --table "0 2048 linear /dev/vda 0"
svc_is "in use: refused" "$("$bench" --yes /dev/vda 2>&1)" \
	"bench: /dev/vda is in use (mounted, or part of another device): close that first"
svc_must dmsetup remove user
svc_ok "measures" eval '"$bench" --yes --seconds 1 /dev/vda >table 2>log || { cat table log; false; }'
svc_is "every stack in each of 16 tables" "$(grep -c -E '^[a-z/-]+ +[0-9,]+ +[0-9,]+ ' table)" 144
svc_ok "the JSON can be read" python3 -m json.tool "$svc_top/build/bench/device.json" /dev/null
svc_done
