#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will dump a guest's memory from outside and find the
# volume key and the wrap key while a volume is open, and no key byte of any
# kind after the key was revoked, and again after close and unlink.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 400
#
# The guest runs without memory poisoning, as a production kernel does: what
# is gone was wiped by the module or the crypto API. The keys are learned by
# the model on the host; in the guest only the kernel ever holds them.

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
"$model" create "$share/vol" --size 8M --sector-size 4096 --side-files >/dev/null ||
	fail "the model makes no volume"
"$model" keys --json --policy-key-file "$share/vol.key" "$share/vol" >"$work/keys" ||
	fail "the model tells no keys"
/usr/bin/python3 -c 'import sys
key = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(bytes(byte ^ 0x5a for byte in key))' \
	"$share/vol.key" "$share/masked" || fail "cannot mask the key"
rm "$share/vol.key"

"$top/tests/vm/run" --plain --mem 512 --share "$share" --monitor "$work/qmp" \
	--timeout 300 "$here/lib/hold-key" >"$work/log" 2>&1 &
vm=$!

# wait_for STEP: until the guest has reached it.
wait_for() {
	until [ -e "$share/$1" ]; do
		kill -0 "$vm" 2>/dev/null || fail "the guest ended before $1"
		sleep 0.2
	done
}

# search STEP [NAME...]: dumps, and wants to find exactly the keys NAME.
search() {
	local step=$1

	shift
	wait_for "$step"
	"$top/tests/vm/qmp" "$work/qmp" dump "$work/dump" || fail "no dump at $step"
	/usr/bin/python3 "$here/lib/find_keys.py" "$work/keys" "$work/dump" "$@" ||
		fail "at $step"
	rm -f "$work/dump"
	touch "$share/$step.done"
}

echo "open, I/O has flowed:"
search open volume_key wrap
echo "revoked, still mapped:"
search revoked
echo "key added and unlocked again:"
search unlocked volume_key wrap
echo "closed, key unlinked:"
search closed
wait "$vm" || fail "the guest failed"
vm=''
echo "passed"
