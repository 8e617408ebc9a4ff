#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will record with dm-log-writes what reaches the device
# DESCRIPTION: below: every flush above is one below and comes after the data
# DESCRIPTION: it covers, every FUA write arrives whole and marked FUA, writes
# DESCRIPTION: that ask for neither get neither; and a superblock commit is
# DESCRIPTION: flush, copy 1 with FUA, then copy 2 with FUA.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha
first=$((data_header / 512))

mark() {
	svc_must dmsetup message below 0 mark "$1"
}

put() {
	svc_must dd if=/dev/urandom of=$above status=none oflag=direct "$@"
}

# Entries between mark $1 and the next mark.
between() {
	awk -v name="$1" '$1 == "mark" { on = $2 == name; next } on' entries
}

# between NAME, how many with flag $2
count_flag() {
	between "$1" | awk -v flag="$2" '$3 ~ flag { n++ } END { print n + 0 }'
}

make_log() {
	svc_must modprobe dm-log-writes
	svc_make_volume vol 16M 4096 --fresh
	svc_add_key vol >/dev/null
	svc_attach vol
	data_dev=$svc_dev
	truncate -s 64M log
	svc_attach log
	data_map below "0 $(data_sectors "$data_dev") log-writes $data_dev $svc_dev"
}

workload() {
	mark initialize
	data_open alpha /dev/mapper/below vol initialize
	mark plain
	put bs=64k count=4
	mark flushes
	for _ in 1 2 3 4 5 6 7; do
		svc_must sync $above
	done
	mark data-then-flush
	put bs=4k count=1 seek=100 conv=fsync
	mark fua
	put bs=4k count=5 seek=200 oflag=direct,dsync
	mark large-fua
	put bs=512k count=1 seek=4 oflag=direct,dsync
	mark end
	svc_close alpha
	svc_close below
}

svc_plan 12
data_start
make_log
workload
"$svc_here/log_writes.py" log >entries || svc_bail "the log cannot be read"
svc_note "$(grep -c . entries) entries"

svc_is "commit: flush before copy 1" "$(between initialize | sed -n '1s/,.*//p')" "0 0 flush"
svc_is "commit: copy 1 with FUA" "$(between initialize | sed -n 2p | sed 's/,meta//')" "0 8 fua"
svc_is "commit: copy 2 with FUA, last" \
	"$(between initialize | sed -n '$p' | sed 's/,meta//')" "6144 8 fua"
svc_is "commit: nothing else is written" "$(between initialize | awk '$2 > 0' | wc -l)" 2
svc_is "plain writes carry no FUA" "$(count_flag plain fua)" 0
svc_is "seven flushes above are seven below" "$(count_flag flushes flush)" 7
svc_is "data, then its flush: in this order" \
	"$(between data-then-flush | awk '{ print $1, $2, $3 }' | tr '\n' ';')" \
	"$((first + 800)) 8 -;0 0 flush;"
svc_is "five FUA writes above are five below" "$(count_flag fua fua)" 5
svc_is "they are the right sectors" "$(between fua | awk '$3 ~ /fua/ { print $1 }' | tr '\n' ' ')" \
	"$((first + 1600)) $((first + 1608)) $((first + 1616)) $((first + 1624)) $((first + 1632)) "
svc_is "a large FUA write is FUA in every part" \
	"$(between large-fua | awk '$2 > 0 && $3 !~ /fua/ { n++ } END { print n + 0 }')" 0
svc_is "and arrives whole" "$(between large-fua | awk '{ n += $2 } END { print n }')" 1024
svc_ok "and is cut for several processors" \
	test "$(count_flag large-fua fua)" -ge 4
svc_done
