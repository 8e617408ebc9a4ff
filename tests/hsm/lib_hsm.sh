# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real vaults of other makers for tests of svcencd on the host: a SoftHSM token,
# a PyKMIP server, and the vault of one's own. Sourced after agent_host.sh; each
# makes its file in vaults.d, before host_start. Workers run as nobody.
#
# shellcheck disable=SC2154 # cli_*, host_* come from there

hsm_folder=$CLI_TMP/hsm kms_folder=$CLI_TMP/kms own_folder=$CLI_TMP/own
kms_pid='' own_pid=''

# shellcheck disable=SC2317 # called by a trap
hsm_end() {
	[ "$BASHPID" = $$ ] || return
	[ -z "$own_pid" ] || kill "$own_pid"
	[ -z "$kms_pid" ] || exec {kms_input}>&- # it ends with that
	host_end
}
trap hsm_end EXIT

hsm_as_nobody() {
	(cd / && exec setpriv --reuid nobody --clear-groups "$@")
}

# hsm_vault NAME [KEY=VALUE...]: a token, served through a module that can be told
# to misbehave (see p11_shim.c).
hsm_vault() {
	local name=$1

	shift
	install -m 755 "$CLI_BIN/svcenc-vault-pkcs11" "$cli_top/build/test/p11_shim.so" "$CLI_TMP/libexec"
	install -d -o nobody -m 700 "$hsm_folder" "$hsm_folder/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\n' "$hsm_folder/tokens" >"$hsm_folder/conf"
	hsm_pin 1234
	SOFTHSM2_CONF=$hsm_folder/conf hsm_as_nobody softhsm2-util --init-token --free --label mine \
		--so-pin 5678 --pin 1234 >"$CLI_TMP/said" 2>&1 || host_bail "no token: $(cat "$CLI_TMP/said")"
	cat >"$CLI_TMP/etc/vaults.d/$name.conf" <<-END
		[vault]
		type = pkcs11
		start = agent
		user = nobody
		module = $CLI_TMP/libexec/p11_shim.so
		token = pkcs11:token=mine
		pin_file = $hsm_folder/pin
		environment = SOFTHSM2_CONF=$hsm_folder/conf P11_SHIM_MODULE=/usr/lib/softhsm/libsofthsm2.so P11_SHIM_FOLDER=$hsm_folder
	END
}

hsm_pin() {
	install -o nobody -m 600 /dev/null "$hsm_folder/pin"
	echo "$1" >"$hsm_folder/pin"
}

# hsm_control FUNCTION WHAT...; nothing to end it.
hsm_control() {
	rm -f "$hsm_folder/control"
	[ $# -eq 0 ] && return
	install -o nobody -m 644 /dev/null "$hsm_folder/control.new"
	echo "$*" >"$hsm_folder/control.new"
	mv "$hsm_folder/control.new" "$hsm_folder/control"
}

# kms_vault NAME
kms_vault() {
	install -m 755 "$CLI_BIN/svcenc-vault-kmip" "$CLI_TMP/libexec"
	install -d -o nobody "$kms_folder"
	mkfifo "$CLI_TMP/kms.input"
	"$cli_top/tests/hsm/kmip_run" "$kms_folder" <"$CLI_TMP/kms.input" &
	kms_pid=$!
	exec {kms_input}>"$CLI_TMP/kms.input"
	until [ -e "$kms_folder/port" ]; do
		kill -0 $kms_pid 2>/dev/null || host_bail "no KMIP server"
		sleep 0.05
	done
	cat >"$CLI_TMP/etc/vaults.d/$1.conf" <<-END
		[vault]
		type = kmip
		start = agent
		user = nobody
		server = localhost:$(cat "$kms_folder/port")
		ca_file = $kms_folder/ca.pem
		certificate = $kms_folder/client.pem
		key_file = $kms_folder/client.key
	END
}

# own_vault NAME: that of agent/vault/own.
own_vault() {
	install -d -o nobody -m 700 "$own_folder"
	printf '[vault]\ntype = own\nstart = external\nuser = nobody\n' >"$CLI_TMP/etc/vaults.d/$1.conf"
	own_name=$1
	own_start
}

# As the script on standard input: nobody may not be let into this checkout.
own_start() {
	local socket=$host_run/vault/$own_name/sock

	install -d -m 755 "$host_run" "$host_run/vault"
	install -d -o nobody -m 700 "${socket%/*}"
	rm -f "$socket"
	(cd / && exec setpriv --reuid nobody --clear-groups /usr/bin/python3 - \
		"$own_name" "$socket" "$own_folder") <"$cli_top/agent/vault/own/vault.py" &
	own_pid=$!
	until [ -S "$socket" ]; do
		kill -0 $own_pid 2>/dev/null || host_bail "the vault of one's own does not start"
		sleep 0.02
	done
}

own_stop() {
	kill "$own_pid"
	wait "$own_pid" 2>/dev/null
	own_pid=''
}
