# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The emulated key vault for a test, with the names that lead to it. Sourced
# first: it starts the test anew in a mount namespace of its own, where /etc/hosts
# knows the emulator's hosts and the name server knows nothing else.

akv_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
AKV_TENANT=11111111-2222-3333-4444-555555555555
# Of the name server: several tests run at the same time.
export AKV_NAMES=${AKV_NAMES:-127.77.$(($$ / 250 % 250)).$(($$ % 250 + 1))}

# akv_namespace "$@": the test's own arguments.
akv_namespace() {
	[ -z "${AKV_NAMESPACE:-}" ] || return 0
	AKV_NAMESPACE=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-akv.XXXXXX") || exit 1
	export AKV_NAMESPACE
	printf '127.0.0.1 localhost\n127.0.0.1 %s\n' \
		"kv1.vault.localhost kv2.vault.localhost hsm1.managedhsm.localhost login.localhost" \
		>"$AKV_NAMESPACE/hosts"
	echo "nameserver $AKV_NAMES" >"$AKV_NAMESPACE/resolv.conf"
	printf 'hosts: files dns\npasswd: files\ngroup: files\n' >"$AKV_NAMESPACE/nsswitch.conf"
	chmod 755 "$AKV_NAMESPACE"
	chmod 644 "$AKV_NAMESPACE"/*
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private bash -c '
		for file in hosts resolv.conf nsswitch.conf; do
			mount --bind "$AKV_NAMESPACE/$file" "/etc/$file" || exit 1
		done
		exec bash "$@"' akv "$0" "$@"
	set -- $?
	rm -rf "$AKV_NAMESPACE"
	exit "$1"
}

# akv_start FOLDER: and waits until it listens.
akv_start() {
	akv_folder=$1
	"$akv_here/emulator" "$akv_folder" "$AKV_NAMES" 2>"$akv_folder.log" &
	akv_pid=$!
	until [ -e "$akv_folder/ports" ]; do
		kill -0 "$akv_pid" 2>/dev/null || {
			echo "Bail out! the emulator does not start: $(cat "$akv_folder.log")"
			exit 1
		}
		sleep 0.05
	done
	exec {akv_control}<>"/dev/tcp/127.0.0.1/$(akv_port control)"
}

akv_stop() {
	[ -n "${akv_pid:-}" ] || return 0
	kill "$akv_pid" 2>/dev/null
	wait "$akv_pid" 2>/dev/null
	akv_pid=''
}

akv_port() {
	sed -n "s/^$1 //p" "$akv_folder/ports"
}

# akv COMMAND...: see emulator; prints what it answers, fails on an error.
akv() {
	local said

	echo "$*" >&"$akv_control"
	read -r -u "$akv_control" said || return 1
	case $said in
	ok | "ok ") ;;
	ok*) echo "${said#ok }" ;;
	*)
		echo "akv $*: $said" >&2
		return 1
		;;
	esac
}

# akv_settings VAULT FILE: the lines of a vaults.d file with the client secret
# that FILE holds, which belongs to the worker's user.
akv_settings() {
	local domain=vault

	[[ $1 != hsm* ]] || domain=managedhsm
	cat <<-END
		[vault]
		type = akv
		start = agent
		user = nobody
		url = https://$1.$domain.localhost:$(akv_port vault)
		authority = https://login.localhost:$(akv_port login)
		tenant = $AKV_TENANT
		client_id = app
		client_secret_file = $2
		ca_file = $akv_folder/ca.pem
	END
}
