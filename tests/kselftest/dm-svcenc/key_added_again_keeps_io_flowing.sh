#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will add a live policy key 50 times again under load, as a
# DESCRIPTION: restarted agent does: not one I/O may fail, the lease begins anew each time,
# DESCRIPTION: and other bytes under the same name are refused.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

live_keys() {
	"$svc_bin/svcenc-genl" keys | grep -c "KEY=$(<"$volume.desc") "
}

lease_left_ms() {
	"$svc_bin/svcenc-genl" keys | sed -n 's/.* LEASE_LEFT_MS=\([0-9]*\) .*/\1/p'
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_payload "$volume" 3600 >"$SVC_TMP/long"
{
	head -c 39 "$SVC_TMP/long"
	printf '\000'
} >"$SVC_TMP/other"
cmp -s "$SVC_TMP/long" "$SVC_TMP/other" && printf '\001' | dd of="$SVC_TMP/other" bs=1 seek=39 conv=notrunc status=none

svc_add_key "$volume" 20 >/dev/null
began=$SECONDS
svc_open one "$volume"
svc_load_begin /dev/mapper/one --threads 3
svc_ok "I/O flows" svc_load_sees ok
added=0
while [ $added -lt 50 ]; do
	keyctl padd svcenc "$(<"$volume.desc")" "$svc_keyring" <"$SVC_TMP/long" >/dev/null || break
	added=$((added + 1))
done
svc_is "added 50 times again" "$added" 50
svc_ok "and I/O still flows" svc_load_sees ok
svc_says "other bytes under that name" "Key was rejected by service" \
	keyctl padd svcenc "$(<"$volume.desc")" "$svc_keyring" <"$SVC_TMP/other"
svc_is "there is one live key of that name" "$(live_keys)" 1
svc_ok "its lease is the last one asked for" [ "$(lease_left_ms)" -gt 3500000 ]

svc_note "the first lease was 20 s: wait for its end"
while [ $((SECONDS - began)) -le 21 ]; do sleep 0.2; done
svc_ok "the first lease is over, I/O flows all the same" svc_load_sees ok
svc_load_end
svc_is "not one I/O failed" "$(svc_status one 11)" 0
svc_is "no I/O was counted as failed by those who did it" "$fact_failed" 0

svc_note "only the newest key of the 51 is left; its end is the end"
svc_wait 5 [ "$(grep -c 'svcenc *svcenc:' /proc/keys)" -eq 1 ]
svc_ok "/proc/keys shows one" [ "$(grep -c 'svcenc *svcenc:' /proc/keys)" -eq 1 ]
svc_revoke_key "$volume"
svc_is "after its revocation nothing can be read" "$(svc_read_errno /dev/mapper/one)" "No such device"
svc_done
