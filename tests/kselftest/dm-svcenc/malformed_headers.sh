#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will show every damaged volume of tests/images to the
# DESCRIPTION: kernel, with the right policy key live: it must be refused in
# DESCRIPTION: exactly the words its generator names and without a single byte
# DESCRIPTION: of the device changed (or open, where the generator says so),
# DESCRIPTION: and with the pristine header written back it must open and
# DESCRIPTION: decrypt.  What opens does so read-only, too, and then nothing is
# DESCRIPTION: repaired.  A cipher that a header names loads no module.
# DESCRIPTION: Arguments: names of generators (default: all).
# DESCRIPTION: In the quick set it runs as uml/t_malformed_headers.
# RUNS: vm
# SET: long
# TIMEOUT: 900

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"

images=$SVC_TMP/images
victim=$SVC_TMP/victim

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_must "$svc_top/tests/images/make" "$images" "$@"
svc_add_key "$images/pristine.img" >/dev/null
cp --sparse=always "$images/pristine.img" "$victim"
svc_attach "$victim"
"$svc_top/tests/images/show" "$images" "$victim" "$svc_dev"
exit
