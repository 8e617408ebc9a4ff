#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# All is well until the guest is switched off.
insmod build/test/trouble/trouble.ko what=power_off && echo "all is well"
