#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let a key of our type hang half-made in the keyring (keyctl
# DESCRIPTION: request2 with a slow helper), and open a volume meanwhile: refused, without
# DESCRIPTION: harm, and the real key opens it afterwards.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
desc=$(<"$volume.desc")
mkfifo "$SVC_TMP/gate"
cat >"$SVC_TMP/helper" <<HELPER
#!/bin/sh
touch "$SVC_TMP/called"
read -r _ <"$SVC_TMP/gate"
exec keyctl negate "\$1" 1 0
HELPER
chmod 755 "$SVC_TMP" "$SVC_TMP/helper"
echo "create svcenc * * $SVC_TMP/helper %k" >/etc/request-key.d/svcenc-test.conf
keyctl request2 svcenc "$desc" callout "$svc_keyring" >"$SVC_TMP/request" 2>&1 &
request=$!
svc_ok "the kernel asks a helper to make the key" svc_wait 20 test -e "$SVC_TMP/called"
svc_ok "the half-made key lies in the keyring" grep -q "svcenc *$desc" /proc/keys
svc_expect_fail "no live key $desc in keyring .svcenc: add it first" svc_try_open one "$volume"
echo >"$SVC_TMP/gate"
wait "$request"
svc_expect_fail "no live key $desc in keyring .svcenc: add it first" svc_try_open one "$volume"
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
svc_is "the real key opens" "$(svc_read_errno /dev/mapper/one)" ""
rm /etc/request-key.d/svcenc-test.conf
svc_done
