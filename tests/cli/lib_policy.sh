# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of what becomes of a policy: keys that a customer has made in
# vaults of his own, and what a header, the store and the kernel say of a
# volume's key. Sourced after lib_agent.sh.
#
# shellcheck disable=SC2154 # agent_* and svc_* come from there

policy_vaults=$agent_dir/vaults
policy_dump=$svc_top/build/bin/svcenc-dump

# policy_vault NAME...: file vaults, as a customer's; before agent_start.
policy_vault() {
	local name

	mkdir -p "$agent_dir/etc/vaults.d"
	for name in "$@"; do
		printf '[vault]\ntype = file\n' >"$agent_dir/etc/vaults.d/$name.conf"
	done
}

# policy_key VAULT NAME VERSION [MEMBER VALUE]: its owner makes a key; a member
# of the file may be another (state, expires_at).
policy_key() {
	local file=$policy_vaults/$1/$2.$3.key member=${4:-state} value=${5:-'"enabled"'}
	local state='"state": "enabled", '

	[ "$member" = state ] && state=''
	printf '{"schema": "svcenc-file-vault/1", "name": "%s", "version": %s, %s"%s": %s, "alg": "A256KW", "key": "%s"}\n' \
		"$2" "$3" "$state" "$member" "$value" "$(head -c 32 /dev/urandom | base64 -w 0)" >"$SVC_TMP/key"
	svc_must install -m 600 -o svcenc-vault -g svcenc-vault "$SVC_TMP/key" "$file"
	rm "$SVC_TMP/key"
}

# Root versions in both records of a header, sorted; one line.
policy_roots_of() {
	"$policy_dump" --json "$1" | grep -o 'file:[^"]*' | sort | uniq -c | awk '{ printf "%sx%s ", $1, $2 }'
}

# policy_header DEVICE: version of the policy key that its superblock names.
policy_header() {
	"$policy_dump" --json "$1" | sed -n 's/.*"key": "svcenc:[^:]*:\([0-9]*\)".*/\1/p' | sort -u | tr '\n' ' '
}

policy_write() {
	printf %s "$2" | dd of="/dev/mapper/$1" bs=4096 conv=sync oflag=direct status=none
}

policy_read() {
	dd if="/dev/mapper/$1" bs=4096 count=1 iflag=direct status=none | tr -d '\0'
}

# All that svcencd knows is gone, but not the vaults.
policy_lose_store() {
	agent_kill KILL
	rm -rf "$agent_dir/state"
	agent_start
}
