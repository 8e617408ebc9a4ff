/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics in Prometheus' text format, as a file for a textfile collector:
 * written anew every few seconds, put in place by a rename, so that a reader
 * never sees half of one. No name of a tenant, policy or volume is in it
 * unless the configuration wants that (metrics_names); policies have their
 * uuid. Asks no vault.
 */
#ifndef SVCENC_DAEMON_METRICS_H
#define SVCENC_DAEMON_METRICS_H

#include "agent.h"

int metrics_start(struct agent *agent);
void metrics_stop(struct agent *agent);

#endif
