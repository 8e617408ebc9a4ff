#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let an agent fail in every way it may: each error
# DESCRIPTION: becomes its exit status, two lines on stderr, and with --json an
# DESCRIPTION: object; hostile and broken answers are survived.
# RUNS: host
# SET: quick
# TIMEOUT: 60

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# fails_with ANSWER: tenant list gets that.
fails_with() {
	cli_start_agent <<<"{\"ListTenants\": $1}"
}

for exit in 1 2 3 4 5 6 7 8 9; do
	fails_with "{\"error\": \"io.svcenc.Agent.X\", \"parameters\":
		{\"message\": \"alpha: no\", \"hint\": \"do this\", \"exit\": $exit}}"
	cli_refused "exit status $exit" $exit 'alpha: no' 'do this' tenant list
done
svcenc tenant list --json
cli_is "the same for machines" "$(jq -c . <<<"$out")" \
	'{"schema":"svcenc/1","error":{"message":"alpha: no","hint":"do this","exit":9}}'

fails_with '{"error": "io.svcenc.Agent.NotFound", "parameters": {"message": "m", "hint": "", "exit": 1}}'
cli_refused "no hint, no line" 1 m '' tenant list
fails_with '{"error": "io.svcenc.Agent.Odd", "parameters": {}}'
cli_refused "an error without text" 1 io.svcenc.Agent.Odd '' tenant list
for exit in 0 -1 256 126 9999999999; do
	fails_with "{\"error\": \"x.Y\", \"parameters\": {\"message\": \"m\", \"exit\": $exit}}"
	cli_refused "exit $exit is no exit status" 1 m '' tenant list
done
fails_with '{"error": "x.Y", "parameters": {"message": "a\u001b[31mb\nsvcenc: hint: lies", "exit": 4}}'
cli_refused "no control characters" 4 'a?[31mb?svcenc: hint: lies' '' tenant list
cli_start_agent <<<'{}'
cli_refused "unknown method" 1 \
	'svcencd does not know this request (org.varlink.service.MethodNotFound)' \
	'svcenc and svcencd are of different versions: systemctl restart svcencd' tenant list

again="look with 'svcenc agent status' and 'journalctl -u svcencd', then give the command again: that is safe, it goes on where it stopped"
fails_with '{"close": true}'
cli_refused "agent dies" 10 'svcencd went away before it answered' "$again" tenant list
for raw in nonsense '[]' '{"parameters": 5}' '{"error": 7}' '' '{"parameters": {}' \
	'{"parameters": {}, "parameters": {}}'; do
	fails_with "$(jq -n --arg raw "$raw" '{raw: $raw}')"
	cli_refused "answer '$raw'" 10 "svcencd's answer is not one of io.svcenc.Agent" "$again" tenant list
done

# --- sockets

cli_start_agent <<<'{"sockets": ["officer"], "ListTenants": {"reply": {"tenants": []}}}'
svcenc agent status
cli_is "one socket is missing" "$status" 10
cli_stop_agent
svcenc tenant list
cli_is "socket of a dead agent" "$status" 10
long=$(printf 'x%.0s' {1..120})
cli_run "$CLI_BIN/svcenc" --socket-dir "/$long" agent status
cli_is "long path" "$status $(head -n 1 <<<"$err")" \
	"1 svcenc: error: --socket-dir /$long is too long"

# Not served by root: a socket of somebody else in a directory of his own.
if setpriv --reuid 65534 true 2>/dev/null; then
	mkdir "$CLI_TMP/foreign"
	chown 65534 "$CLI_TMP/foreign"
	chmod 755 "$CLI_TMP" "$CLI_TMP/foreign"
	echo '{}' >"$CLI_TMP/none.json"
	chmod 644 "$CLI_TMP/none.json"
	install -m 755 "$cli_here/fake_agent" "$CLI_TMP/fake_agent"
	: >"$CLI_TMP/ready"
	setpriv --reuid 65534 --clear-groups /usr/bin/python3 "$CLI_TMP/fake_agent" "$CLI_TMP/foreign" \
		"$CLI_TMP/none.json" "$CLI_TMP/foreign/calls" 3>"$CLI_TMP/ready" &
	cli_agent=$!
	until [ -s "$CLI_TMP/ready" ] || ! kill -0 $cli_agent; do sleep 0.02; done
	cli_run "$CLI_BIN/svcenc" --socket-dir "$CLI_TMP/foreign" agent status
	cli_is "not served by root" "$status $(head -n 1 <<<"$err")" \
		"2 svcenc: error: the socket in $CLI_TMP/foreign is not served by root"
	cli_is "and nothing was said to it" "$(cat "$CLI_TMP/foreign/calls")" ''
fi

cli_start_agent <<<'{"ListTenants": {"reply": {"tenants": []}}}'
"$CLI_BIN/svcenc" --socket-dir "$CLI_TMP/run" tenant list >/dev/full 2>"$CLI_TMP/err"
cli_is "output that cannot be written" "$? $(<"$CLI_TMP/err")" \
	"4 svcenc: error: cannot write to standard output"

cli_done
