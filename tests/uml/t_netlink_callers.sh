#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will send every netlink command without the capability, from
# DESCRIPTION: namespaces where the caller is root, and with a socket that somebody else
# DESCRIPTION: opened: each is refused and changes nothing.  Then root behaves badly: dumps
# DESCRIPTION: that are never read, a deaf listener, renewals that race the end of the key.
# RUNS: uml
# SET: quick
# TIMEOUT: 120

cd "$(dirname "$0")/../kselftest/dm-svcenc" || exit 1
# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$PWD/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$SVC_TMP/one"
svc_make_planned
svc_add_key "$SVC_TMP/one" >/dev/null
svc_open one "$SVC_TMP/one"
"$svc_bin/svcenc-callers" one "$SVC_TMP/one" >"$SVC_TMP/checks" 2>&1
status=$?
while read -r line; do
	case $line in
	'ok '*) svc_pass "${line#ok }" ;;
	'not ok '*) svc_fail "${line#not ok }" ;;
	*) svc_note "$line" ;;
	esac
done <"$SVC_TMP/checks"
svc_is "svcenc-callers came to its end, content" $status 0
svc_close one
svc_done
