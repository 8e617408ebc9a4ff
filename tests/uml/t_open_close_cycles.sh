#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will open, use and close a volume 350 times, in seven ways, and then
# DESCRIPTION: have the kernel search all memory for what nobody points to, with the module
# DESCRIPTION: still loaded, and ask the owners of all pages for pages of the target.
# RUNS: uml
# SET: quick
# TIMEOUT: 180

cd "$(dirname "$0")/../kselftest/dm-svcenc" || exit 1
# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$PWD/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

debug=/sys/kernel/debug

# Blocks of FILE that name the target.
blocks_of_target() {
	awk -v RS='' '/\[dm_svcenc\]/' "$1"
}

# What is on its way to be freed is found by the first scan, not by the second.
kmemleak() {
	echo scan >"$debug/kmemleak"
	sleep 6 # it reports nothing that is younger than five seconds
	echo scan >"$debug/kmemleak"
	sed 's/^unreferenced/\n&/' "$debug/kmemleak" >"$SVC_TMP/kmemleak"
	blocks_of_target "$SVC_TMP/kmemleak"
}

# Not those of slabs and the like, which others use, too, and KASAN keeps.
owned_pages() {
	dd if="$debug/page_owner" of="$SVC_TMP/owners" bs=64k status=none
	awk -v RS='' '/\[dm_svcenc\]/ && !/new_slab|allocate_slab|pcpu_|stack_depot|kasan_/ { n++ }
		END { print n + 0 }' "$SVC_TMP/owners"
}

svc_plan 5
for file in kmemleak page_owner; do
	[ -e "$debug/$file" ] || svc_bail "this kernel has no $file: run it with tests/uml/run"
done
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$SVC_TMP/one"
svc_make_planned
svc_attach "$SVC_TMP/one"
svc_ok "a first round of each" "$svc_bin/svcenc-cycles" "$svc_dev" "$SVC_TMP/one" 14
pages=$(owned_pages)
svc_ok "${COUNT:=350} cycles" "$svc_bin/svcenc-cycles" "$svc_dev" "$SVC_TMP/one" "$COUNT"
svc_note "$(cat "$SVC_TMP/output")"
svc_is "no mapping is left" "$(dmsetup ls)" "No devices found"
svc_is "kmemleak finds nothing of the target" "$(kmemleak)" ""
svc_is "the target has no page more than before" "$(owned_pages)" "$pages"
svc_done
