#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give a policy its roots in a SoftHSM token and a PyKMIP server. With
# DESCRIPTION: one of them withdrawn I/O goes on; with both it fails within the probe interval
# DESCRIPTION: plus 5 s, and neither a token that is gone nor a module that crashes undoes
# DESCRIPTION: that; allowed again in the token, the service returns and data is intact.
# RUNS: vm
# VM: --disk 96M
# SET: long
# TIMEOUT: 600
#
# shellcheck disable=SC2317 # called through svc_ok and eval

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/hsm/lib_hsm.sh
. "$svc_top/tests/hsm/lib_hsm.sh"
trap 'hsm_end; agent_cleanup' EXIT
readonly LEASE=20 PROBE=2 BOUND_MS=7000

state_is() {
	[ "$(agent_field state policy show alpha two)" = "$1" ]
}

# label_of, uid_of: of the policy's root keys.
label_of() {
	svcenc policy show alpha two --json | sed -n 's/.*"kid": "pkcs11:.*object=\([^;]*\);.*/\1/p'
}

uid_of() {
	svcenc policy show alpha two --json | sed -n 's/.*"kid": "kmip:kms\/\([^"]*\)".*/\1/p'
}

agent_prepare
svc_must ip link set lo up
hsm_vault hsm
kms_vault kms
agent_start
svc_ok "the token's vault works" svc_wait 60 svcenc vault test hsm
svc_ok "the server's vault works" svc_wait 60 svcenc vault test kms
agent_must svcenc tenant create alpha
agent_must svcenc policy create alpha two --vault-a hsm --vault-b kms --lease $LEASE --probe $PROBE
agent_must svcenc format v /dev/vda --tenant alpha --policy two
agent_must svcenc open v
head -c 4096 /dev/urandom >"$SVC_TMP/plain"
svc_must dd if="$SVC_TMP/plain" of=/dev/mapper/v bs=4096 oflag=direct status=none
label=$(label_of) uid=$(uid_of)
svc_must kms_owner revoke "$uid"
svc_ok "deactivated in the server: degraded" svc_wait 30 state_is degraded
svc_ok "I/O goes on" agent_reads /dev/mapper/v
svc_must hsm_owner allow "$label" 0
ordered=$(now_ms)
svc_wait 20 eval '! agent_reads /dev/mapper/v'
took=$(($(now_ms) - ordered))
svc_ok "unwrap off in the token, too: I/O fails within probe interval + 5 s ($took ms after the order)" \
	test "$took" -le "$BOUND_MS"
svc_ok "the policy is locked" svc_wait 10 state_is locked
agent_refused "open" 7 "its state is 3 where 2, active, is needed" open v
svc_must mv "$hsm_folder/tokens" "$hsm_folder/away"
sleep $((2 * PROBE)) # probes of a token that is gone
svc_ok "the token gone: locked still" state_is locked
hsm_control C_UnwrapKey crash
svc_must mv "$hsm_folder/away" "$hsm_folder/tokens"
sleep $((2 * PROBE))
svc_ok "a module that crashes: locked still" state_is locked
hsm_control
svc_must hsm_owner allow "$label" 1
svc_ok "allowed again in the token: the service returns" svc_wait 60 agent_reads /dev/mapper/v
svc_ok "degraded, as the server's key is gone for good" svc_wait 20 state_is degraded
svc_must dd if=/dev/mapper/v of="$SVC_TMP/again" bs=4096 count=1 iflag=direct status=none
svc_ok "data is intact" cmp "$SVC_TMP/plain" "$SVC_TMP/again"
agent_must svcenc close v
agent_kill TERM
svc_done
