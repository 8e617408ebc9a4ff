#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will compare what svcenc prints for people and for
# DESCRIPTION: machines, for every verb, with what it should.
# RUNS: host
# SET: quick
# TIMEOUT: 60

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

export TZ=UTC
cli_start_agent <<'EOF'
{"GetStatus": {"reply": {"version": "0.1", "pid": 77, "uptime_ms": 90000, "kernel": "ready",
	"kernel_detail": "", "store": "ok", "store_counter": 5, "tenants": 2, "policies": 2,
	"volumes": 2, "volumes_open": 1, "volumes_locked": 1, "policies_not_active": 0,
	"vaults": 3, "vaults_unreachable": 0, "warnings": ["vault a separates nothing from root"]}},
 "ListVolumes": {"reply": {"volumes": [
	{"name": "data", "state": "active", "tenant": "alpha", "policy": "provider", "size": 1073741824,
	 "device": "/dev/vg/data", "path": "/dev/mapper/data", "why": "",
	 "rotation": {"state": "running", "done": 129922760, "total": 1073741824}},
	{"name": "logs", "state": "locked", "tenant": "beta", "policy": "provider", "size": 67108864,
	 "device": "/dev/vg/logs", "path": "/dev/mapper/logs", "why": "key \u001b[31mrevoked"}]}},
 "ListTenants": {"reply": {"tenants": [{"name": "alpha", "uuid": "u-1", "created": 0, "policies": 1,
	"volumes": 12}]}},
 "CreateTenant": {"reply": {"tenant": {"name": "alpha"}, "created": false}},
 "ShowTenant": {"reply": {"tenant": {"name": "alpha", "uuid": "u-1", "created": 0}, "policies": [],
	"volumes": []}},
 "ListPolicies": {"reply": {"policies": []}},
 "ShowPolicy": {"reply": {"policy": {"tenant": "alpha", "name": "provider", "uuid": "u-2",
	"kind": "provider", "key": "svcenc:u-2:1", "check": "00ff", "state": "degraded",
	"why": "root b is denied", "availability": "transient", "on_withdrawal": "shutdown",
	"lease_s": 600, "probe_s": 30, "fallback_max_s": 14400, "volumes": 2, "open_volumes": 1,
	"key_live": true, "lease_left_ms": 599900, "held": false, "separates_from_root": false,
	"created": 0, "roots": [
		{"role": "a", "vault": "a", "kid": "file:a/k/1", "answer": "ok", "reason": "",
		 "detail": "", "answer_age_ms": 1200},
		{"role": "b", "vault": "b", "kid": "file:b/k/1", "answer": "denied", "reason": "disabled",
		 "detail": "key is disabled", "answer_age_ms": -1}]}}},
 "GrantFallback": {"reply": {"policy": {"tenant": "alpha", "name": "strict", "state": "fallback",
	"why": "no root answers", "fallback_ms": 61000, "grant": "ticket 4711",
	"grant_left_ms": 7200000, "roots": []}}},
 "RevokeGrant": {"reply": {"policy": {"tenant": "alpha", "name": "strict", "grant": "",
	"grant_left_ms": -1}}},
 "ListEvents": {"reply": {"last": 7, "events": [
	{"number": 6, "time": 0, "event": "grant", "policy": "alpha/strict", "uuid": "u-2", "was": "",
	 "state": "", "root_a": "", "root_b": "", "why": "ticket 4711"},
	{"number": 7, "time": 60, "event": "policy-state", "policy": "alpha/strict", "uuid": "u-2",
	 "was": "active", "state": "fallback", "root_a": "unreachable", "root_b": "throttled",
	 "why": "no root answers"}]}},
 "ListVaults": {"reply": {"vaults": [{"name": "a", "type": "file", "directory": "/var/lib/x/a",
	"user": "svcenc-vault", "start": "agent", "state": "reachable", "detail": "",
	"separates_from_root": false, "note": ""}]}},
 "TestVault": {"reply": {"vault": {"name": "a", "note": ""}, "steps": ["wrapped", "unwrapped"],
	"took_ms": 40}},
 "CreateVolume": {"reply": {"volume": {"name": "data", "tenant": "default", "size": 1073741824},
	"created": true, "notes": ["tenant default is made"]}},
 "OpenVolume": {"reply": {"volume": {"name": "data", "tenant": "default", "size": 1073741824,
	"path": "/dev/mapper/data"}, "already": false, "notes": []}},
 "CloseVolume": {"reply": {"volume": {"name": "data"}, "already": false}},
 "VolumeStatus": {"reply": {"volume": {"name": "data", "uuid": "u-3", "tenant": "alpha",
	"policy": "provider", "key": "svcenc:u-2:1", "state": "active", "why": "",
	"device": "/dev/vg/data", "path": "/dev/mapper/data", "devno": "253:7", "size": 1073741824,
	"device_size": 1145044992, "spare": 67108864, "sector_size": 4096, "allow_discards": false,
	"on_withdrawal": "shutdown",
	"seq": 4, "epoch": 1, "rotation_done": 0, "rotation_total": 0,
	"rotation": {"state": "idle", "done": 0, "total": 0, "limit": 0, "speed": 0, "left_ms": -1,
		"longest_park_us": 0, "unreadable": 0},
	"counters": {"reads": 10, "offline": 0}, "created": 0},
	"policy": {"state": "active", "why": "", "key_live": true, "lease_left_ms": 59000,
	"on_withdrawal": "shutdown"}}},
 "RotateVolume": {"reply": {"volume": {"name": "data", "epoch": 1, "state": "active", "rotation":
	{"state": "running", "done": 0, "total": 1073741824}}}},
 "ResizeVolume": {"reply": {"volume": {"name": "data"}, "old_size": 1073741824,
	"new_size": 2147483648}},
 "RecoverStore": {"reply": {"results": [
	{"device": "/dev/a", "outcome": "recovered", "why": "", "volume": "data", "policy": "provider",
	 "tenant": "alpha"},
	{"device": "/dev/b", "outcome": "refused", "why": "MAC does not match", "volume": "",
	 "policy": "", "tenant": ""}], "tenants": 1, "policies": 1, "volumes": 1}}}
EOF

# prints NAME STATUS WORDS... with the wanted stdout on stdin
prints() {
	local name=$1 wanted=$2

	shift 2
	svcenc "$@"
	cli_is "$name" "$status
$out" "$wanted
$(cat)"
}

prints "bare" 0 <<'EOF'
svcencd 0.1, up 1 min 30 s, kernel ready; 1 of 2 volumes open, 1 locked; 0 of 3 vaults unreachable
VOLUME  STATE                   TENANT  POLICY    SIZE    DEVICE        PATH              WHY
data    active, rotating 12.1%  alpha   provider  1 GiB   /dev/vg/data  /dev/mapper/data  -
logs    locked                  beta    provider  64 MiB  /dev/vg/logs  /dev/mapper/logs  key ?[31mrevoked
EOF
cli_is "bare: warnings" "$err" "svcenc: note: vault a separates nothing from root"
prints "tenant create" 0 tenant create alpha <<<"tenant alpha was there already"
prints "tenant list" 0 tenant list <<'EOF'
TENANT  POLICIES  VOLUMES  CREATED                    UUID
alpha   1         12       1970-01-01 00:00:00 +0000  u-1
EOF
prints "tenant show" 0 tenant show alpha <<'EOF'
tenant           alpha
uuid             u-1
created          1970-01-01 00:00:00 +0000

no policies

no volumes yet (svcenc format NAME DEVICE)
EOF
prints "policy list" 0 policy list <<<"no policies"
prints "policy show" 0 policy show alpha provider <<'EOF'
tenant           alpha
policy           provider
kind             provider
state            degraded
why              root b is denied
key              svcenc:u-2:1
check value      00ff
lease left       9 min 59 s
availability     transient
on withdrawal    shutdown
lease            10 min 0 s
probe            30.0 s
fallback max     4 h 0 min
volumes          2, open: 1
created          1970-01-01 00:00:00 +0000

ROOT  VAULT  ANSWER             AGE      KEY         DETAIL
a     a      ok                 1.2 s    file:a/k/1  -
b     b      denied (disabled)  unknown  file:b/k/1  key is disabled
EOF
prints "policy grant" 0 policy grant alpha strict --reason 'ticket 4711' --for 2h <<'EOF'
the availability key of policy strict of tenant alpha may bridge an outage for 2 h 0 min
EOF
prints "policy ungrant" 0 policy ungrant alpha strict <<'EOF'
policy strict of tenant alpha has no grant now
EOF
prints "agent events" 0 agent events <<'EOF'
NUMBER  TIME                       POLICY        EVENT     ROOT A       ROOT B     WHY
6       1970-01-01 00:00:00 +0000  alpha/strict  grant     -            -          ticket 4711
7       1970-01-01 00:01:00 +0000  alpha/strict  fallback  unreachable  throttled  no root answers
EOF
prints "vault list" 0 vault list <<'EOF'
VAULT  TYPE  STATE      SAFE FROM ROOT  USER          START  DIRECTORY     DETAIL
a      file  reachable  no              svcenc-vault  agent  /var/lib/x/a  -
EOF
prints "vault test" 0 vault test a <<'EOF'
  wrapped
  unwrapped
vault a works (0.0 s)
EOF
prints "format" 0 format data /dev/vg/data <<'EOF'
volume data is formatted (1 GiB, tenant default)
next: svcenc open data
EOF
prints "open" 0 open data <<'EOF'
volume data is open (1 GiB, tenant default)
/dev/mapper/data
EOF
prints "close" 0 close data <<<"volume data is closed"
prints "status" 0 status data <<'EOF'
volume           data
state            active
path             /dev/mapper/data
device           /dev/vg/data
uuid             u-3
tenant           alpha
policy           provider, active
key              svcenc:u-2:1
lease left       59.0 s
on withdrawal    shutdown
size             1 GiB, spare 64 MiB, device 1.1 GiB
sector size      4096
discards         not passed down
epoch            1
header seq       4
created          1970-01-01 00:00:00 +0000
reads            10
EOF
prints "rotate" 0 rotate data <<'EOF'
volume data is being rotated: 0.0% of 1024 MiB
next: svcenc status data
EOF
prints "resize" 0 resize data <<<"volume data has grown from 1 GiB to 2 GiB"
prints "store recover" 9 store recover /dev/a /dev/b <<'EOF'
DEVICE  OUTCOME    VOLUME  TENANT  POLICY    WHY
/dev/a  recovered  data    alpha   provider  -
/dev/b  refused    -       -       -         MAC does not match
the store now has 1 tenants, 1 policies, 1 volumes
EOF
prints "agent status" 0 agent status <<'EOF'
agent            svcencd 0.1, pid 77, up 1 min 30 s
kernel           ready
store            ok, state 5
tenants          2
policies         2, not active: 0
volumes          2, open: 1, locked: 1
vaults           3, unreachable: 0
EOF

# --- for machines: the agent's answer with the schema in front, nothing lost

for words in 'tenant list' 'tenant show alpha' 'policy show alpha provider' 'vault list' \
	'vault test a' 'volume list' 'status data' 'agent events' \
	'policy grant alpha strict --reason r --for 1h' 'policy ungrant alpha strict' 'agent status' 'resize data' 'rotate data' 'open data' \
	'close data' 'format data /dev/vg/data'; do
	# shellcheck disable=SC2086 # words
	svcenc $words --json
	method=$(cli_last_call | cut -d ' ' -f 2)
	wanted=$(jq -S --arg method "${method##*.}" '.[$method].reply + {schema: "svcenc/1"}' \
		"$CLI_TMP/answers.json")
	cli_is "$words --json" "$status ${err:-nothing} $(jq -S . <<<"$out")" "0 nothing $wanted"
done
svcenc --json
cli_is "bare --json" "$status $(jq -c '[.schema, .agent.pid, (.volumes | length)]' <<<"$out")" \
	'0 ["svcenc/1",77,2]'

cli_done
