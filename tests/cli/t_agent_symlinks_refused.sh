#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will put symbolic links in place of the store, its directory, its
# DESCRIPTION: key, the lock, the run directory, a socket, a vault's directory and a root
# DESCRIPTION: key: each is refused with words that name it, or replaced, never followed.
# RUNS: host
# SET: quick
# TIMEOUT: 120
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
aside=$CLI_TMP/aside

# linked PATH: it is elsewhere now, with a link to it in its place.
linked() {
	mkdir -p "$aside"
	mv "$1" "$aside/" && ln -s "$aside/${1##*/}" "$1"
}

unlinked() {
	rm "$1" && mv "$aside/${1##*/}" "$1"
}

# says NAME STATUS PATTERN HINT WORDS...: svcenc does.
says() {
	local name=$1 wanted=$2 pattern=$3 hint=$4

	shift 4
	svcenc "$@"
	cli_is "$name: exit" "$status" "$wanted"
	if grep -q "^svcenc: error: .*$pattern" <<<"$err" && grep -q "$hint" <<<"$err"; then
		cli_pass "$name: $pattern"
	else
		cli_fail "$name: $pattern"
		printf '# %s\n' "$err"
	fi
}

store_and_its_places() {
	local before

	before=$(sha256sum <"$host_state/store.db")
	linked "$host_state/store.db"
	host_refuses_to_start "the store" 4 "the path of the store $host_state/store.db has a symbolic link in it" \
		"put the file itself there"
	unlinked "$host_state/store.db"
	linked "$host_state"
	host_refuses_to_start "the store's directory" 4 "$host_state is a symbolic link, not a directory" "move it away"
	unlinked "$host_state"
	linked "$host_vaults/store-mac.key"
	host_refuses_to_start "the store's key" 4 "cannot use the store key $host_vaults/store-mac.key: Too many levels of symbolic links" \
		"restore it"
	unlinked "$host_vaults/store-mac.key"
	linked "$host_run"
	host_refuses_to_start "the run directory" 4 "$host_run is a symbolic link, not a directory" "move it away"
	unlinked "$host_run"
	chown nobody "$host_run"
	host_refuses_to_start "a run directory of another user" 4 "directory $host_run belongs to user $(id -u nobody), wanted 0" \
		"move it away"
	chown root "$host_run"
	: >"$aside/target"
	rm -f "$host_run/svcencd.lock"
	ln -s "$aside/target" "$host_run/svcencd.lock"
	host_refuses_to_start "the lock" 4 "cannot lock $host_run/svcencd.lock: Too many levels" "is the directory writable"
	rm "$host_run/svcencd.lock"
	cli_is "the store is as it was" "$(sha256sum <"$host_state/store.db")" "$before"
}

# Theirs is replaced by a socket; what the link led to is not touched.
sockets() {
	local name

	echo "not yours" >"$aside/target"
	chmod 640 "$aside/target"
	for name in status operator officer; do
		ln -sf "$aside/target" "$host_run/$name.sock"
	done
	ln -sf "$aside/target" "$host_run/vault/a/sock"
	host_start
	for name in status.sock operator.sock officer.sock vault/a/sock; do
		cli_is "link in place of $name: a socket now" "$(stat -c %F "$host_run/$name")" socket
	done
	cli_is "what they led to" "$(stat -c '%a %U' "$aside/target") $(cat "$aside/target")" "640 root not yours"
}

# Neither counts as an outage of the vault.
vaults() {
	local key=$host_vaults/b/svcenc-selftest.1.key

	svcenc vault test a
	cli_is "vault a works" "$status" 0
	linked "$host_vaults/a"
	says "a vault's directory" 2 "$host_vaults/a of vault 'a' is a symbolic link or no directory" "vaults.d/a.conf" \
		vault test a
	unlinked "$host_vaults/a"
	svcenc vault test a
	cli_is "the directory itself is fine" "$status" 0
	svcenc vault test b
	linked "$key"
	says "a root key" 2 "key $key cannot be opened: it is a symbolic link; put the file itself there" "vault test b" vault test b
	unlinked "$key"
	svcenc vault test b
	cli_is "the key itself is fine" "$status" 0
	ln -s "$aside/target" "$host_vaults/b/made.1.key"
	ln -s "$aside/target" "$host_vaults/b/svcenc-selftest.1.key.new"
	svcenc vault test b
	cli_is "links that nobody asked about do no harm" "$status $(cat "$aside/target")" "0 not yours"
}

# A new key is never written through a link: the name is taken, that is all.
new_key_over_link() {
	svcenc tenant create beta
	cli_is "tenant beta" "$status" 0
	rm "$host_vaults/availability"/*.key
	ln -s "$aside/nowhere" "$host_vaults/availability/svcenc-selftest.1.key"
	says "a dangling link in place of a new key" 2 "svcenc-selftest.1.key cannot be opened: it is a symbolic link" "vault test" \
		vault test availability
	cli_is "nothing was made behind it" "$(ls "$aside")" target
}

host_prepare
host_start
svcenc tenant create alpha
cli_is "tenant alpha" "$status" 0
host_stop TERM
store_and_its_places
sockets
svcenc tenant list
cli_is "alpha is there" "$(grep -c '^alpha' <<<"$out")" 1
vaults
new_key_over_link
host_stop TERM
cli_done
