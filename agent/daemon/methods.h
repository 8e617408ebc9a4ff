/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of io.svcenc.Agent: which there are, who may call them, and
 * what each does with its parameters. Knows no socket.
 */
#ifndef SVCENC_DAEMON_METHODS_H
#define SVCENC_DAEMON_METHODS_H

#include "model.h"

/* One bit per socket; a connection has the bit of the one it came by. */
enum role {
	ROLE_STATUS = 1 << 0,
	ROLE_OPERATOR = 1 << 1,
	ROLE_OFFICER = 1 << 2,
};

struct request {
	struct agent *agent;
	enum role role;
	uid_t uid;	    /* of the peer */
	json_t *parameters; /* borrowed; an object */
	json_t *reply;	    /* out, on success: the reply's parameters */
	struct svcenc_fault fault;
};

/*
 * Checks the role, then serves. 0 = request->reply is set; -ENOSYS = no such
 * method; else request->fault is set.
 */
int methods_call(const char *method, struct request *request);

/*
 * Unpacks the parameters like json_unpack_ex(); no member may be left over.
 * USAGE fault if they do not fit.
 */
int methods_unpack(struct request *request, const char *format, ...);
/* Takes the reply; MEMORY fault if it is NULL. */
int methods_reply(struct request *request, json_t *reply);
/* NOT_FOUND fault if there is no such tenant, or no such policy of it. */
int methods_find_policy(struct request *request, const char *tenant,
			const char *name, struct policy *ret);

/* methods_tenant.c */
int method_create_tenant(struct request *request);
int method_list_tenants(struct request *request);
int method_show_tenant(struct request *request);
/* methods_policy.c */
int method_create_policy(struct request *request);
int method_list_policies(struct request *request);
int method_show_policy(struct request *request);
/* methods_change.c */
int method_roll_policy(struct request *request);
int method_rekey_policy(struct request *request);
int method_set_policy_roots(struct request *request);
int method_recover_policy(struct request *request);
int method_retire_roots(struct request *request);
int method_test_policy(struct request *request);
int method_grant_fallback(struct request *request);
int method_revoke_grant(struct request *request);
/* methods_vault.c */
int method_list_vaults(struct request *request);
int method_test_vault(struct request *request);
/* methods_volume.c */
int method_create_volume(struct request *request);
int method_open_volume(struct request *request);
int method_close_volume(struct request *request);
int method_list_volumes(struct request *request);
int method_volume_status(struct request *request);
int method_resize_volume(struct request *request);
int method_rotate_volume(struct request *request);
int method_recover_store(struct request *request);
/* methods_agent.c */
int method_get_status(struct request *request);
int method_list_events(struct request *request);

#endif
