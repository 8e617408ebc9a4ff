/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making policies and tenants: root keys in three vaults, a fresh policy key,
 * its three wraps and probes, each proven by an unwrap before anything is
 * called ready. Knows no kernel and no volume.
 */
#ifndef SVCENC_DAEMON_POLICIES_H
#define SVCENC_DAEMON_POLICIES_H

#include "model.h"
#include "rootspec.h"

#define TENANT_DEFAULT "default"
#define POLICY_PROVIDER "provider"

struct policy_wish {
	const char *name;
	const char *vaults[MODEL_ROLES];
	/* a customer's: roots a and b are keys that somebody named */
	bool customer;
	const char *root_names[2];
	bool accept_unrecoverable;
	struct svcenc_policy_rules rules;
};

/*
 * Do these vaults exist, are they three, and do keys that somebody named do?
 * What was looked at is appended to @checks. Makes and stores nothing.
 */
int policies_check_roots(struct agent *agent, const struct policy_wish *wish,
			 json_t *checks, struct svcenc_fault *fault);

/* The first of these alone, for the vaults that @policy's wraps name. */
int policies_check_apart(struct agent *agent, const struct policy *policy,
			 struct svcenc_fault *fault);

/* The wish that the configuration's defaults make. */
void policies_default_wish(struct agent *agent, const char *name,
			   struct policy_wish *ret);

/*
 * Makes it, or finishes a run that was cut short; *ret_created is false if it
 * was there already with the same vaults and rules.
 */
int policies_create(struct agent *agent, const struct tenant *tenant,
		    const struct policy_wish *wish, struct policy *ret,
		    bool *ret_created, json_t *checks,
		    struct svcenc_fault *fault);

/*
 * The missing probes (blob_len 0) of a policy whose wraps are there. A root
 * that does not work now stays without one. True if any was made.
 */
bool policies_mend_probes(struct agent *agent, struct policy *policy);

/* The tenant and its provider policy. */
int policies_create_tenant(struct agent *agent, const char *name,
			   struct tenant *ret, bool *ret_created,
			   struct svcenc_fault *fault);

#endif
