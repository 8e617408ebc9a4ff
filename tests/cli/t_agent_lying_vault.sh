#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will replace vaults by ones that answer with another policy's valid
# DESCRIPTION: key: no volume opens with it, it is not added to the kernel, and the
# DESCRIPTION: availability key is not used; with one honest vault the volume opens.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
vaults=$agent_dir/vaults liars=()

# lies VAULT: from the next start of the agent it is that of the site, served
# by its user, with beta's key for an answer. The program comes on standard
# input: that user may not be let into this checkout.
lies() {
	local vault=$1 socket=$agent_sockets/vault/$1/sock

	mkdir -p "$agent_dir/etc/vaults.d"
	printf '[vault]\nstart = external\n' >"$agent_dir/etc/vaults.d/$vault.conf"
	rm -f "$socket" # its last server's: nobody is behind it
	setpriv --reuid svcenc-vault --regid svcenc-vault --clear-groups \
		/usr/bin/python3 - "$socket" "$betas_key" <"$agent_here/agent_lying_vault" &
	liars+=($!)
	svc_ok "vault $vault has another server" svc_wait 20 eval "[ -S $socket ] && [ \$(stat -c %a $socket) = 600 ]"
}

keys_of_kernel() {
	"$svc_top/build/test/bin/svcenc-genl" keys | grep -o 'svcenc:[-0-9a-f]*:[0-9]*' | sort
}

# is_refused VOLUME...: and nothing is left in the kernel.
is_refused() {
	local key

	key=$(agent_field key status alphas)
	agent_refused "open" 9 "opens the blob to something else than was wrapped" open alphas
	svc_ok "nothing is mapped" test ! -e /dev/mapper/alphas
	svc_is "no key was added under the name of alpha's" "$(keys_of_kernel | grep -c -x "$key")" 0
	svc_is "nor any other key" "$(keys_of_kernel | wc -l)" 0
	svc_is "the header is as it was" "$(sha256sum < <(dd if=/dev/vda bs=1M count=4 iflag=direct status=none))" "$header"
}

agent_prepare
agent_start
for tenant in alpha beta; do
	device=$([ $tenant = alpha ] && echo /dev/vda || echo /dev/vdb)
	agent_must svcenc tenant create $tenant
	agent_must svcenc format ${tenant}s "$device" --tenant $tenant
	agent_must svcenc open ${tenant}s
	agent_must svcenc close ${tenant}s
done
header=$(sha256sum < <(dd if=/dev/vda bs=1M count=4 iflag=direct status=none))
dd if=/dev/vdb of="$SVC_TMP/header" bs=1M count=4 iflag=direct status=none
betas_key=$("$svc_model" keys --vault "$vaults/a" "$SVC_TMP/header" | sed -n 's/^policy_key //p')
svc_is "beta's key is known" "${#betas_key}" 64
agent_kill TERM
lies a
lies b
agent_start
is_refused
svc_ok "beta opens: it is a good key, only not alpha's" svcenc open betas
agent_must svcenc close betas
agent_kill TERM
kill "${liars[1]}"
rm "$agent_dir/etc/vaults.d/b.conf"
agent_start
svc_ok "with an honest vault b alpha opens" svcenc open alphas
svc_ok "and reads" agent_reads /dev/mapper/alphas
svc_ok "vault a is told as corrupt" eval "svcenc policy show alpha provider --json | grep -q '\"corrupt\"'" ||
	svcenc policy show alpha provider
agent_must svcenc close alphas
agent_kill TERM
kill "${liars[0]}"
wait "${liars[@]}" 2>/dev/null
svc_done
