#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run a few cells of tools/bench --native, briefly, in User
# DESCRIPTION: Mode Linux with AES-NI: every stack gets its figures, all above zero, in
# DESCRIPTION: the table and in the JSON; a run that is not whole is refused.
# DESCRIPTION: That kernel is built first, which takes minutes.
# RUNS: host-vm
# SET: long
# TIMEOUT: 3600

cd "$(dirname "$0")/../.." || exit 1

fail() {
	echo "FAILED: $*"
	exit 1
}

tests/uml/build uml-fast >/dev/null || fail "the kernel does not build"
work=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-bench.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
tools/bench.d/native --smoke --out "$work" >"$work/table" || fail "the bench"
cat "$work/table"
# two tables, each with a head and nine stacks
lines=$(grep -c -E '^(linear|dm-crypt|dm-svcenc).*( +[1-9][0-9,]*){2}$' "$work/table")
[ "$lines" -eq 18 ] || fail "$lines lines with figures instead of 18"
/usr/bin/python3 - "$work/native.json" <<'CHECK' || fail "the JSON"
import json, sys
cells = json.load(open(sys.argv[1], encoding="utf-8"))["cells"]
stacks = {cell["stack"] for cell in cells}
sys.exit(len(stacks) != 10 or any(cell["ns_median"] <= 0 for cell in cells))
CHECK

sed '0,/^result/{/^result/d}' "$work/native.log" >"$work/short.log"
! tools/bench.d/native_table.py "$work/short.log" "$work/short.json" >/dev/null 2>"$work/why" ||
	fail "a cell was measured less often, and nobody minds"
grep -q 'not whole: a cell is missing' "$work/why" || fail "other words: $(cat "$work/why")"
