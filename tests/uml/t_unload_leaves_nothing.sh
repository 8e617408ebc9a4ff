#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will load the module, use it and unload it, and look
# DESCRIPTION: for what kmemleak does not call a leak, as lists of the kernel
# DESCRIPTION: still point to it: threads of queues, users of algorithms,
# DESCRIPTION: tracepoints.
# RUNS: uml
# SET: quick
# TIMEOUT: 60

cd "$(dirname "$0")/../kselftest/dm-svcenc" || exit 1
# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$PWD/lib.sh"

# Not the workers that all queues share: those are named after the last one.
threads() {
	cat /proc/[0-9]*/comm 2>/dev/null | grep svcenc | grep -v '^kworker' | sort
}

# How many hold each algorithm; their instances may stay, but unused.
users() {
	awk '/^driver/ { name = $3 } /^refcnt/ && $3 != 1 { print name, $3 }' /proc/crypto | sort
}

svc_plan 5
# the crypto API makes its instances at the first load
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_must svc_unload_module
before=$(users)
# shellcheck disable=SC2119
svc_load_module
svc_ok "a thread of the module is seen" test -n "$(threads)"
svc_make_volume "$SVC_TMP/one" 4M 4096
svc_add_key "$SVC_TMP/one" >/dev/null
svc_open one "$SVC_TMP/one"
svc_close one
svc_ok "it unloads" svc_unload_module
svc_is "no thread is left" "$(threads)" ""
svc_is "no user of an algorithm is left" "$(users)" "$before"
svc_is "no tracepoint is left" "$(ls -d /sys/kernel/tracing/events/svcenc 2>/dev/null)" ""
svc_done
