# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a test says about itself in the comments at its head, and which files
# are tests.  Sourced by the runner and by lint/test_headers; runs nothing.
#
#   # DESCRIPTION: This test will ...
#   # RUNS: host | vm | vm-systemd | uml (tests/uml/run) | host-vm (on the host,
#     starts VMs itself)
#   # SET: quick | long             (quick)
#   # TIMEOUT: seconds              (120)
#   # VM: --smp 2 --disk 64M        (options of tests/vm/run, tests/uml/run)
#   # EXCLUSIVE: why                nothing else runs at the same time
#   # WAITS: for what               most of its time; it costs no processor that
#     others could use, and runs beside the two lanes (RUNS: host only)
#   # MAY-SKIP: why                 a skip is no failure in CI
#   # expect-log: REGEX             kernel log lines that belong to the test

# Every test, as "name path", where name is the path below tests/ without suffix.
list_tests() {
	local file name

	for file in tests/lint/* tests/cli/t_*.sh tests/uml/t_*.sh \
		tests/{ref,fuzz,images,vectors,rotation}/*.test \
		tests/kselftest/dm-svcenc/*.sh tests/vm/selftest_long tests/{vm,uml}/selftest; do
		[ -f "$file" ] || continue
		[[ ${file##*/} != lib*.sh ]] || continue
		name=${file#tests/}
		name=${name/kselftest\/dm-svcenc/kselftest}
		name=${name%.sh}
		echo "${name%.test} $file"
	done
	for file in tests/unit/test_*.c; do
		[ -f "$file" ] || continue
		name=${file##*/}
		echo "unit/${name%.c} build/unit/${name%.c}"
	done
}

# The file that holds the header: a binary's is in its source.
header_file() {
	case $1 in
	build/unit/*) echo "tests/unit/${1##*/}.c" ;;
	*) echo "$1" ;;
	esac
}

# header_value FILE KEYWORD DEFAULT
header_value() {
	local value

	value=$(sed -n "1,60s/^[#/ *]*$2: *//p" "$1" | head -n 1)
	value=${value%"*/"}
	printf '%s\n' "${value:-$3}"
}

# The description on one line; its keyword may be repeated on each line.
description_of() {
	awk '!on && sub(/^[#\/* ]*DESCRIPTION: */, "") { on = 1; text = $0; next }
		on && sub(/^[#\/* ]*DESCRIPTION: */, "") { text = text " " $0; next }
		on && (/^[#\/* ]*[A-Za-z-]+: / || !/^[#\/* ]+[^ ]/ || /\*\//) { exit }
		on { sub(/^[#\/* ]+/, ""); text = text " " $0 }
		END { print text }' "$1"
}

default_runs() {
	case $1 in
	kselftest/* | cli/*) echo vm ;;
	vm/* | uml/selftest) echo host-vm ;;
	uml/*) echo uml ;;
	*) echo host ;;
	esac
}
