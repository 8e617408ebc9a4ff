# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the two halves of the demo share: narration, and checks that stop it.
#
# shellcheck disable=SC2034 # used by those who source this

set -euo pipefail
export LVM_SUPPRESS_FD_WARNINGS=1

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
sums=/var/lib/svcenc-demo # checksums taken before the reboot
luks=/dev/mapper/provider

say() {
	printf '\n-- %s\n' "$*"
}

# Shows a command as it is typed, then runs it.
run() {
	printf '# %s\n' "$*"
	"$@"
}

# check WHAT COMMAND...: says that it holds, or ends the demo.
check() {
	local what=$1

	shift
	if ! "$@"; then
		printf 'FAILED: %s\n' "$what"
		exit 1
	fi
	printf 'ok: %s\n' "$what"
}

# wait_until SECONDS COMMAND...: polls; whoever follows finds out if in vain.
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null || [ "$SECONDS" -ge "$end" ]; do
		sleep 0.5
	done
}

fails() {
	! "$@"
}

# Checksums of all files below the directory $1, in a fixed order.
checksums() {
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

mounts_match() {
	local tenant

	for tenant in alpha beta; do
		checksums "/srv/$tenant" | cmp -s - "$sums/$tenant" || return 1
	done
}

# How often device $1 contains a text that stands in every source file. Read
# directly: the page cache has no say in it.
plaintext_hits() {
	dd if="$1" bs=1M iflag=direct status=none |
		{ grep -a -o 'SPDX-License-Identifier' || [ $? -eq 1 ]; } | wc -l
}
