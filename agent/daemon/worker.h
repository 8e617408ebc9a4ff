/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that the agent starts: vault workers, and the parser of policy
 * records. Each runs as the vault's user, without capabilities or new
 * privileges, and dies with the agent. Knows no protocol.
 */
#ifndef SVCENC_DAEMON_WORKER_H
#define SVCENC_DAEMON_WORKER_H

#include <sys/types.h>

#include "agent.h"
#include "policyrec.h"

struct worker {
	struct agent *agent;
	const struct svcenc_vault_config *config;
	pid_t pid; /* 0 = not running */
	sd_event_source *child;
	sd_event_source *restart;
	unsigned int failures; /* in a row; sets the back-off */
	int64_t started_ms;
	uid_t uid; /* of config->user; valid if has_uid */
	gid_t gid;
	bool has_uid;
};

/* "<run>/vault/<name>/sock" */
void worker_socket(const struct agent *agent, const char *vault,
		   char ret[SVCENC_PATH_MAX]);

/* Looks the user up, makes the directories, starts the process. */
int worker_start(struct worker *worker, struct svcenc_fault *fault);
void worker_stop(struct worker *worker);

/*
 * Parses one hostile record image in a process of its own. 0; -EBADMSG with
 * the defect in @fault; or why it could not be done.
 */
int worker_parse_record(struct agent *agent, const u8 image[SVCENC_RECORD_SIZE],
			struct svcenc_record *ret, struct svcenc_fault *fault);

#endif
