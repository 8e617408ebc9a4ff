#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will put one mistake at a time into a copy of the
# DESCRIPTION: target (tests/uml/mutants), build it, run the tests that should
# DESCRIPTION: see it on a kernel that looks for errors, and fail on a mutant
# DESCRIPTION: that survives, is seen by another checker than the one it is
# DESCRIPTION: made for, does not apply or does not build.  The target itself
# DESCRIPTION: must pass the same tests: in the quick set they are tests of their
# DESCRIPTION: own, in t_mutants_long they are run here, too.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 900
#
#	tests/uml/t_mutants.sh [--all] [NAME...]
#
# Without --all or names: those of "Set: quick".  A NAME is part of a file's.
# A mutant's file says, above its diff:
#
#	Mutant:   what is wrong
#	Set:      quick | long
#	Tests:    kunit | kselftest/NAME | uml/NAME ...
#	Seen-by:  KASAN | KCSAN | lockdep | atomic-sleep | kmemleak |
#		  page_owner | page-allocator | refcount | debug-objects | list |
#		  preempt | oops | assertion | hang; or several of them, with |
#		  between, where the machine's speed decides
#	Kernel:   x86-kasan | x86-kcsan	(default uml)

set -u
cd "$(dirname "$0")/../.." || exit 1
readonly out=$PWD/build/uml/mutants limit=400
lanes=${CHECK_LANES:-2}
failed=0
declare -A name_of_pid=()

die() {
	echo "mutants: $*" >&2
	exit 1
}

# --- a mutant's file

field() {
	sed -n -e '/^---/q' -e "s/^$2: *//p" "tests/uml/mutants/$1.patch" | head -n 1
}

kernel_of() {
	local kernel

	kernel=$(field "$1" Kernel)
	echo "${kernel:-uml}"
}

test_file() {
	case $1 in
	kunit) echo tests/uml/t_kunit.sh ;;
	kselftest/*) echo "tests/kselftest/dm-svcenc/${1#*/}.sh" ;;
	uml/*) echo "tests/uml/${1#*/}.sh" ;;
	*) die "unknown test $1" ;;
	esac
}

pick_mutants() {
	local file name wanted

	for file in tests/uml/mutants/*.patch; do
		name=${file##*/}
		name=${name%.patch}
		if [ $# -eq 0 ]; then
			[ "$(field "$name" Set)" = quick ] || continue
		elif [ "$1" != --all ]; then
			for wanted; do
				[[ $name == *$wanted* ]] && break
			done
			[[ $name == *$wanted* ]] || continue
		fi
		mutants+=("$name")
	done
	[ ${#mutants[@]} -gt 0 ] || die "no such mutant: $*"
}

# --- building and running

# build NAME KERNEL: from $out/NAME/src, with the KUnit suites.  One place for
# the objects of all: only what differs from the last one is compiled.
build() {
	local name=$1 objects=$out/objects-$2

	tests/uml/build --module "$out/$name/src" "$objects" "$2" SVCENC_KUNIT=y \
		>"$out/$name/build.log" 2>&1 || return 1
	cp "$objects/dm-svcenc.ko" "$objects/dm-svcenc-kunit.ko" "$out/$name/"
}

# start NAME KERNEL OPTION... -- TEST...: in the background.
start() {
	local dir=$out/$1 name=$1 kernel=$2 options=() test
	shift 2

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	for test; do
		echo "$limit $PWD/$(test_file "$test")"
	done >"$dir/batch"
	[ "$kernel" = uml ] || options+=(--smp 2)
	tests/uml/run --kernel "$kernel" --module "$dir/dm-svcenc.ko" --workdir "$dir/run" \
		--append kunit.enable=1 \
		--env "SVC_KUNIT=$dir/dm-svcenc-kunit.ko" --env POINTS=1500 --env UNTIL_FAILED=3 \
		"${options[@]}" --batch "$dir/batch" \
		>"$dir/run.log" 2>&1 &
	name_of_pid[$!]=$name
}

# Only memory that is still there at the end needs the slow look for it.
scan_option() {
	case $1 in
	kmemleak | page_owner) ;;
	*) echo --no-leak-scan ;;
	esac
}

start_mutant() {
	local name=$1 kernel tests dir=$out/$1

	kernel=$(kernel_of "$name")
	read -r -a tests <<<"$(field "$name" Tests)"
	mkdir -p "$dir"
	cp -r "$out/source" "$dir/src"
	if ! patch -s -F0 -p1 -d "$dir/src" <"tests/uml/mutants/$name.patch" >"$dir/patch.log" 2>&1; then
		complain "$name" "does not apply" "$dir/patch.log"
	elif ! build "$name" "$kernel"; then
		complain "$name" "does not build" "$dir/build.log"
	else
		# shellcheck disable=SC2046 # an option or none
		start "$name" "$kernel" $(scan_option "$(field "$name" Seen-by)") -- "${tests[@]}"
	fi
}

# The target itself has to pass what the mutants are to fail.
start_target() {
	local kernel=$1 name=target-$1 mutant tests=() scan=--no-leak-scan

	for mutant in "${mutants[@]}"; do
		[ "$(kernel_of "$mutant")" = "$kernel" ] || continue
		read -r -a more <<<"$(field "$mutant" Tests)"
		tests+=("${more[@]}")
		[ -n "$(scan_option "$(field "$mutant" Seen-by)")" ] || scan=''
	done
	[ ${#tests[@]} -gt 0 ] || return 0
	mapfile -t tests < <(printf '%s\n' "${tests[@]}" | sort -u)
	mkdir -p "$out/$name"
	cp -r "$out/source" "$out/$name/src"
	build "$name" "$kernel" || die "the target does not build: $(cat "$out/$name/build.log")"
	# shellcheck disable=SC2086 # an option or none
	start "$name" "$kernel" $scan -- "${tests[@]}"
}

# --- judging

complain() {
	failed=1
	printf 'not ok - %-32s %s\n' "$1" "$2"
	tail -n 40 "$3" | sed 's/^/    | /'
}

# The checkers that have something to say in FILE, one a line.
checkers_in() {
	local checker words

	while read -r checker words; do
		! grep -q -a -E -e "$words" "$1" || echo "$checker"
	done <<-'WORDS'
		KASAN BUG: KASAN:
		KCSAN BUG: KCSAN:
		lockdep possible (circular|recursive) locking|inconsistent lock state|lock held when returning|suspicious RCU usage|bad unlock balance|held lock freed
		preempt using (smp_processor_id|__this_cpu_[a-z]+)\(\) in preemptible
		atomic-sleep sleeping function called|scheduling while atomic
		kmemleak unreferenced object
		page_owner Page allocated via
		page-allocator Bad page state|page dumped because
		refcount refcount_t:
		debug-objects ODEBUG:
		list list_(add|del) (corruption|double)
		oops Oops|Kernel panic|general protection|unable to handle
		assertion ^not ok |^Bail out|^# planned|(EXPECTATION|ASSERTION) FAILED
	WORDS
}

# The first test of NAME's batch that failed: "id status", or nothing.
first_failure() {
	awk '$2 != 0 { print $1, $2; exit }' "$out/$1/run/results" 2>/dev/null
}

# What it said, and, where it cannot say it any more, its kernel.
words_of() {
	local dir=$out/$1/run id=$2 status=$3

	cat "$dir/$id.out"
	case $status in
	240 | 241 | 242)
		tr -d '\r' <"$dir/console.log" | sed "1,/dm-svcenc-vm: begin $id\$/d"
		;;
	esac
}

judge_target() {
	local name=$1 count

	count=$(wc -l <"$out/$name/batch")
	if [ -z "$(first_failure "$name")" ] && [ "$(wc -l <"$out/$name/run/results")" -eq "$count" ]; then
		printf 'ok     - %-32s passes %s\n' "$name" \
			"$(sed -e 's,.*/t\?_\?,,' -e 's/\.sh$//' "$out/$name/batch" | paste -s -d ' ')"
	else
		cat "$out/$name/run/"*.out >"$out/$name/all.out" 2>/dev/null
		complain "$name" "the target itself fails" "$out/$name/run.log"
		tail -n 60 "$out/$name/all.out"
	fi
}

judge_mutant() {
	local name=$1 id status test seen words=$out/$1/words

	read -r id status <<<"$(first_failure "$name")"
	if [ -z "$id" ]; then
		complain "$name" "SURVIVES: $(sed -n 's/^Mutant: *//p' "tests/uml/mutants/$name.patch")" "$out/$name/run.log"
		return
	fi
	words_of "$name" "$id" "$status" >"$words"
	test=$(sed -n "${id}s/.* //p" "$out/$name/batch")
	seen=$(checkers_in "$words")
	[ "$status" -ne 241 ] || seen+=$'\nhang'
	seen=$(sed '/^$/d' <<<"$seen" | paste -s -d ,)
	if [[ ,$seen, =~ ,($(field "$name" Seen-by)), ]]; then
		printf 'ok     - %-32s %-32s %s\n' "$name" "$(sed -e 's,.*/t\?_\?,,' -e 's/\.sh$//' <<<"$test")" "$seen"
	else
		complain "$name" "seen by ${seen:-nobody} (status $status), wanted $(field "$name" Seen-by)" "$words"
	fi
}

wait_for_one() {
	local pid='' name

	wait -n -p pid "${!name_of_pid[@]}"
	name=${name_of_pid[$pid]}
	unset "name_of_pid[$pid]"
	case $name in
	target-*) judge_target "$name" ;;
	*) judge_mutant "$name" ;;
	esac
	rm -rf "${out:?}/$name/src"
}

# shellcheck disable=SC2317 # called by a trap
stop() {
	trap - EXIT
	[ ${#name_of_pid[@]} -eq 0 ] || kill "${!name_of_pid[@]}" 2>/dev/null
	exit 130
}

make_source() {
	mkdir -p "$out"
	find "$out" -mindepth 1 -maxdepth 1 ! -name 'objects-*' -exec rm -rf {} +
	mkdir "$out/source"
	(cd kernel/dm-svcenc && find . \( -name '*.[ch]' ! -name '*.mod.c' -o -name Kbuild \) -print0 |
		xargs -0 cp --parents -t "$out/source")
}

main() {
	local kernel name

	pick_mutants "$@"
	trap stop INT TERM
	make_source || die "cannot copy kernel/dm-svcenc"
	[ $# -eq 0 ] || while read -r kernel; do
		start_target "$kernel"
	done < <(for name in "${mutants[@]}"; do kernel_of "$name"; done | sort -u)
	for name in "${mutants[@]}"; do
		while [ ${#name_of_pid[@]} -ge "$lanes" ]; do
			wait_for_one
		done
		start_mutant "$name"
	done
	while [ ${#name_of_pid[@]} -gt 0 ]; do
		wait_for_one
	done
	echo "${#mutants[@]} mutants, $SECONDS s"
	exit $failed
}

mutants=()
main "$@"
