/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call to a vault, without waiting for it: its place in the vault's line,
 * connection, deadline, answer, and what the answer says of the vault (it is
 * silent, wants to be left alone, took so long). Knows no method.
 */
#ifndef SVCENC_DAEMON_VAULT_CALL_H
#define SVCENC_DAEMON_VAULT_CALL_H

#include <jansson.h>

#include "vaults.h"

/*
 * Filled with @agent to @userdata by the caller, else zero; must not move
 * while it runs. @done is called once, from the watch, never from within
 * vault_call_start(); afterwards result is set, and reply if it is OK.
 */
struct vault_call {
	struct agent *agent;
	const char *name; /* of the vault */
	const char *method;
	json_t *parameters; /* taken */
	int timeout_ms;
	void (*done)(struct vault_call *call);
	void *userdata;
	/* out */
	struct vault_result result;
	json_t *reply; /* the caller's; NULL once it took it */
	/* while it runs */
	struct vault *vault;
	struct vault_call *next; /* in the vault's line */
	bool in_line;
	int64_t started_ms;	      /* or when it left the line */
	int64_t deadline_ms, last_ms; /* of this stage; of all of it */
	struct svcenc_client *client;
	sd_event_source *io, *timer;
};

void vault_call_start(struct vault_call *call);
/* Ends it if it runs, without @done; frees what it holds. */
void vault_call_stop(struct vault_call *call);

/* Sets class, reason, detail. 0 if it is OK, else -EREMOTEIO. */
int vault_say(struct vault_result *result, enum svcenc_answer answer,
	      const char *reason, const char *detail);

#endif
