# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A key vault (kv1, and kv2 whose keys we may use but not read), a SoftHSM token
# (hsm) and a PyKMIP server (kms) for a test of svcencd on the host, over the
# simulated kernel. Sources all that such a test needs, and starts it again in a
# namespace of its own (lib_akv.sh), so before anything else.
#
# shellcheck disable=SC2034,SC2154 # host_*, akv_*, cli_* are theirs

# shellcheck source=tests/akv/lib_akv.sh
. "$(dirname "$0")/../akv/lib_akv.sh"
akv_namespace "$@"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
# shellcheck source=tests/cli/host_policy.sh
. "$(dirname "$0")/host_policy.sh"
# shellcheck source=tests/hsm/lib_hsm.sh
. "$cli_top/tests/hsm/lib_hsm.sh"
host_agent=$cli_top/build/test/sim/svcencd
export SVCENC_SIM=$CLI_TMP/sim

# shellcheck disable=SC2317 # called by a trap
vaults_end() {
	[ "$BASHPID" = $$ ] || return
	hsm_end
	akv_stop
	host_end
}
trap vaults_end EXIT

# vaults_make [kms]: before host_start; the KMIP server only if it is wanted.
vaults_make() {
	host_prepare
	akv_start "$CLI_TMP/akv"
	chmod 755 "$CLI_TMP/akv"
	akv secret app s3cret >/dev/null
	akv grant app kv1 get,wrapKey,unwrapKey
	akv grant app kv2 wrapKey,unwrapKey
	vaults_secret s3cret
	install -m 755 "$CLI_BIN/svcenc-vault-akv" "$CLI_TMP/libexec/"
	akv_settings kv1 "$CLI_TMP/secret" >"$CLI_TMP/etc/vaults.d/kv1.conf"
	akv_settings kv2 "$CLI_TMP/secret" >"$CLI_TMP/etc/vaults.d/kv2.conf"
	hsm_vault hsm
	[ -z "${1:-}" ] || kms_vault kms
}

# vaults_secret TEXT: what the workers show the key vault.
vaults_secret() {
	rm -f "$CLI_TMP/secret"
	(umask 077 && echo "$1" >"$CLI_TMP/secret")
	chown nobody "$CLI_TMP/secret"
}

# hsm_key LABEL ID [BYTES [YYYYMMDD]]: its owner makes one.
hsm_key() {
	hsm_owner aes "$1" "$2" "$(od -An -tx1 -N "${3:-32}" /dev/urandom | tr -d ' \n')" "${@:4}"
}

# ends NAME STATUS WORDS...: of svcenc.
ends() {
	local name=$1 wanted=$2

	shift 2
	svcenc "$@"
	[ "$status" = "$wanted" ] || printf '# %s\n' "$out" "$err"
	cli_is "$name: exit" "$status" "$wanted"
}

# vaults_volume NAME POLICY: formatted and opened.
vaults_volume() {
	truncate -s 8M "$CLI_TMP/$1"
	ends "format $1" 0 format "$1" "$CLI_TMP/$1" --tenant alpha --policy "$2"
	ends "open $1" 0 open "$1"
}
