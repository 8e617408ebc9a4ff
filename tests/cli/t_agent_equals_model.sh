#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will format, open, write and close volumes with 4096 and
# DESCRIPTION: 512-byte sectors, and decrypt them with svcenc-recover and with the
# DESCRIPTION: independent model from the vault directories alone: each byte is as written.
# DESCRIPTION: The other way, a volume of the model is recovered, opened and read.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly BYTES=3145728 COMPARED=262144 HEADER=4194304 IMAGE_MIB=8
vaults=$agent_dir/vaults

# written NAME DEVICE SECTOR_SIZE: a volume filled with random bytes, closed; its
# image is $SVC_TMP/NAME.image, what was written $SVC_TMP/NAME.plain.
written() {
	local name=$1 device=$2 size=$3

	head -c $BYTES /dev/urandom >"$SVC_TMP/$name.plain"
	agent_must svcenc format "$name" "$device" --tenant alpha --sector-size "$size" --size 3M --spare 1M
	agent_must svcenc open "$name"
	svc_is "$name: sector size" "$(blockdev --getss "/dev/mapper/$name")" "$size"
	svc_is "$name: bytes" "$(blockdev --getsize64 "/dev/mapper/$name")" $BYTES
	# pieces of the smallest size, and large ones
	svc_must dd if="$SVC_TMP/$name.plain" of="/dev/mapper/$name" bs="$size" count=40 oflag=direct status=none
	svc_must dd if="$SVC_TMP/$name.plain" of="/dev/mapper/$name" bs=$((size * 5)) skip=8 seek=8 \
		oflag=direct iflag=fullblock status=none
	svc_ok "$name: reads what was written" cmp "$SVC_TMP/$name.plain" \
		<(dd if="/dev/mapper/$name" bs=1M iflag=direct status=none)
	agent_must svcenc close "$name"
	dd if="$device" of="$SVC_TMP/$name.image" bs=1M count=$IMAGE_MIB iflag=direct status=none
}

# Keys come from one vault's directory, nothing else.
recovers() {
	local name=$1 vault=$2 device=$3

	rm -f "$SVC_TMP/out"
	svc_ok "$name: svcenc-recover with vault $vault" "$agent_bin/svcenc-recover" "$device" \
		-o "$SVC_TMP/out" --vault-dir "$vaults/$vault"
	svc_ok "$name: and every byte is as written" cmp "$SVC_TMP/out" "$SVC_TMP/$name.plain"
}

ciphertext_is_not_plaintext() {
	local name=$1 same

	same=$(cmp -l -i "$HEADER:0" -n $COMPARED "$SVC_TMP/$name.image" "$SVC_TMP/$name.plain" | wc -l)
	# of random bytes one in 256 is the same by chance
	svc_ok "$name: on the device are other bytes ($same of $COMPARED)" test "$same" -gt $((COMPARED * 99 / 100))
}

# One start of Python for all that the model does.
model_decrypts() {
	local name

	printf 'decrypt %q --vault %q\n' "$SVC_TMP/four.image" "$vaults/a" "$SVC_TMP/five.image" "$vaults/b" \
		>"$SVC_TMP/batch"
	"$svc_model" batch "$SVC_TMP/batch" >"$SVC_TMP/decrypted" || svc_bail "the model cannot decrypt"
	svc_is "the model decrypts both volumes" "$(stat -c %s "$SVC_TMP/decrypted")" $((2 * BYTES))
	svc_ok "4096-byte sectors: the model with vault a" cmp -n $BYTES "$SVC_TMP/decrypted" "$SVC_TMP/four.plain"
	svc_ok "512-byte sectors: the model with vault b" cmp -i $BYTES:0 "$SVC_TMP/decrypted" "$SVC_TMP/five.plain"
}

# A volume and root keys that no line of the agent's code has made.
model_creates() {
	head -c $BYTES /dev/urandom >"$SVC_TMP/six.plain"
	svc_must "$svc_model" create "$SVC_TMP/six.image" --size 3M --spare 1M --tenant zeta --name six \
		--vault "$vaults/a" --vault "$vaults/b" --vault "$vaults/availability" \
		--plaintext "$SVC_TMP/six.plain" >/dev/null
	chown -R svcenc-vault: "$vaults"/{a,b,availability}
	svc_must dd if="$SVC_TMP/six.image" of=/dev/vda bs=1M oflag=direct status=none
	svc_ok "a volume of the model: recovered" svcenc store recover /dev/vda
	svc_ok "opened" svcenc open six
	svc_ok "every byte is as the model wrote it" cmp "$SVC_TMP/six.plain" \
		<(dd if=/dev/mapper/six bs=1M iflag=direct status=none)
	agent_must svcenc close six
}

agent_prepare
agent_start
agent_must svcenc tenant create alpha
written four /dev/vda 4096
written five /dev/vdb 512
ciphertext_is_not_plaintext four
ciphertext_is_not_plaintext five
recovers four a /dev/vda
recovers four availability "$SVC_TMP/four.image"
recovers five b /dev/vdb
model_decrypts
rm -rf "$agent_dir/state"
agent_kill TERM
agent_start
model_creates
agent_kill TERM
svc_done
