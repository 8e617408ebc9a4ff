# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real vaults of other makers for tests of svcencd: a SoftHSM token, a PyKMIP
# server, and the vault of one's own. Sourced after agent_host.sh (the host) or
# lib_agent.sh (the VM); each makes its file in vaults.d, before svcencd starts.
# The caller ends them with hsm_end.
#
# shellcheck disable=SC2154 # cli_*, host_*, agent_*, svc_* come from there

if [ -n "${agent_dir:-}" ]; then
	hsm_top=$svc_top hsm_tmp=$SVC_TMP hsm_bin=$agent_bin hsm_user=svcenc-vault
	hsm_etc=$agent_dir/etc hsm_libexec=$agent_dir/libexec hsm_run=$agent_dir/run
else
	hsm_top=$cli_top hsm_tmp=$CLI_TMP hsm_bin=$CLI_BIN hsm_user=nobody
	hsm_etc=$CLI_TMP/etc hsm_libexec=$CLI_TMP/libexec hsm_run=$host_run
fi
hsm_folder=$hsm_tmp/hsm kms_folder=$hsm_tmp/kms own_folder=$hsm_tmp/own
kms_pid='' own_pid=''

hsm_end() {
	[ -z "$own_pid" ] || kill "$own_pid"
	[ -z "$kms_pid" ] || exec {kms_input}>&- # it ends with that
	own_pid='' kms_pid=''
}

hsm_bail() {
	echo "Bail out! $*"
	exit 1
}

# As the workers' user.
hsm_as_user() {
	(cd / && exec setpriv --reuid "$hsm_user" --clear-groups env SOFTHSM2_CONF="$hsm_folder/conf" "$@")
}

# hsm_vault NAME [KEY=VALUE...]: a token, served through a module that can be told
# to misbehave (see p11_shim.c).
hsm_vault() {
	local name=$1

	shift
	mkdir -p "$hsm_etc/vaults.d" "$hsm_libexec"
	install -m 755 "$hsm_bin/svcenc-vault-pkcs11" "$hsm_top/build/test/p11_shim.so" "$hsm_libexec"
	install -d -o "$hsm_user" -m 700 "$hsm_folder" "$hsm_folder/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\n' "$hsm_folder/tokens" >"$hsm_folder/conf"
	hsm_pin 1234
	hsm_as_user softhsm2-util --init-token --free --label mine \
		--so-pin 5678 --pin 1234 >"$hsm_tmp/said" 2>&1 || hsm_bail "no token: $(cat "$hsm_tmp/said")"
	cat >"$hsm_etc/vaults.d/$name.conf" <<-END
		[vault]
		type = pkcs11
		start = agent
		user = $hsm_user
		module = $hsm_libexec/p11_shim.so
		token = pkcs11:token=mine
		pin_file = $hsm_folder/pin
		environment = SOFTHSM2_CONF=$hsm_folder/conf P11_SHIM_MODULE=/usr/lib/softhsm/libsofthsm2.so P11_SHIM_FOLDER=$hsm_folder
	END
}

hsm_pin() {
	install -o "$hsm_user" -m 600 /dev/null "$hsm_folder/pin"
	echo "$1" >"$hsm_folder/pin"
}

# hsm_control FUNCTION WHAT...; nothing to end it.
hsm_control() {
	rm -f "$hsm_folder/control"
	[ $# -eq 0 ] && return
	install -o "$hsm_user" -m 644 /dev/null "$hsm_folder/control.new"
	echo "$*" >"$hsm_folder/control.new"
	mv "$hsm_folder/control.new" "$hsm_folder/control"
}

# hsm_owner COMMAND...: what the token's owner does; see token_owner.
hsm_owner() {
	hsm_as_user /usr/bin/python3 - /usr/lib/softhsm/libsofthsm2.so mine 1234 "$@" <"$hsm_top/tests/hsm/token_owner"
}

# kms_owner revoke|destroy|activate UID, or make NAME [BITS [USE,...]]; see kmip_owner
kms_owner() {
	"$hsm_top/tests/hsm/kmip_owner" "$kms_folder" "$@"
}

# kms_vault NAME
kms_vault() {
	mkdir -p "$hsm_etc/vaults.d" "$hsm_libexec"
	install -m 755 "$hsm_bin/svcenc-vault-kmip" "$hsm_libexec"
	install -d -o "$hsm_user" "$kms_folder"
	mkfifo "$hsm_tmp/kms.input"
	"$hsm_top/tests/hsm/kmip_run" "$kms_folder" "$hsm_user" <"$hsm_tmp/kms.input" &
	kms_pid=$!
	exec {kms_input}>"$hsm_tmp/kms.input"
	until [ -e "$kms_folder/port" ]; do
		kill -0 $kms_pid 2>/dev/null || hsm_bail "no KMIP server"
		sleep 0.05
	done
	cat >"$hsm_etc/vaults.d/$1.conf" <<-END
		[vault]
		type = kmip
		start = agent
		user = $hsm_user
		server = localhost:$(cat "$kms_folder/port")
		ca_file = $kms_folder/ca.pem
		certificate = $kms_folder/client.pem
		key_file = $kms_folder/client.key
	END
}

# own_vault NAME: that of agent/vault/own.
own_vault() {
	install -d -o "$hsm_user" -m 700 "$own_folder"
	printf '[vault]\ntype = own\nstart = external\nuser = %s\n' "$hsm_user" >"$hsm_etc/vaults.d/$1.conf"
	own_name=$1
	own_start
}

# As the script on standard input: nobody may not be let into this checkout.
own_start() {
	local socket=$hsm_run/vault/$own_name/sock

	install -d -m 755 "$hsm_run" "$hsm_run/vault"
	install -d -o "$hsm_user" -m 700 "${socket%/*}"
	rm -f "$socket"
	(cd / && exec setpriv --reuid "$hsm_user" --clear-groups /usr/bin/python3 - \
		"$own_name" "$socket" "$own_folder") <"$hsm_top/agent/vault/own/vault.py" &
	own_pid=$!
	until [ -S "$socket" ]; do
		kill -0 $own_pid 2>/dev/null || hsm_bail "the vault of one's own does not start"
		sleep 0.02
	done
}

own_stop() {
	kill "$own_pid"
	wait "$own_pid" 2>/dev/null
	own_pid=''
}
