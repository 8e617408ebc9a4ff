#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let an agent rotate volumes in every way that svcenc has to
# DESCRIPTION: show: under way, stopped, paused, ended, waited for; on a terminal, in a
# DESCRIPTION: pipe and for machines.
# RUNS: host
# WAITS: the next line of a progress
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# volume STATE ROTATION DONE_MIB [MEMBERS]: an answer with a volume of 100 MiB.
volume() {
	local total=100

	[ "$2" != idle ] || total=0
	echo "{\"reply\": {\"policy\": {\"state\": \"active\"}, \"volume\": {\"name\": \"data\",
		\"state\": \"$1\", \"epoch\": $((2 - (total > 0))), \"size\": 104857600,
		\"rotation\": {\"state\": \"$2\", \"done\": $(($3 << 20)),
		\"total\": $((total << 20))${4:+, $4}}, \"why\": \"the cure\"}}}"
}

# goes ANSWER...: to RotateVolume the first one, to VolumeStatus the others.
goes() {
	local first=$1 others

	shift
	others=$(printf '%s,' "$@")
	cli_start_agent <<<"{\"RotateVolume\": $first, \"VolumeStatus\": [${others%,}]}"
}

# says NAME STATUS WORDS...: with the wanted stdout and stderr on stdin.
says() {
	local name=$1 wanted=$2

	shift 2
	svcenc "$@"
	cli_is "$name" "$status
$(rough <<<"$out")${err:+
$err}" "$wanted
$(cat)"
}

# Speeds depend on the clock: what is left is their shape.
rough() {
	sed -E 's/[0-9.]+ [KMG]?i?B\/s, .* left/SPEED, TIME left/'
}

# --- without waiting

goes "$(volume active running 12)"
says "under way" 0 rotate data <<'EOF'
volume data is being rotated: 12.0% of 100 MiB
next: svcenc status data
EOF
goes "$(volume active idle 0)"
says "over at once" 0 rotate data <<<"volume data is rotated: epoch 2"
goes "$(volume active paused 50)"
says "paused" 0 rotate data --pause <<'EOF'
rotation of volume data is paused at 50.0%, until the volume is closed or
svcenc rotate data --resume
EOF

# --- waiting

goes "$(volume active running 0)" "$(volume active running 34)" "$(volume active held 36)" \
	"$(volume active running 80)" "$(volume active idle 0)"
svcenc rotate data --wait
cli_is "waiting: a line for each tenth that has passed" "$status $(rough <<<"$out")" "0 data: 0.0%
data: 34.0%, SPEED, TIME left
data: 80.0%, SPEED, TIME left
volume data is rotated: epoch 2"
cli_is "and nothing else" "$err" ""
cli_is "it looked as often as it had to" "$(wc -l <"$CLI_TMP/calls")" 5

goes "$(volume active running 0)" "$(volume active running 34)" "$(volume active idle 0)"
svcenc rotate data --wait --json
cli_is "waiting, for machines: the last look alone" \
	"$status $(jq -c '[.schema, .volume.epoch, .volume.rotation.state]' <<<"$out") $err" \
	'0 ["svcenc/1",2,"idle"] '

goes "$(volume active running 0)" "$(volume active running 34)" "$(volume active idle 0)"
cli_run script -q -e -c "$CLI_BIN/svcenc --socket-dir $CLI_TMP/run rotate data -w" /dev/null
cli_is "waiting, on a terminal: one line, renewed" \
	"$status $(tr '\r' '\n' <<<"$out" | sed 's/\x1b\[K//g' | grep -v '^$' | rough)" "0 data: 0.0%
data: 34.0%, SPEED, TIME left
volume data is rotated: epoch 2"

# stops STATE EXIT: what --wait says of that.
stops() {
	goes "$(volume active running 0)" "$(volume active "$1" 25)"
	says "stopped: $1" "$2" rotate data --wait <<EOF
data: 0.0%
svcenc: error: rotation of volume data stopped at 25.0%: $1
svcenc: hint: the cure
EOF
}

stops paused 5
stops read-error 4
stops write-error 4
stops superblock-error 4
stops locked 2

goes "$(volume active running 0)" "$(volume active held 25 | sed 's/the cure//')"
says "held, and no end of it" 4 rotate data --wait <<'EOF'
data: 0.0%
data: 25.0%, SPEED, TIME left
svcenc: error: rotation of volume data stopped at 25.0%: held
svcenc: hint: 'svcenc rotate data --resume'; the journal of svcencd has the reason
EOF
goes "$(volume active running 0)" "$(volume closed idle 0)"
says "closed meanwhile" 5 rotate data --wait <<'EOF'
data: 0.0%
svcenc: error: volume data was closed meanwhile
svcenc: hint: 'svcenc open data': an unfinished rotation goes on then
EOF
goes "$(volume active running 0)" '{"error": "io.svcenc.Agent.Kernel", "parameters":
	{"message": "no status", "hint": "look", "exit": 4}}'
says "a look that fails" 4 rotate data --wait <<'EOF'
data: 0.0%
svcenc: error: no status
svcenc: hint: look
EOF
goes "$(volume active running 0)" '{"close": true}' "$(volume active running 34)" \
	'{"close": true}' '{"close": true}' "$(volume active idle 0)"
svcenc rotate data --wait
cli_is "the agent is restarted meanwhile: nobody need know" "$status $(rough <<<"$out") $err" \
	"0 data: 0.0%
data: 34.0%, SPEED, TIME left
volume data is rotated: epoch 2 "
goes "$(volume active running 0)" '{"close": true}'
svcenc rotate data --wait
cli_is "the agent stays away" "$status ${err%%$'\n'*}" \
	"10 svcenc: error: svcencd went away before it answered"
goes '{"error": "io.svcenc.Agent.Exists", "parameters":
	{"message": "data: is being rotated already", "hint": "wait", "exit": 5}}' '{}'
cli_refused "a second one" 5 "data: is being rotated already" wait rotate data --wait

# --- where volumes are shown

goes '{}' "$(volume active read-error 25 \
	'"limit": 20971520, "speed": 0, "left_ms": -1, "longest_park_us": 12345, "unreadable": 3')"
svcenc status data
cli_is "status, stopped" "$(grep -E '^(why|rotation|longest|unreadable)' <<<"$out")" \
	"why              the cure
rotation         read-error, 25.0% (25 MiB of 100 MiB)
rotation limit   20 MiB/s
longest park     12.3 ms
unreadable       3 extents: reads fail until they are written"
goes '{}' "$(volume active running 25 '"speed": 5242880, "left_ms": 15000')"
svcenc status data
cli_is "status, under way" "$(grep -E '^rotation' <<<"$out")" \
	"rotation         running, 25.0% (25 MiB of 100 MiB), 5 MiB/s, 15.0 s left"

cli_done
