# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs tests of the module, as they are, in one guest with two processors and
# an x86-64 debug kernel.  On the host; says of each test how it went.

# smp_test FLAVOUR [OPTION...]: of tests/uml/run; on stdin "LIMIT TEST [ARG...]",
# TEST a path below tests/ without .sh.  The guest stops at the first failure.
smp_test() {
	local flavour=$1 work status=0 id=0 limit test arguments result words
	shift

	work=$(mktemp -d) || exit 1
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$work'" EXIT
	while read -r limit test arguments; do
		echo "$limit $PWD/tests/$test.sh $arguments"
	done >"$work/batch"
	tests/uml/run --kernel "$flavour" --smp 2 --workdir "$work" "$@" --batch "$work/batch" \
		>"$work/log" 2>&1
	while read -r limit test arguments; do
		id=$((id + 1))
		words=$(sed -n "s/^$id //p" "$work/results" 2>/dev/null)
		read -r result _ <<<"$words"
		echo "=== $flavour: ${test##*/} $arguments: ${words:-did not run}"
		if [ "${result:-1}" = 0 ]; then
			grep '^#' "$work/$id.out" | tail -n 25
		else
			status=1
			tail -n 150 "$work/$id.out" "$work/log" 2>/dev/null
			tail -n 60 "$work/console.log" | tr -d '\r'
		fi
	done <"$work/batch"
	[ $id -gt 0 ] || status=1
	return $status
}
