/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of one svcencd process: what every part of it may reach. One
 * thread, two event loops (watch.h): a request that waits for a vault holds
 * up other requests, never the watch over leases. Owned by main.c.
 */
#ifndef SVCENC_DAEMON_AGENT_H
#define SVCENC_DAEMON_AGENT_H

#include <systemd/sd-event.h>

#include "config.h"
#include "fault.h"
#include "genl.h"
#include "store.h"

#define AGENT_VERSION "0.1"

struct lease;
struct rotation;
struct vault;
struct server;

struct agent_paths {
	const char *etc;	 /* svcencd.conf, vaults.d */
	const char *state;	 /* store.db */
	const char *run;	 /* sockets, lock */
	const char *vault_state; /* default vault directories, store key */
	const char *libexec;	 /* worker binaries */
};

struct agent {
	struct agent_paths paths;
	struct svcenc_config config;
	sd_event *event;
	sd_event *watch; /* leases, and every call to a vault; watch.h */
	sd_event_source *watch_again; /* in the first loop: more is due */
	struct svcenc_store *store;
	struct server *server;
	int64_t started_ms; /* agent_now_ms() */

	struct sys_genl *genl; /* NULL until the module has been seen */
	struct sys_genl_events *events;
	sd_event_source *events_source;
	sd_event_source *kernel_timer; /* looks for the module again */
	sd_event_source *metrics_timer;
	/* reason of the last REFUSED event, for the request that caused it */
	struct svcenc_uuid refused_volume;
	char refused_reason[SYS_GENL_REASON_SIZE];

	struct vault *vaults; /* config.vault_count of them, same order */
	struct lease *leases; /* list, one per policy that was ever looked at */
	size_t leases_found;  /* at our start */
	struct rotation *rotations; /* list, of those under way */
};

/* CLOCK_BOOTTIME, as the module's leases count. */
int64_t agent_now_ms(void);

#endif
