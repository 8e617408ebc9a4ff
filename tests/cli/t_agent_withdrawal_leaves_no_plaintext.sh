#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will withdraw the keys of mounted ext4 and xfs filesystems and dump the
# DESCRIPTION: guest's memory from outside: before, the contents of files are found in it; after,
# DESCRIPTION: nothing of them, and within 1 s no cached file is read any more on volumes with
# DESCRIPTION: on_withdrawal=shutdown, by their policy or their own choice, and only those are
# DESCRIPTION: shut down.
# DESCRIPTION: The keys are back: by itself the service returns, filesystems mount clean, every
# DESCRIPTION: byte is as written.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 600

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-plaintext.XXXXXX")
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

# One file per volume: 64 random bytes again and again, which the guest reads
# without caching, and has nowhere but in its filesystem.
mkdir "$share" || exit 1
names=(ext4 xfs chosen kept)
for name in "${names[@]}"; do
	head -c 64 /dev/urandom >"$work/$name"
	printf '"%s": "%s"\n' "$name" "$(od -An -v -tx1 "$work/$name" | tr -d ' \n')"
	for ((i = 0; i < 1024; i++)); do cat "$work/$name"; done >"$share/$name"
done | paste -s -d , | sed 's/.*/{&}/' >"$work/contents"

# memory is overwritten when it is freed, as svcencd(8) advises
"$top/tests/vm/run" --plain --append init_on_free=1 --mem 512 --share "$share" \
	--monitor "$work/qmp" --disk 96M --disk 340M --timeout 500 "$here/withdrawal_guest" \
	>"$work/log" 2>&1 &
vm=$!

# found STEP NAME...: the contents of exactly these files.
found() {
	local step=$1

	shift
	until [ -e "$share/$step" ]; do
		kill -0 "$vm" 2>/dev/null || fail "the guest ended before $step"
		sleep 0.2
	done
	"$top/tests/vm/qmp" "$work/qmp" dump "$work/dump" || fail "no dump at $step"
	echo "$step:"
	/usr/bin/python3 "$top/tests/kselftest/dm-svcenc/lib/find_keys.py" "$work/contents" \
		"$work/dump" "$@" || fail "at $step"
	rm -f "$work/dump"
	touch "$share/$step.done"
}

found mounted "${names[@]}"
found withdrawn # caches are dropped as a whole, those of "kept", too
wait "$vm" || fail "the guest failed"
vm=''
grep -v '^vm:' "$work/log"
echo "passed"
