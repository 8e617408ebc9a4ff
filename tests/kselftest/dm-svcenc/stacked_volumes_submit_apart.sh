#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write large bios to five volumes on each other, and look in
# DESCRIPTION: the kernel's trace on which queue each of them submits: the first four on
# DESCRIPTION: one of its own, so that the rescuer of a queue never waits for itself.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

trace=/sys/kernel/tracing

# Queues on which a volume's bios were submitted, each once.
queues() {
	grep -o 'workqueue=svcenc_submit/[0-9]*' "$trace/trace" | sort -u | paste -s -d ' '
}

svc_plan 3
data_start
mountpoint -q $trace || svc_must mount -t tracefs tracefs $trace
sizes=(96M 80M 64M 48M 32M)
below='' names=()
for i in 0 1 2 3 4; do
	if [ -z "$below" ]; then
		svc_make_volume vol0 "${sizes[0]}" 4096 --spare 1M
		svc_attach vol0
		below=$svc_dev
	else
		data_make_on "$below" "vol$i" "${sizes[i]}" 4096 --spare 1M
	fi
	svc_add_key "vol$i" >/dev/null
	data_open "level$i" "$below" "vol$i"
	below=/dev/mapper/level$i
	names+=("level$i")
done
echo 1 >$trace/events/workqueue/workqueue_queue_work/enable
svc_must dd if=/dev/zero of=/dev/mapper/level0 bs=1M count=2 oflag=direct conv=notrunc seek=90 status=none
svc_is "the lowest one has a queue" "$(queues)" "workqueue=svcenc_submit/0"
echo >$trace/trace
svc_must dd if=/dev/zero of="$below" bs=1M count=8 oflag=direct conv=notrunc status=none
echo 0 >$trace/events/workqueue/workqueue_queue_work/enable
svc_is "of five on each other, four have" "$(queues)" \
	"workqueue=svcenc_submit/0 workqueue=svcenc_submit/1 workqueue=svcenc_submit/2 workqueue=svcenc_submit/3"
echo >$trace/trace
svc_ok "what was written reads" cmp -n $((8 << 20)) "$below" /dev/zero
for ((i = 4; i >= 0; i--)); do
	svc_close "level$i"
done
svc_done
