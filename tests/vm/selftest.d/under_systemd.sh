#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
set -e
[ "$(cat /proc/1/comm)" = systemd ]
systemctl is-active -q systemd-udevd.service systemd-journald.service
[ -b /dev/disk/by-id/virtio-disk0 ]
[ -z "$(systemctl list-units --failed --no-legend)" ]
systemctl list-units --failed --no-legend
dmsetup create t --table "0 2048 zero"
[ -b /dev/mapper/t ]
dmsetup remove t
echo "systemd, udev and the journal are up"
