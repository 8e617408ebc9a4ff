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
	MODEL_KEY_NAME_SIZE = 256, /* with the NUL */
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

/*
 * A rekey leaves the policy with its earlier key behind, superseded, as a
 * policy of its own with that key's roots, rules and state, until no volume
 * is under that key any more. So everything that watches keys goes on
 * watching it; found by its key, never by name.
 */
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
	bool ready; /* false: creation was cut short */
	bool held;  /* key ended by hand: only OpenVolume brings it back */
	bool superseded;
	bool customer; /* the roots are keys that somebody named */
	enum svcenc_policy_task task; /* what is to be gone on with */
	bool denied[2];		      /* sticky, roots a and b */
	struct moment fallback; /* its beginning; wall_s 0 = not in fallback */
	int64_t created;
	struct svcenc_record_wrap wraps[MODEL_ROLES]; /* a, b, availability */
	/* the root key's name in its vault; "": made by us, its name is our uuid */
	char root_names[MODEL_ROLES][MODEL_KEY_NAME_SIZE];
	struct probe probes[MODEL_ROLES];
	struct policy_run read; /* as it was read; see policy_save() */
};

/* A version of a root key: where, and which. */
struct root_version {
	char vault[SVCENC_NAME_SIZE];
	char kid[SVCENC_KID_MAX + 1];
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
	/* of what the header's policy record names; vault "": not known */
	struct root_version record_roots[MODEL_ROLES];
	u8 record_hash[32]; /* record_hash_of() its wraps */
	u8 on_withdrawal;   /* 0: as its policy, else the enumerator + 1 */
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
/* The version of @key, superseded or not. */
int policy_find_key(struct agent *agent, const struct svcenc_keyid *key,
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
/* Superseded ones, which policy_next() passes over. */
int policy_next_superseded(struct agent *agent, size_t *cursor,
			   struct policy *ret, struct svcenc_fault *fault);
int volume_next(struct agent *agent, size_t *cursor, struct volume *ret,
		struct svcenc_fault *fault);
/* Of one policy, under any of its keys; others cost next to nothing. */
int volume_next_of(struct agent *agent, const struct svcenc_uuid *policy,
		   size_t *cursor, struct volume *ret,
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

/*
 * @next takes the place of @before, in one transaction: root versions that
 * only @before uses are remembered (former_next()); if the key is another one
 * @before stays behind as superseded.
 */
int policy_replace(struct agent *agent, const struct policy *before,
		   struct policy *next, struct svcenc_fault *fault);
/* A header names other root versions than @policy: they are former ones. */
int policy_remember_roots(struct agent *agent, const struct policy *policy,
			  const struct svcenc_record_wrap *wraps,
			  struct svcenc_fault *fault);
/* A superseded version to which nothing refers any more. */
int policy_forget(struct agent *agent, const struct policy *superseded,
		  struct svcenc_fault *fault);

/* A root version that a policy has used before; for "roll --retire". */
struct former_root {
	struct svcenc_uuid policy;
	u32 role;
	struct root_version version;
};
int former_next(struct agent *agent, size_t *cursor, struct former_root *ret,
		struct svcenc_fault *fault);
int former_forget(struct agent *agent, const struct former_root *former,
		  struct svcenc_fault *fault);

/* For model_roots.c: within a transaction; 0 or the store's error. */
int policy_put(struct agent *agent, const struct policy *policy);

/* Random, version 4. */
int model_new_uuid(struct svcenc_uuid *ret);
/* Seconds since 1970. */
int64_t model_wall_s(void);
/* Names a failed write of the store. */
int model_store_fault(struct agent *agent, int error,
		      struct svcenc_fault *fault);

#endif
