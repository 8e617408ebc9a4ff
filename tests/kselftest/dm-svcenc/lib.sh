# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers of the kernel tests: module, volumes, keys, mappings, loop devices,
# expectations, TAP output, and a way down that leaves nothing behind.
# Volumes are made by the independent model (tests/ref), never by the agent,
# so a kernel test needs neither svcencd nor a vault.
#
#   . "$(dirname "$0")/lib.sh"
#   svc_load_module
#   svc_make_volume "$SVC_TMP/vol" 16M 4096
#   svc_add_key "$SVC_TMP/vol"
#   svc_open alpha "$SVC_TMP/vol"           # /dev/mapper/alpha
#   svc_ok "first block reads" dd if=/dev/mapper/alpha of=/dev/null count=1
#   svc_close alpha
#   svc_done
#
# A volume FILE has companions: FILE.uuid, FILE.desc (key description),
# FILE.sectors, FILE.key (policy key, 32 raw bytes).
#
# Meant for a throw-away VM (tests/vm/run): needs root, loads a module.

set -u

svc_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
svc_top=$(cd "$svc_here/../../.." && pwd -P)
svc_model=$svc_top/tests/ref/svcenc_model.py
SVC_TMP=$(mktemp -d "${TMPDIR:-/tmp}/svcenc.XXXXXX")

exec {svc_out}>&1
exec {svc_silence}<> <(:) # nothing ever comes from there
svc_count=0 svc_failed=0 svc_planned=''
svc_loaded='' svc_mark=0
svc_mappings=() # oldest first
svc_dev='' svc_attached='' # of the last svc_attach
: >"$SVC_TMP/loops" # device per line: a file, so that subshells may add

# --- reporting

svc_note() {
	printf '# %s\n' "$*"
}

svc_pass() {
	svc_count=$((svc_count + 1))
	printf 'ok %d - %s\n' "$svc_count" "$*"
}

svc_fail() {
	svc_count=$((svc_count + 1))
	svc_failed=$((svc_failed + 1))
	printf 'not ok %d - %s\n' "$svc_count" "$*"
}

# svc_ok NAME COMMAND...: passes when the command does.
svc_ok() {
	local name=$1

	shift
	if "$@" >"$SVC_TMP/output" 2>&1; then
		svc_pass "$name"
	else
		svc_fail "$name"
		svc_note "failed: $*"
		sed 's/^/# /' "$SVC_TMP/output"
		return 1
	fi
}

# svc_is NAME GOT WANTED
svc_is() {
	if [ "$2" = "$3" ]; then
		svc_pass "$1"
	else
		svc_fail "$1"
		svc_note "got:    $2"
		svc_note "wanted: $3"
		return 1
	fi
}

# For set-up steps: without them nothing that follows means anything.
svc_must() {
	local output

	output=$("$@" 2>&1) || svc_bail "$*: $output"
	[ -z "$output" ] || printf '%s\n' "$output"
}

# Also heard from within svc_ok, which keeps what its command says to itself.
svc_bail() {
	printf 'Bail out! %s\n' "$*" >&"$svc_out"
	exit 1
}

# Announces how many checks there will be; svc_done holds the test to it.
svc_plan() {
	svc_planned=$1
}

svc_done() {
	printf '1..%d\n' "$svc_count"
	if [ -n "$svc_planned" ] && [ "$svc_planned" -ne "$svc_count" ]; then
		svc_note "planned $svc_planned checks, ran $svc_count"
		exit 1
	fi
	[ "$svc_count" -gt 0 ] || svc_bail "no check ran"
	[ "$svc_failed" -eq 0 ] || exit 1
	exit 0
}

# --- kernel log

svc_log_mark() {
	svc_mark=$((svc_mark + 1))
	echo "svcenc-test: mark $$.$svc_mark" >/dev/kmsg
}

# Lines since the last mark.
svc_log_since_mark() {
	dmesg | sed "1,/svcenc-test: mark $$\\.$svc_mark\$/d"
}

# svc_log_has TEXT: a line since the mark ends with TEXT; device-mapper puts
# an error number in parentheses behind a constructor's words.
svc_log_has() {
	local lines i line found=1

	mapfile -t lines < <(dmesg)
	for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
		line=${lines[i]}
		# without the mark nobody knows whose words these are
		[[ $line != *"svcenc-test: mark $$.$svc_mark" ]] || return $found
		[[ ! $line =~ ^(.*)' '\(-?[A-Z0-9]*\)$ ]] || line=${BASH_REMATCH[1]}
		[[ $line != *"$1" ]] || found=0
	done
	return 1
}

# svc_expect_fail TEXT COMMAND...: the command fails, and the kernel says why
# in exactly these words.  One check.
svc_expect_fail() {
	local text=$1 status

	shift
	svc_log_mark
	"$@" >"$SVC_TMP/output" 2>&1
	status=$?
	if [ "$status" -eq 0 ]; then
		svc_fail "refused: $text"
		svc_note "succeeded: $*"
		return 1
	elif ! svc_log_has "$text"; then
		svc_fail "refused: $text"
		svc_note "failed, as it should, but with other words: $(cat "$SVC_TMP/output")"
		svc_log_since_mark | sed 's/^/# log: /'
		return 1
	fi
	svc_pass "refused: $text"
}

# svc_wait SECONDS COMMAND...: polls until the command succeeds.
svc_wait() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		svc_nap
	done
}

# Without a process: in an emulated machine each one would take time from what
# is waited for.
svc_nap() {
	# it times out, always; a loop must not end with that status
	read -r -t 0.05 -u "$svc_silence" || :
}

# --- module

svc_module_file() {
	local file

	for file in "${SVC_MODULE:-}" "$svc_top/build/kernel/dm-svcenc.ko" \
		"$svc_top/kernel/dm-svcenc/dm-svcenc.ko"; do
		if [ -n "$file" ] && [ -e "$file" ]; then
			echo "$file"
			return
		fi
	done
	return 1
}

svc_load_module() {
	local file depends

	[ "$EUID" -eq 0 ] || svc_bail "needs root"
	file=$(svc_module_file) || svc_bail "dm-svcenc.ko is not built (make module)"
	[ ! -d /sys/module/dm_svcenc ] || svc_bail "dm_svcenc is loaded already"
	depends=$(modinfo -F depends "$file")
	# shellcheck disable=SC2086 # a list of names
	svc_must modprobe -a dm-mod loop ${depends//,/ }
	modprobe -q -a aesni-intel xts gcm ghash-clmulni-intel sha256-ssse3 hmac || :
	svc_must insmod "$file" "$@"
	svc_loaded=1
	svc_keyring=$(</sys/module/dm_svcenc/parameters/keyring) ||
		svc_bail "the module names no keyring"
}

svc_unload_module() {
	[ -n "$svc_loaded" ] || return 0
	rmmod dm_svcenc && svc_loaded=''
}

# --- volumes

# svc_make_volume FILE SIZE SECTOR_SIZE [MODEL_OPTION...]: a keyed volume with
# own policy key; with --fresh one that was never opened.
svc_make_volume() {
	local file=$1 size=$2 sector_size=$3

	shift 3
	rm -f "$file"
	svc_must "$svc_model" create "$file" --size "$size" --sector-size "$sector_size" \
		--side-files "$@" >/dev/null
}

# svc_make_volumes COUNT PREFIX SIZE SECTOR_SIZE [MODEL_OPTION...]: PREFIX1...
# in one run of the model: Python starts slowly in an emulated machine.
svc_make_volumes() {
	local count=$1 prefix=$2 size=$3 sector_size=$4 i

	shift 4
	for ((i = 1; i <= count; i++)); do
		echo "create ${prefix@Q}$i --size $size --sector-size $sector_size --side-files ${*@Q}"
	done >"$SVC_TMP/batch"
	svc_must "$svc_model" batch "$SVC_TMP/batch" >/dev/null
}

# svc_loop FILE: its loop device, or nothing when it is not attached.
svc_loop() {
	local loop file

	for loop in /sys/block/loop*/loop; do
		read -r file <"$loop/backing_file" || continue
		if [ "$file" -ef "$1" ]; then
			loop=${loop%/loop}
			echo "/dev/${loop##*/}"
			return
		fi
	done 2>/dev/null
}

# Attaches FILE to a loop device when it is not yet; the device in $svc_dev.
svc_attach() {
	[ "$1" != "$svc_attached" ] || return 0
	svc_dev=$(svc_loop "$1")
	if [ -z "$svc_dev" ]; then
		svc_dev=$(losetup --show -f "$1") || svc_bail "no loop device for $1"
		echo "$svc_dev" >>"$SVC_TMP/loops"
	fi
	svc_attached=$1
}

svc_detach() {
	local dev dev_left left=''

	dev=$(svc_loop "$1")
	[ -n "$dev" ] || return 0
	svc_attached=''
	losetup -d "$dev"
	while read -r dev_left; do
		[ "$dev_left" = "$dev" ] || left+=$dev_left$'\n'
	done <"$SVC_TMP/loops"
	printf %s "$left" >"$SVC_TMP/loops"
}

# svc_table FILE [OPTION...]: the table line of a volume, e.g. with initialize.
svc_table() {
	local file=$1

	shift
	svc_attach "$file"
	printf '0 %s svcenc %s %s %s' "$(<"$file.sectors")" "$svc_dev" \
		"$(<"$file.uuid")" "$(<"$file.desc")"
	[ $# -eq 0 ] || printf ' %d %s' $# "$*"
	echo
}

# svc_hash FILE: of the whole device; unchanged means that nobody wrote.
svc_hash() {
	local sum

	sum=$(sha256sum <"$1") && echo "${sum%% *}"
}

# --- keys

svc_le32() {
	# shellcheck disable=SC2059 # the format is made of numbers
	printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' \
		$(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}

# svc_payload FILE [LEASE_SECONDS]: 40 bytes for keyctl padd, on stdout.
svc_payload() {
	svc_le32 1
	svc_le32 "${2:-3600}"
	cat "$1.key"
}

# svc_add_key FILE [LEASE_SECONDS]: prints the key's serial.  Again = renewal.
svc_add_key() {
	svc_payload "$@" | keyctl padd svcenc "$(<"$1.desc")" "$svc_keyring" ||
		svc_bail "the kernel does not take the key of $1"
}

svc_key_serial() {
	keyctl search "$svc_keyring" svcenc "$(<"$1.desc")"
}

svc_revoke_key() {
	keyctl revoke "$(svc_key_serial "$1")"
}

# --- mappings

# svc_try_open [--readonly] NAME FILE [TABLE_OPTION...]: dmsetup's status, for
# svc_expect_fail.  A refusal in preresume leaves a suspended device behind:
# it is removed here.
svc_try_open() {
	local name file status readonly=()

	if [ "$1" = --readonly ]; then
		readonly=(--readonly)
		shift
	fi
	name=$1 file=$2
	shift 2
	svc_attach "$file"
	dmsetup create "${readonly[@]}" "$name" --uuid "SVCENC-1-$(<"$file.uuid")-$name" \
		--table "$(svc_table "$file" "$@")"
	status=$?
	if [ "$status" -eq 0 ]; then
		return 0
	fi
	[ ! -e "/dev/mapper/$name" ] || dmsetup remove --retry "$name"
	return "$status"
}

# As svc_try_open, but it must succeed; closed at the end of the test.
svc_open() {
	svc_try_open "$@" >"$SVC_TMP/output" 2>&1 ||
		svc_bail "cannot open $*: $(cat "$SVC_TMP/output") $(dmesg | tail -n 3)"
	[ "$1" != --readonly ] || shift
	svc_mappings+=("$1")
}

svc_close() {
	local name=$1 i

	svc_must dmsetup remove --retry "$name"
	for i in "${!svc_mappings[@]}"; do
		[ "${svc_mappings[$i]}" != "$name" ] || unset "svc_mappings[$i]"
	done
}

# svc_status NAME FIELD: a field of the status line by the number of the
# documentation (1 state, 2 epoch, ..., 5 seq, 11 offline, ...).
svc_status() {
	local svc_words

	read -r -a svc_words <<<"$(dmsetup status "$1")"
	echo "${svc_words[$2 + 2]-}"
}

svc_plaintext_size() {
	echo $(($(<"$1.sectors") * 512))
}

# --- the way down

# Programs start slowly in an emulated machine: one call for many devices, and
# one by one only what is left then.
svc_cleanup() {
	local i newest_first=() loops

	# a child that gets a signal before its exec comes here, too
	[ "$BASHPID" = $$ ] || return
	set +u
	for i in "${svc_mappings[@]}"; do
		[ -z "$i" ] || [ ! -e "/dev/mapper/$i" ] || newest_first=("$i" "${newest_first[@]}")
	done
	if [ ${#newest_first[@]} -gt 0 ] && ! dmsetup remove --retry "${newest_first[@]}"; then
		for i in "${newest_first[@]}"; do
			dmsetup remove --force --retry "$i"
		done
	fi
	mapfile -t loops <"$SVC_TMP/loops"
	[ ${#loops[@]} -eq 0 ] || losetup -d "${loops[@]}"
	[ -z "$svc_loaded" ] || keyctl clear "$svc_keyring"
	svc_unload_module
	rm -rf "$SVC_TMP"
} >/dev/null 2>&1

trap svc_cleanup EXIT
trap 'exit 143' TERM INT HUP
