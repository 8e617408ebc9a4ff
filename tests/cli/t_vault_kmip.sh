#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run the worker of KMIP vaults against Debian's PyKMIP server over
# DESCRIPTION: mutual TLS: keys made and found, blobs opened by other means, keys that are
# DESCRIPTION: deactivated, compromised or destroyed, certificates of both sides that are
# DESCRIPTION: wrong, three versions of the protocol, a server that is gone or slow, cut,
# DESCRIPTION: garbled and foreign answers: each has one class.
# RUNS: host
# WAITS: answers that come late, or never
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

chmod 755 "$CLI_TMP" # the worker is not root
install -m 755 "$CLI_BIN/svcenc-vault-kmip" "$CLI_TMP"
install -d -o nobody "$CLI_TMP/worker"
"$cli_top/tests/hsm/kmip_cases" "$CLI_TMP/svcenc-vault-kmip" "$CLI_TMP/worker"
