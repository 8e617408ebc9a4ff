#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will build the KUnit suites (kernel/dm-svcenc/*_kunit.c)
# DESCRIPTION: with the code that they test, run them in User Mode Linux under
# DESCRIPTION: KASAN and lockdep, and fail on any case that failed, was skipped,
# DESCRIPTION: or is in the sources and did not run.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 300

# On the host it builds and starts a UML that runs this same file; in a guest
# it wants the module in SVC_KUNIT.

cd "$(dirname "$0")/../.." || exit 1
if [ -z "${SVC_KUNIT:-}" ]; then
	out=$PWD/build/uml/kunit
	tests/uml/build --module kernel/dm-svcenc "$out" uml SVCENC_KUNIT=y || exit 1
	exec tests/uml/run --module "$out/dm-svcenc.ko" --append kunit.enable=1 \
		--env "SVC_KUNIT=$out/dm-svcenc-kunit.ko" tests/uml/t_kunit.sh
fi

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. tests/kselftest/dm-svcenc/lib.sh

sources=(kernel/dm-svcenc/*_kunit.c)
report=$SVC_TMP/ktap

# lines DEPTH PATTERN: how many results of that depth: 0 suites, 1 cases, 2
# parameters of a case.
lines() {
	grep -c -E "^ {$((4 * $1))}$2" "$report"
}

in_sources() {
	cat "${sources[@]}" | grep -c -E "$1"
}

# "ok N - NAME" of a suite behind those of its cases
show_suites() {
	awk '/^    ok / { cases++ }
		/^        ok / { parameters++ }
		/^(not )?ok / {
			printf "# %-18s %2d cases, %2d parameters\n", $NF, cases, parameters
			cases = parameters = 0
		}' "$report"
}

svc_plan 5
svc_log_mark
svc_must insmod "$SVC_KUNIT"
svc_log_since_mark | sed 's/^\[ *[0-9.]*\] //' >"$report"
svc_ok "the module unloads" rmmod dm_svcenc_kunit
show_suites
svc_is "no case failed" "$(grep -E '^ *not ok ' "$report")" ""
svc_is "no case was skipped" "$(grep -E '# SKIP' "$report")" ""
svc_is "all suites of the sources ran" "$(lines 0 'ok ')" "$(in_sources '^	\.name = "svcenc_')"
svc_is "all cases of the sources ran" "$(lines 1 'ok ')" "$(in_sources '^	KUNIT_CASE')"
[ "$svc_failed" -eq 0 ] || sed 's/^/# /' "$report"
svc_note "$(lines 1 'ok ') cases in $(lines 0 'ok ') suites, $(lines 2 'ok ') times with parameters"
svc_done
