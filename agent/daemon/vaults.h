/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vaults of this host: their workers, what is known of each, and calls to
 * them: io.svcenc.Vault on the workers' sockets. Maps every outcome, a silent
 * or wrong peer included, to exactly one class. Knows nothing of what the
 * answers mean for a policy.
 *
 * No call blocks the watch over leases (watch.h): those that return an answer
 * let it go on while they wait. Each call has its own connection: an answer
 * can never meet the wrong question. A vault that asked to be left alone
 * (Throttled) is left alone.
 */
#ifndef SVCENC_DAEMON_VAULTS_H
#define SVCENC_DAEMON_VAULTS_H

#include "model.h"
#include "rootcheck.h"
#include "secret.h"
#include "worker.h"

enum {
	VAULTS_TIMEOUT_MS = 3000,
	VAULTS_SILENT_TIMEOUT_MS = 500, /* of requests, if it was silent last */
	VAULTS_HEDGE_MS = 100,		/* head start of the first root */
	/*
	 * At once to one vault; others wait in line. 2000 policies that ask a
	 * vault which takes 2.5 s every 30 s need 175.
	 */
	VAULTS_CALLS_MAX = 256,
	/*
	 * In line before that, not part of the time for the answer: whoever
	 * has waited would be hung up on while the vault works, and the vault
	 * would work in vain for all. With the timeout it makes 5 s, which is
	 * what a withdrawal has beyond the probe interval.
	 */
	VAULTS_LINE_MS = 2000,
	VAULTS_RETRY_AFTER_MAX_S = 300, /* however long it asks for */
	VAULTS_BACKOFF_MAX_S = 30,	/* if it throttles and does not say */
	VAULTS_BUCKETS = 9,		/* of latency, and one for all above */
};

struct vault_call;

/* What the metrics tell; by class of answer. */
struct vault_figures {
	u64 answers[SVCENC_ANSWER_COUNT];
	u64 took_us[SVCENC_ANSWER_COUNT]; /* the sum */
	u64 within[SVCENC_ANSWER_COUNT][VAULTS_BUCKETS];
};

struct vault {
	const struct svcenc_vault_config *config;
	struct worker worker;
	bool silent;		     /* the last call had no answer in time */
	int64_t left_alone_until_ms; /* it has throttled */
	unsigned int throttles;	     /* in a row */
	unsigned int calls;	     /* on their way */
	struct vault_call *line;     /* those that wait, the first one first */
	struct vault_figures figures;
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
/*
 * Finds an existing key, as the vault calls it; makes nothing. Its alg is 0 if
 * it cannot wrap.
 */
int vaults_use_key(struct agent *agent, const char *vault, const char *key,
		   struct svcenc_record_wrap *ret, struct vault_result *result);
/* A version newer than wrap->kid, of a key that we have made. */
int vaults_renew_key(struct agent *agent, const char *vault,
		     struct svcenc_record_wrap *wrap,
		     struct vault_result *result);
/* Metadata only. */
int vaults_describe_key(struct agent *agent, const char *vault, const char *kid,
			struct svcenc_root_facts *ret,
			struct vault_result *result);
/* Wraps with wrap->kid; fills wrap->blob and wrap->alg. */
int vaults_wrap(struct agent *agent, struct svcenc_record_wrap *wrap,
		const struct svcenc_secret *plain, struct vault_result *result);

/* GetInfo: *ret_note is a reference the caller owns. */
int vaults_info(struct agent *agent, const char *vault, json_t **ret_info,
		struct vault_result *result);

/*
 * Several unwraps at once (unwrap.c). FIRST: the first job starts, the others follow
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
};

/* Waits; the watch goes on meanwhile. */
void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode);

/*
 * The same without waiting: @done is called from the watch, never from within
 * vaults_ask(). @jobs must live until then, or until vaults_ask_stop().
 * NULL: memory is short; @done is not called.
 */
struct asking;
struct asking *vaults_ask(struct agent *agent, struct unwrap_job *jobs,
			  size_t count, enum vaults_mode mode,
			  void (*done)(void *userdata), void *userdata);
/* NULL is fine; returns NULL. After @done it is gone by itself. */
struct asking *vaults_ask_stop(struct asking *asking);

/* A person wants to know: forget that it throttled or was silent. */
void vaults_try_in_earnest(struct vault *vault);

/* Names the vault's answer in a fault; returns its errno. */
int vaults_fault(const char *vault, const struct vault_result *result,
		 struct svcenc_fault *fault);

#endif
