#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give svcenc right and wrong words: what is right
# DESCRIPTION: arrives at the agent as the right method, socket and parameters;
# DESCRIPTION: what is wrong never gets there and names its cure.
# RUNS: host
# SET: quick
# TIMEOUT: 60

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# --- wrong words: no agent runs, and none is asked for

see='see --help'
cli_refused "no such noun" 1 "there is no noun or short form 'frobnicate'" 'svcenc --help' frobnicate
cli_refused "no such option" 1 'there is no option --frob' "$see" volume list --frob
cli_refused "no such letter" 1 'there is no option -x' "$see" volume list -x
cli_refused "no such global option" 1 'there is no option --frob' "$see" --frob
cli_refused "option without argument" 1 'option --tenant wants an argument' "$see" policy list --tenant
cli_refused "option twice" 1 'option --tenant is given twice' 'give it once' \
	policy list --tenant a -t b
cli_refused "too many words" 1 "'extra' is one word too many" "$see" tenant show a extra
cli_refused "operand missing" 1 'DEVICE is missing' \
	'svcenc format data /dev/vg/data --tenant alpha' format data
cli_refused "no operand at all" 1 'NAME is missing' 'umount /srv && svcenc close data' close
cli_refused "one of many is missing" 1 'DEVICE is missing' \
	'svcenc store recover /dev/vg/data /dev/vg/logs' store recover
cli_refused "bad size" 1 "--size: '12Q' is not usable" \
	'wanted is a number of bytes, or one with K, M, G or T: 64M' format a /dev/x --size 12Q
cli_refused "negative size" 1 "--spare: '-1' is not usable" \
	'wanted is a number of bytes, or one with K, M, G or T: 64M' format a /dev/x --spare=-1
cli_refused "size beyond 63 bits" 1 "--size: '9999999T' is not usable" \
	'wanted is a number of bytes, or one with K, M, G or T: 64M' format a /dev/x --size 9999999T
cli_refused "bad time" 1 "--lease: 'soon' is not usable" \
	'wanted is a number of seconds, or one with s, m, h or d: 10m' policy create a b --lease soon
cli_refused "bad rate" 1 "--rate: '10T' is not usable" \
	'wanted is a number of MiB per second, or one with K, M or G; 0 for no limit' rotate a --rate 10T
cli_refused "pause and resume" 1 '--pause and --resume contradict each other' 'give one of them' \
	rotate a --pause --resume
cli_refused "pause and wait" 1 '--pause and --wait: a paused rotation does not end' \
	'give one of them' rotate a --pause --wait
cli_refused "skip without resume" 1 '--skip-unreadable without --resume' \
	'it goes with --resume, when a rotation has stopped at a sector that cannot be read' \
	rotate a --skip-unreadable
cli_refused "name that is not UTF-8" 1 "NAME: '"$'\xff'"' is not usable" \
	'wanted is text in UTF-8' open $'\xff'
cli_refused "force with nobody to ask" 1 '--force on /dev/x, and nobody to ask (no terminal)' \
	'add --yes if all of it may be lost' format a /dev/x --force
svcenc volume
cli_is "a noun alone lists its verbs" "$status: $(head -n 1 <<<"$err")" \
	"1:   volume create     format a device as a volume (short: svcenc format)"

# --- no agent

cli_refused "agent not running" 10 "svcencd is not running (no socket in $CLI_TMP/run)" \
	'start it: systemctl start svcencd' agent status
cli_refused "agent not running, bare" 10 "svcencd is not running (no socket in $CLI_TMP/run)" \
	'start it: systemctl start svcencd'

cli_refused "a grant without a reason" 1 "--reason is missing" \
	'it goes into the audit trail, and the tenant sees it' policy grant alpha strict --for 2h
cli_refused "a grant without an end" 1 "--for is missing" 'for instance --for 2h' \
	policy grant alpha strict --reason outage

# --- help

for words in '' volume format 'volume create' open 'store recover' table; do
	# shellcheck disable=SC2086 # words
	svcenc $words --help
	cli_is "help of '$words' is on stdout" "$status ${err:-nothing} $([ -n "$out" ] && echo text)" \
		"0 nothing text"
done
missing=''
while read -r noun verb; do
	svcenc "$noun" "$verb" --help
	grep -q "^example:" <<<"$out" && grep -q "^  .*svcenc " <<<"$out" || missing+=" $noun $verb"
done < <("$CLI_BIN/svcenc" --help | sed -n 's/^  \([a-z][a-z]*\) \([a-z][a-z]*\)  .*/\1 \2/p')
cli_is "help of every verb has an example" "$missing" ''
svcenc --version
cli_is "version" "$status ${out%% *}" "0 svcenc"

# --- right words

cli_start_agent <<'EOF'
{"CreateTenant": {"reply": {"tenant": {"name": "alpha"}, "created": true}},
 "CreatePolicy": {"reply": {"policy": {"name": "strict", "tenant": "alpha"}, "created": true}},
 "RollPolicy": {"reply": {"policy": {}, "changed": true, "next": ""}},
 "RekeyPolicy": {"reply": {"policy": {}, "changed": true, "next": ""}},
 "SetPolicyRoots": {"reply": {"policy": {}, "changed": true, "next": ""}},
 "RecoverPolicy": {"reply": {"policy": {}, "changed": true, "next": ""}},
 "RetireRoots": {"reply": {"policy": {}, "next": "", "roots": []}},
 "TestPolicy": {"reply": {"policy": {}, "roots": []}},
 "CreateVolume": {"reply": {"volume": {"name": "data"}, "created": true, "notes": []}},
 "OpenVolume": {"reply": {"volume": {"name": "data"}, "already": false, "notes": []}},
 "CloseVolume": {"reply": {"volume": {"name": "data"}, "already": false}},
 "VolumeStatus": {"reply": {"volume": {"name": "data", "tenant": "alpha", "policy": "provider"},
		 "policy": {}}},
 "ListPolicies": {"reply": {"policies": []}},
 "GrantFallback": {"reply": {"policy": {}}}, "RevokeGrant": {"reply": {"policy": {}}},
 "ListEvents": {"reply": {"events": [], "last": 0}}, "RotateVolume": {"reply": {"volume": {"name": "data", "rotation": {"state": "running", "total": 1}}}},
 "RecoverStore": {"reply": {"results": [], "tenants": 0, "policies": 0, "volumes": 0}},
 "GetStatus": {"reply": {}}}
EOF

# sent NAME WANTED WORDS...
sent() {
	local name=$1 wanted=$2

	shift 2
	svcenc "$@"
	cli_is "$name" "$status $(cli_last_call)" "0 $wanted"
}

agent=io.svcenc.Agent
sent "officers' method" "officer $agent.CreateTenant {\"name\": \"alpha\"}" tenant create alpha
sent "everybody's method" "status $agent.GetStatus {}" agent status
sent "operators' method" "operator $agent.ListPolicies {}" policy list
sent "letter option" "operator $agent.ListPolicies {\"tenant\": \"alpha\"}" policy list -t alpha
sent "options before operands" \
	"officer $agent.CreatePolicy {\"availability\": \"never\", \"lease_s\": 300, \"name\": \"strict\", \"tenant\": \"alpha\"}" \
	policy create --lease 5m --availability=never alpha strict
sent "a customer's roots" \
	"officer $agent.CreatePolicy {\"accept_unrecoverable\": true, \"name\": \"own\", \"root_a\": \"akv:cust-a:k\", \"root_b\": \"cust-b:pkcs11:object=k\", \"tenant\": \"alpha\", \"vault_availability\": \"av\"}" \
	policy create alpha own --root-a akv:cust-a:k --root-b cust-b:pkcs11:object=k --accept-unrecoverable --availability-vault av
sent "roll" "officer $agent.RollPolicy {\"name\": \"own\", \"tenant\": \"alpha\"}" policy roll alpha own
sent "roll of some roots" "officer $agent.RollPolicy {\"name\": \"own\", \"roots\": [\"a\", \"availability\"], \"tenant\": \"alpha\"}" \
	policy roll alpha own --root a,availability
sent "retire" "officer $agent.RetireRoots {\"name\": \"own\", \"tenant\": \"alpha\"}" policy roll alpha own --retire
sent "rekey" "officer $agent.RekeyPolicy {\"name\": \"own\", \"tenant\": \"alpha\"}" policy rekey alpha own
sent "set-roots" "officer $agent.SetPolicyRoots {\"name\": \"own\", \"root_a\": \"a:k\", \"root_b\": \"b:k\", \"tenant\": \"alpha\"}" \
	policy set-roots alpha own --root-a a:k --root-b b:k
sent "set-roots back" "officer $agent.SetPolicyRoots {\"name\": \"own\", \"provider\": true, \"tenant\": \"alpha\"}" \
	policy set-roots alpha own --provider
sent "recover" "officer $agent.RecoverPolicy {\"lost\": \"a\", \"name\": \"own\", \"root\": \"c:k\", \"tenant\": \"alpha\"}" \
	policy recover alpha own --lost a --root c:k
sent "policy test" "operator $agent.TestPolicy {\"name\": \"own\", \"tenant\": \"alpha\"}" policy test alpha own
cli_refused "roots and --retire" 1 "--retire and --root do not go together" \
	"--retire is about all roots of a policy" policy roll alpha own --retire --root a
sent "format" \
	"operator $agent.CreateVolume {\"allow_discards\": true, \"device\": \"/dev/vg/d\", \"name\": \"data\", \"sector_size\": 512, \"spare\": 16777216, \"tenant\": \"alpha\"}" \
	format data /dev/vg/d --tenant alpha --sector-size 512 --spare 16M --discard
sent "format, long form" \
	"operator $agent.CreateVolume {\"device\": \"/dev/vg/d\", \"force\": true, \"name\": \"data\"}" \
	volume create data /dev/vg/d --force --yes
sent "rotate" "operator $agent.RotateVolume {\"action\": \"start\", \"name\": \"data\"}" rotate data
sent "rotate with a rate, in MiB/s" \
	"operator $agent.RotateVolume {\"action\": \"start\", \"name\": \"data\", \"rate\": 20971520}" \
	volume rotate data --rate 20
sent "rotate with a rate, in KiB/s" \
	"operator $agent.RotateVolume {\"action\": \"start\", \"name\": \"data\", \"rate\": 524288}" \
	rotate --rate 512K data
sent "rotate, no limit" \
	"operator $agent.RotateVolume {\"action\": \"resume\", \"name\": \"data\", \"rate\": 0}" \
	rotate data --resume --rate 0
sent "pause" "operator $agent.RotateVolume {\"action\": \"pause\", \"name\": \"data\"}" rotate data --pause
sent "past unreadable sectors" \
	"operator $agent.RotateVolume {\"action\": \"resume\", \"name\": \"data\", \"skip_unreadable\": true}" \
	rotate data --resume --skip-unreadable
cd "$CLI_TMP" || exit 1
sent "relative path" "operator $agent.OpenVolume {\"device\": \"$CLI_TMP/img\", \"name\": \"data\"}" \
	open data img
sent "what happens on withdrawal" \
	"operator $agent.OpenVolume {\"name\": \"data\", \"on_withdrawal\": \"shutdown\"}" \
	open data --on-withdrawal shutdown
sent "a grant is an officer's" \
	"officer $agent.GrantFallback {\"for_s\": 7200, \"name\": \"strict\", \"reason\": \"outage\", \"tenant\": \"alpha\"}" \
	policy grant alpha strict --reason outage --for 2h
sent "and so is its end" \
	"officer $agent.RevokeGrant {\"name\": \"strict\", \"tenant\": \"alpha\"}" \
	policy ungrant alpha strict
sent "events" "operator $agent.ListEvents {\"after\": 12}" agent events --after 12
sent "rollback goes to officers" \
	"officer $agent.OpenVolume {\"accept_rollback\": true, \"name\": \"data\"}" \
	open data --accept-rollback
sent "name behind --" "operator $agent.CloseVolume {\"name\": \"--help\"}" close -- --help
sent "many operands" "officer $agent.RecoverStore {\"devices\": [\"/dev/a\", \"/dev/b\"]}" \
	store recover /dev/a /dev/b
sent "expected policy" "operator $agent.OpenVolume {\"name\": \"data\"}" \
	open --policy alpha/provider data
svcenc open --policy beta/provider data
cli_is "another policy" "$status $err $(cli_last_call)" \
	"4 svcenc: error: volume data is under policy alpha/provider, not beta/provider
svcenc: hint: correct the policy in /etc/svcenctab, or the device operator $agent.VolumeStatus {\"name\": \"data\"}"

cli_done
