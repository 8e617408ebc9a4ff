#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will open 1,000 volumes at once in a kernel without
# DESCRIPTION: slub_debug, at 20 a second or more, and print what one costs: at most
# DESCRIPTION: 64 KiB over a linear mapping beside its reserve, which is at most
# DESCRIPTION: 128 KiB, all of it 256 KiB, and no thread but device-mapper's.  They
# DESCRIPTION: work, netlink tells of each, and the end of their key locks them all.
# DESCRIPTION: Argument: another count, and MiB of memory for it.
# RUNS: host-vm
# SET: quick
# TIMEOUT: 300
#
# Their headers are made on the host, by the model: what the guest does is what
# is measured.

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
count=${1:-1000} mem=${2:-768}
per_disk=250 # partitions that a disk may have: 255

mkdir -p "$top/build/test" || exit 1
work=$(mktemp -d "$top/build/test/many.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
"$here/lib/make_many.py" "$work" "$count" $per_disk || exit 1
"$top/tests/vm/run" --plain --smp 2 --mem "$mem" --timeout $((count / 5 + 90)) \
	--disk "$work/disk" "$here/lib/open_many" "$work" "$count" $per_disk
