#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will open 64 volumes at once, do verified I/O on all of
# DESCRIPTION: them at the same time, and print what a volume costs: memory, and
# DESCRIPTION: threads, of which none may be its own beyond device-mapper's.
# DESCRIPTION: Then one key ends, and only that volume is locked; and of a list of
# DESCRIPTION: them none is missing because others are closed and opened meanwhile.
# RUNS: vm
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_many.sh
. "$(dirname "$0")/lib_many.sh"

limit=512 # KiB per volume, under slub_debug; volume_costs_little is exact
count=64 slice=8 # MiB
own=7 # the volume with a key of its own

# Kernel threads but for workers, which all workqueues share.
threads() {
	ps --ppid 2 -o comm= | awk '!/^kworker/ { sub("/[0-9:]*$|[0-9]*$", ""); print }' | sort
}

# Memory in use, KiB, when what can be dropped is dropped.
used() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.5 # RCU gives back late
	awk '/^MemTotal|^MemFree|^Shmem:|^Buffers|^Cached/ { v[$1] = $2 }
		END { print v["MemTotal:"] - v["MemFree:"] - v["Buffers:"] - v["Cached:"] }' /proc/meminfo
}

states() {
	dmsetup status --target svcenc | awk '{ print $5 }' | sort | uniq -c | tr -s ' \n' ' '
}

# The mapped devices netlink knows, as vol1 ..., while COMMAND is run in between.
listed_while() {
	"$data_bin/svcenc-genl" devices "$1" | sed -n 's/.*DEVNO=\([0-9:]*\) .*/\1/p' | sort
}

# Those that device-mapper knows, but for the one that is named.
mapped_but() {
	dmsetup info -c --noheadings --separator : -o name,major,minor "${many_volumes[@]}" |
		sed -n "/^$1:/!s/^[^:]*://p" | sort
}

svc_plan 10
data_start
truncate -s $((count * slice))M disk
svc_attach disk
many_make "$svc_dev" $count $slice $own # what lies below has threads and memory, too
threads >threads.before
before=$(used)
many_open $count
after=$(used)
threads >threads.after
svc_is "all are active" "$(states)" " $count active "
comm -13 threads.before threads.after | sort | uniq -c >threads.new
svc_note "new threads: $(tr -s ' \n' ' ' <threads.new)"
svc_ok "threads per volume: device-mapper's one" test "$(wc -l <threads.new)" -le 1
svc_is "none is svcenc's" "$(grep -c svcenc threads.new)" 0
svc_note "memory per idle volume: $(((after - before) / count)) KiB"
svc_ok "memory per idle volume is below $limit KiB" test $(((after - before) / count)) -lt $limit
svc_ok "verified I/O on all at once" "$data_bin/svcenc-all" "${many_volumes[@]}"
svc_is "every volume did some" \
	"$(dmsetup status --target svcenc | awk '$12 == 0 { n++ } END { print n + 0 }')" 0
svc_revoke_key vol$own
svc_wait 5 eval "dmsetup status vol$own | grep -q locked"
svc_is "one key ended, one volume is locked" "$(states)" " $((count - 1)) active 1 locked "
svc_ok "the others go on" dd if=/dev/mapper/vol8 of=/dev/null bs=64k iflag=direct
mapped_but vol1 >mapped
# vol1 and vol2 are in the first part of the list, so they have been told of
svc_is "a list misses none when one is closed meanwhile" \
	"$(listed_while 'dmsetup remove vol1' | comm -23 mapped - | wc -l)" 0
unset 'many_volumes[0]'
mapped_but none >mapped
svc_is "nor does it show one twice that is loaded anew" \
	"$(listed_while "dmsetup load vol2 --table '$(data_table /dev/mapper/slice2 vol2 4096)' && dmsetup resume vol2" |
		comm -3 mapped - | wc -l)" 0
svc_done
