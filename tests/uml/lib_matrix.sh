# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sets the stage for svcenc-key-matrix, volumes side by side on one device,
# and makes each of its cells a check.
#
# shellcheck disable=SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

readonly MATRIX_VOLUMES=18 MATRIX_CELLS=60

matrix_volumes() {
	local i file slice=$((10 << 11)) slices=''

	truncate -s $((MATRIX_VOLUMES * slice * 512)) "$SVC_TMP/disk"
	svc_attach "$SVC_TMP/disk"
	for ((i = 1; i <= MATRIX_VOLUMES; i++)); do
		file=$SVC_TMP/v$i
		slices+="slice$i,,,rw,0 $slice linear $svc_dev $(((i - 1) * slice));"
		svc_plan_volume "$file" --size 4M
		ln -s "/dev/mapper/slice$i" "$file"
		svc_mappings+=("slice$i" "m-slice$i")
		matrix_volumes+=("$file:slice$i")
	done
	svc_must dmsetup create --concise "$slices"
	svc_make_planned
}
matrix_volumes=()

# matrix_test [OPTION...]: of svcenc-key-matrix.
matrix_test() {
	local seed=${SEED:-$RANDOM} verdict

	# shellcheck disable=SC2119 # our arguments are not the module's
	svc_load_module
	matrix_volumes
	svc_note "seed $seed"
	"$svc_bin/svcenc-key-matrix" --seed "$seed" "$@" "$(svc_module_file)" \
		"${matrix_volumes[@]}" >"$SVC_TMP/cells" 2>&1
	svc_is "svcenc-key-matrix is content" $? 0
	svc_keyring=$(</sys/module/dm_svcenc/parameters/keyring)
	while read -r verdict; do
		case $verdict in
		'ok '*) svc_pass "${verdict#ok }" ;;
		'not ok '*) svc_fail "${verdict#not ok }" ;;
		*) svc_note "$verdict" ;;
		esac
	done <"$SVC_TMP/cells"
	svc_is "cells that are well" "$(grep -c '^ok ' "$SVC_TMP/cells")" $MATRIX_CELLS
	svc_note "in $SECONDS s"
	svc_done
}
