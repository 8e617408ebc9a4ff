#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run the worker of PKCS#11 vaults against SoftHSM through its real
# DESCRIPTION: socket: AES key wrap and RSA-OAEP against other implementations, keys that
# DESCRIPTION: are deleted or may not unwrap, a token that goes and comes, tampered blobs,
# DESCRIPTION: wrong PINs that are presented once and never again, modules that misbehave,
# DESCRIPTION: wrong settings: each has one class.
# RUNS: host
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

chmod 755 "$CLI_TMP" # the worker is not root
install -m 755 "$CLI_BIN/svcenc-vault-pkcs11" "$cli_top/build/test/p11_shim.so" "$CLI_TMP"
install -d -o nobody "$CLI_TMP/worker"
"$cli_top/tests/hsm/pkcs11_cases" "$CLI_TMP/svcenc-vault-pkcs11" "$CLI_TMP/p11_shim.so" "$CLI_TMP/worker"
