#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Exercises what a test may count on; prints one line per fact.
set -e
[ "$(id -u)" = 0 ]
[ "$1 $2" = "two words and 'quotes'" ]
[ -r "$0" ] && [ "$(dirname "$0")" = "$PWD/tests/vm/selftest.d" ]
[ "$GREETING" = "it's me" ]
echo "arguments, environment and checkout are the host's"
touch /etc/dm-svcenc-written /tmp/x /run/x /usr/x
echo "the root is writable"
echo shared >/run/vmshare/from-guest
[ "$(cat /run/vmshare/from-host)" = hello ]
echo "the share works"
[ "$(blockdev --getsize64 /dev/vda)" = $((64 << 20)) ]
[ "$(blockdev --getpbsz /dev/vdb)" = 4096 ]
dd if=/dev/vdb bs=16 count=1 status=none | grep -q "on the disk"
dd if=/dev/zero of=/dev/vda bs=1M count=1 oflag=direct status=none
echo "the disks are there"
modprobe dm-crypt
echo "0 32768 crypt aes-xts-plain64 :64:logon:t 0 /dev/vda 0" >/dev/null
dmsetup create t --table "0 32768 linear /dev/vda 0"
dd if=/dev/mapper/t of=/dev/null bs=1M count=1 status=none
dmsetup remove t
echo "device-mapper works without udev"
keyctl add user k v @u >/dev/null && keyctl search @u user k >/dev/null
echo "keys work"
mountpoint -q /sys/kernel/security && mountpoint -q /sys/kernel/debug
python3 -c 'import socket; a, b = socket.socketpair(); s = socket.socket(); s.bind(("127.0.0.1", 0))'
ip -o addr show lo | grep -q 127.0.0.1
echo "sockets work"
grep -q slub_debug=FZP /proc/cmdline && [ "$(nproc)" = 2 ]
echo to-stderr >/dev/stderr
echo to-stdout >/dev/stdout
printf 'no newline at the end'
