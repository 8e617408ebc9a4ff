/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls to vaults: io.svcenc.Vault on the workers' sockets. Maps every
 * outcome, a silent or wrong peer included, to exactly one class. Knows
 * nothing of what the answers mean for a policy.
 *
 * A call blocks the loop for at most VAULTS_TIMEOUT_MS; a vault that has let
 * one run out is not asked again for VAULTS_REST_MS (it is UNREACHABLE at
 * once), so that one slow vault costs the others at most a tenth of the time.
 * Each call has its own connection: an answer can never meet the wrong
 * question.
 */
#ifndef SVCENC_DAEMON_VAULTS_H
#define SVCENC_DAEMON_VAULTS_H

#include "model.h"
#include "secret.h"
#include "worker.h"

enum {
	VAULTS_TIMEOUT_MS = 3000,
	VAULTS_HEDGE_MS = 100, /* head start of the first root */
	VAULTS_REST_MS = 30000,
};

struct vault {
	const struct svcenc_vault_config *config;
	struct worker worker;
	int64_t rest_until_ms;
};

struct vault_result {
	enum svcenc_answer answer;
	char reason[32]; /* of DENIED */
	char detail[512];
};

int vaults_start(struct agent *agent, struct svcenc_fault *fault);
void vaults_stop(struct agent *agent);

struct vault *vaults_find(struct agent *agent, const char *name);

/* All: 0 if result->answer is OK, else -EREMOTEIO. */
int vaults_create_key(struct agent *agent, const char *vault,
		      const char *key_name, struct svcenc_record_wrap *ret,
		      struct vault_result *result);
/* Finds an existing key, as the vault calls it; makes nothing. */
int vaults_use_key(struct agent *agent, const char *vault, const char *key,
		   struct svcenc_record_wrap *ret, struct vault_result *result);
/* Wraps with wrap->kid; fills wrap->blob and wrap->alg. */
int vaults_wrap(struct agent *agent, struct svcenc_record_wrap *wrap,
		const struct svcenc_secret *plain, struct vault_result *result);

/* GetInfo: *ret_note is a reference the caller owns. */
int vaults_info(struct agent *agent, const char *vault, json_t **ret_info,
		struct vault_result *result);

/*
 * Several unwraps at once. FIRST: the first job starts, the others follow
 * VAULTS_HEDGE_MS later or when it has failed, and the first OK ends it
 * (jobs that were not asked or not heard keep answer UNKNOWN). ALL: waits
 * for all. accept() looks at the opened bytes; false makes the answer
 * CORRUPT.
 */
enum vaults_mode { VAULTS_FIRST, VAULTS_ALL };

struct unwrap_job {
	const char *vault;
	const char *kid;
	const u8 *blob;
	size_t blob_len;
	bool (*accept)(const struct svcenc_secret *plain, const void *what);
	const void *what;
	/* out */
	struct vault_result result;
	struct svcenc_secret *plain; /* the caller's to free */
	/* while it runs */
	struct svcenc_client *client;
	bool asked;
};

void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode);

/* Names the vault's answer in a fault; returns its errno. */
int vaults_fault(const char *vault, const struct vault_result *result,
		 struct svcenc_fault *fault);

#endif
