#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
dmsetup create left_over --table "0 2048 zero"
