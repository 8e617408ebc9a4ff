#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will dump a guest's memory from outside, with the real
# DESCRIPTION: agent and its vault workers in it: the volume key and the wrap key are found
# DESCRIPTION: while a volume is open, and no key byte of any kind after the key was
# DESCRIPTION: revoked, unlinked, at the end of its lease, and after close; of the old
# DESCRIPTION: volume key none once a rotation has ended.  The policy key
# DESCRIPTION: is never found, but with an agent that is leaky on purpose, which it must be.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 600
#
# The guest runs without memory poisoning, as a production kernel does: what
# is gone was wiped by the module, the agent or the crypto API. The keys are
# learned by the model on the host, from the header and the vaults' files.

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-memory.XXXXXX")
share=$work/share
vm=''

finish() {
	[ -z "$vm" ] || kill "$vm" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

fail() {
	echo "FAILED: $*"
	[ ! -s "$work/log" ] || tail -n 30 "$work/log"
	exit 1
}

model=$top/tests/ref/svcenc_model.py
mkdir "$share" || exit 1
[ -x "$top/build/test/leaky/svcencd" ] || fail "the leaky agent is not built (make agent-leaky)"
"$top/tests/vm/run" --plain --mem 448 --share "$share" --monitor "$work/qmp" \
	--disk 16M --timeout 500 "$here/lib/hold-key" >"$work/log" 2>&1 &
vm=$!

# wait_for STEP: until the guest has reached it.
wait_for() {
	until [ -e "$share/$1" ]; do
		kill -0 "$vm" 2>/dev/null || fail "the guest ended before $1"
		sleep 0.2
	done
}

# learn_keys STEP HEADER: as of then.
learn_keys() {
	wait_for "$1"
	keys=$work/keys.$1
	"$model" keys --json --vault "a=$share/vaults/a" --vault "b=$share/vaults/b" \
		"$share/$2" >"$keys" || fail "the model tells no keys"
}

# search STEP [--at-least] [NAME...]: dumps, and wants to find the keys NAME.
search() {
	local step=$1 how=()

	shift
	if [ "${1:-}" = --at-least ]; then
		how=("$1")
		shift
	fi
	echo "$step:"
	wait_for "$step"
	"$top/tests/vm/qmp" "$work/qmp" dump "$work/dump" || fail "no dump at $step"
	/usr/bin/python3 "$here/lib/find_keys.py" "${how[@]}" "$keys" "$work/dump" "$@" ||
		fail "at $step"
	rm -f "$work/dump"
	touch "$share/$step.done"
}

learn_keys in_use header
search in_use volume_key wrap
search revoked
search unlocked volume_key wrap
search unlinked
search lease_over
search rotated wrap # the volume key of before is gone
learn_keys rotated_next header.rotated
search rotated_next volume_key wrap
search closed
search leaky --at-least volume_key wrap policy_key
wait "$vm" || fail "the guest failed"
vm=''
echo "passed"
