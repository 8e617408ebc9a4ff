/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tenants, policies and volumes as the agent works with them, and as records
 * of the store. Reads and writes records; decides nothing. A record that the
 * store has verified but that does not read is a fault of INTEGRITY.
 */
#ifndef SVCENC_DAEMON_MODEL_H
#define SVCENC_DAEMON_MODEL_H

#include "agent.h"
#include "keyfmt.h"
#include "moment.h"
#include "policyrec.h"

enum model_limits {
	MODEL_ROLES = 3, /* a, b, availability: index = role - 1 */
	MODEL_BLOB_MAX = 512,
};

struct tenant {
	char name[SVCENC_NAME_SIZE];
	struct svcenc_uuid uuid;
	int64_t created; /* seconds since 1970 */
};

/* A random number wrapped with a root, and its hash: what a probe opens. */
struct probe {
	u32 blob_len;
	u8 blob[MODEL_BLOB_MAX];
	u8 hash[32]; /* SHA-256 of the number */
};

/* What the watch over leases changes, also while a request is at work. */
struct policy_run {
	enum svcenc_policy_state state;
	bool held;
	bool denied[2];
	struct moment fallback;
};

struct policy {
	char name[SVCENC_NAME_SIZE];
	struct svcenc_uuid tenant;
	struct svcenc_keyid key; /* key.policy is the policy's uuid */
	u8 check[SVCENC_CHECK_SIZE];
	struct svcenc_policy_rules rules;
	enum svcenc_policy_state state;
	bool ready;	/* false: creation was cut short */
	bool held;	/* key ended by hand: only OpenVolume brings it back */
	bool denied[2]; /* sticky, roots a and b */
	struct moment fallback; /* its beginning; wall_s 0 = not in fallback */
	int64_t created;
	struct svcenc_record_wrap wraps[MODEL_ROLES]; /* a, b, availability */
	struct probe probes[MODEL_ROLES];
	struct policy_run read; /* as it was read; see policy_save() */
};

struct volume {
	char name[SVCENC_NAME_SIZE];
	struct svcenc_uuid uuid;
	struct svcenc_uuid tenant;
	struct svcenc_keyid key;
	char device[SVCENC_PATH_MAX];
	bool ready; /* false: format was cut short */
	bool allow_discards;
	u32 sector_size;
	u64 data_len; /* bytes, as spare_len */
	u64 spare_len;
	u64 seq;   /* newest known to be durable */
	u64 epoch; /* 0: never opened */
	u64 record_generation;
	u8 on_withdrawal; /* 0: as its policy, else the enumerator + 1 */
	int64_t created;
};

/* All: 0, or a fault. find: NOT_FOUND with a hint. */
int tenant_find(struct agent *agent, const char *name, struct tenant *ret,
		struct svcenc_fault *fault);
int tenant_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct tenant *ret, struct svcenc_fault *fault);
int policy_find(struct agent *agent, const struct svcenc_uuid *tenant,
		const char *name, struct policy *ret,
		struct svcenc_fault *fault);
int policy_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct policy *ret, struct svcenc_fault *fault);
int volume_find(struct agent *agent, const char *name, struct volume *ret,
		struct svcenc_fault *fault);

/* "tenant/policy", for the log; valid until the next call. */
const char *policy_label(struct agent *agent, const struct policy *policy);

/*
 * Next of all; start with *@cursor = 0. 1 = *@ret is set, 0 = end. No writes
 * to the store in between.
 */
int tenant_next(struct agent *agent, size_t *cursor, struct tenant *ret,
		struct svcenc_fault *fault);
int policy_next(struct agent *agent, size_t *cursor, struct policy *ret,
		struct svcenc_fault *fault);
int volume_next(struct agent *agent, size_t *cursor, struct volume *ret,
		struct svcenc_fault *fault);
/* How many there are: policies and volumes of a tenant, volumes under a key. */
size_t model_policies_of(struct agent *agent, const struct svcenc_uuid *tenant);
size_t model_volumes_of(struct agent *agent, const struct svcenc_uuid *tenant);
size_t model_volumes_under(struct agent *agent, const struct svcenc_keyid *key);
bool volume_by_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		    struct volume *ret);

/* Each is one durable transaction. */
int tenant_save(struct agent *agent, const struct tenant *tenant,
		struct svcenc_fault *fault);
/*
 * Of what is in struct policy_run only that is stored which the caller has
 * changed since it read the policy; of the rest the store's own is kept and
 * put into *@policy: a request that has waited for a vault may hold what was
 * true before the wait.
 */
int policy_save(struct agent *agent, struct policy *policy,
		struct svcenc_fault *fault);
/* Takes over what the store has of struct policy_run, as policy_save() does. */
void policy_catch_up(struct agent *agent, struct policy *policy);
int volume_save(struct agent *agent, const struct volume *volume,
		struct svcenc_fault *fault);

/* Random, version 4. */
int model_new_uuid(struct svcenc_uuid *ret);
/* Seconds since 1970. */
int64_t model_wall_s(void);
/* Names a failed write of the store. */
int model_store_fault(struct agent *agent, int error,
		      struct svcenc_fault *fault);

#endif
