#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will count the instructions of two processors together while
# DESCRIPTION: one thread writes and reads 128 KiB, sequentially, 32 under way, on a RAM
# DESCRIPTION: disk: per I/O not more than with dm-crypt's default, the median of some
# DESCRIPTION: rounds, and each processor does at least a fifth of them.
# DESCRIPTION: Argument: rounds (default 3).
# RUNS: host-vm
# SET: long
# TIMEOUT: 900

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
rounds=${1:-3}

mkdir -p "$top/build/test" || exit 1
work=$(mktemp -d "$top/build/test/smp.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
# Virtual time is the host's here, and icount's --smp is 1: QEMU itself counts.
"$top/tests/vm/run" --plain --accel tcg --smp 2 --mem 1024 --timeout 600 \
	--qemu -plugin --qemu "$top/build/test/bin/insns.so,out=$work/counts" \
	"$here/lib/two_processors" "$rounds" >"$work/runs" || {
	cat "$work/runs"
	exit 1
}
/usr/bin/python3 - "$work/runs" "$work/counts" "$rounds" <<'JUDGE'
import statistics, sys

runs = [line.split()[1:] for line in open(sys.argv[1]) if line.startswith("run ")]
counts = [[int(word) for word in line.split()] for line in open(sys.argv[2])]
if len(runs) != len(counts) or len(runs) != 8 * int(sys.argv[3]):
    sys.exit(f"FAILED: {len(runs)} runs, {len(counts)} of them counted")
cost, share = {}, {}
for (stack, rw, ios), (total, *parts) in zip(runs, counts):
    cost.setdefault((stack, rw), []).append(total / int(ios))
    share.setdefault((stack, rw), []).append(min(parts) / total if len(parts) == 2 else 0)
failed = False
for rw in ("write", "read"):
    for stack in ("crypt", "svcenc"):
        values = cost[stack, rw]
        print(f"{rw}, {stack}: {statistics.median(values):,.0f} instructions per I/O"
              f" ({min(values):,.0f} to {max(values):,.0f}), the lesser part"
              f" {statistics.median(share[stack, rw]):.2f}")
    ratio = statistics.median(cost["svcenc", rw]) / statistics.median(cost["crypt", rw])
    # less than a third of it: then it was not done, or not counted
    good = 0.33 < ratio <= 1 and statistics.median(share["svcenc", rw]) >= 0.2
    failed |= not good
    print(f"{'ok' if good else 'FAILED'}: {rw}: {ratio:.3f} of dm-crypt's default")
sys.exit(failed)
JUDGE
