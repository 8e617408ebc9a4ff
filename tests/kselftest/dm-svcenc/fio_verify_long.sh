#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will run the three fio_verify tests again with more
# DESCRIPTION: data: 96 MiB raw, 96 MiB and 20,000 svcenc-fsx operations each
# DESCRIPTION: on ext4 and xfs.
# RUNS: vm
# VM: --smp 2 --mem 1536 --disk 400M
# SET: long
# TIMEOUT: 3600

here=$(dirname "$0")
"$here/fio_verify_raw.sh" 96 &&
	"$here/fio_verify_ext4.sh" 32 20000 &&
	"$here/fio_verify_xfs.sh" 96 20000
