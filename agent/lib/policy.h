/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of a policy: which states there are, which steps lead between
 * them, and what the answers of its vaults mean for the policy key. Pure: no
 * file, socket, kernel, clock or key byte; time comes in as an argument.
 *
 * Invariant: access is prolonged (RENEW, FALLBACK) only if a root just
 * opened the policy key, or the rules of an outage say so. DENIED is sticky:
 * no later outage turns it back into access; only that root's OK clears it.
 */
#ifndef SVCENC_LIB_POLICY_H
#define SVCENC_LIB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Class of a vault's answer; every answer has exactly one. */
#define SVCENC_ANSWERS(x)                                           \
	x(UNKNOWN, "unknown") x(OK, "ok") x(THROTTLED, "throttled") \
		x(UNREACHABLE, "unreachable") x(DENIED, "denied")   \
			x(BADAUTH, "badauth") x(CORRUPT, "corrupt")

enum svcenc_answer {
#define x(name, text) SVCENC_ANSWER_##name,
	SVCENC_ANSWERS(x)
#undef x
		SVCENC_ANSWER_COUNT
};

/*
 * The two of a purge belong to the vocabulary (the store and the protocol may
 * carry them); no step below leads into them, so until its verbs exist they
 * cannot be reached. The most urgent thing wins: a policy that is locked in
 * the midst of a roll is LOCKED, and its task says that there is a roll to
 * finish.
 */
#define SVCENC_POLICY_STATES(x)                                           \
	x(ACTIVE, "active") x(ROLLING, "rolling") x(DEGRADED, "degraded") \
		x(FALLBACK, "fallback") x(LOCKED, "locked")               \
			x(RECOVERING, "recovering")                       \
				x(PURGE_REQUESTED, "purge-requested")     \
					x(PURGED, "purged")

enum svcenc_policy_state {
#define x(name, text) SVCENC_POLICY_##name,
	SVCENC_POLICY_STATES(x)
#undef x
		SVCENC_POLICY_STATE_COUNT
};

/* What can happen to a policy. */
#define SVCENC_POLICY_STEPS(x)                                                \
	x(ALL_ROOTS_OPEN, "all-roots-open")                                   \
		x(ROOT_MISSING,                                               \
		  "root-missing") /* one opens, one does not; or none
					    * does and the lease runs on */         \
		x(OUTAGE_BRIDGED,                                             \
		  "outage-bridged")	    /* availability key in use */     \
		x(WITHDRAWN, "withdrawn")   /* denied: leases end now */      \
		x(LEASE_OVER, "lease-over") /* nothing opened in time */      \
		x(ROLL_BEGUN,                                                 \
		  "roll-begun") /* roll, rekey, set-roots; also again */      \
		x(ROLL_DONE, "roll-done") x(RECOVERY_BEGUN, "recovery-begun") \
			x(RECOVERY_DONE, "recovery-done")

enum svcenc_policy_step {
#define x(name, text) SVCENC_STEP_##name,
	SVCENC_POLICY_STEPS(x)
#undef x
		SVCENC_POLICY_STEP_COUNT
};

/*
 * What was begun and is not finished: the change is in the store, some headers
 * are still to be rewritten. Stored; the same verb again goes on with it.
 */
#define SVCENC_POLICY_TASKS(x)                        \
	x(NONE, "") x(ROLL, "roll") x(REKEY, "rekey") \
		x(SET_ROOTS, "set-roots") x(RECOVER, "recover")

enum svcenc_policy_task {
#define x(name, text) SVCENC_TASK_##name,
	SVCENC_POLICY_TASKS(x)
#undef x
		SVCENC_TASK_COUNT
};

#define SVCENC_AVAILABILITIES(x) \
	x(NEVER, "never") x(TRANSIENT, "transient") x(ASK, "ask")

enum svcenc_availability {
#define x(name, text) SVCENC_AVAILABILITY_##name,
	SVCENC_AVAILABILITIES(x)
#undef x
		SVCENC_AVAILABILITY_COUNT
};

#define SVCENC_ON_WITHDRAWALS(x) x(SHUTDOWN, "shutdown") x(FAIL, "fail")

enum svcenc_on_withdrawal {
#define x(name, text) SVCENC_ON_WITHDRAWAL_##name,
	SVCENC_ON_WITHDRAWALS(x)
#undef x
		SVCENC_ON_WITHDRAWAL_COUNT
};

/* NULL for a number outside the list; -1 for a text outside of it. */
const char *svcenc_answer_text(unsigned int answer);
const char *svcenc_policy_state_text(unsigned int state);
const char *svcenc_policy_step_text(unsigned int step);
const char *svcenc_policy_task_text(unsigned int task);
const char *svcenc_availability_text(unsigned int availability);
const char *svcenc_on_withdrawal_text(unsigned int on_withdrawal);
int svcenc_answer_parse(const char *text);
int svcenc_policy_state_parse(const char *text);
int svcenc_policy_task_parse(const char *text);
int svcenc_availability_parse(const char *text);
int svcenc_on_withdrawal_parse(const char *text);

enum svcenc_policy_limits {
	SVCENC_POLICY_LEASE_S = 600, /* defaults */
	SVCENC_POLICY_PROBE_S = 30,
	SVCENC_POLICY_FALLBACK_MAX_S = 4 * 3600,
	SVCENC_POLICY_LEASE_MIN_S = 2,
	SVCENC_POLICY_PROBE_MIN_S = 1,
	SVCENC_POLICY_TOLERANCE_MS = 5000, /* "probe interval + 5 s" */
	SVCENC_POLICY_RETRY_MS = 1000,	   /* after a doubtful answer */
};

struct svcenc_policy_rules {
	enum svcenc_availability availability;
	enum svcenc_on_withdrawal on_withdrawal;
	uint32_t lease_s;
	uint32_t probe_s;
	uint32_t fallback_max_s;
};

void svcenc_policy_default_rules(struct svcenc_policy_rules *ret);
/* NULL if they make sense together, else what is wrong. */
const char *svcenc_policy_check_rules(const struct svcenc_policy_rules *rules);

/* What is known of root a or b. Times are CLOCK_BOOTTIME milliseconds. */
struct svcenc_policy_root {
	enum svcenc_answer answer; /* the last one */
	bool denied;		   /* sticky; stored */
	/* unreachable for want of a name that resolves: no outage, as that is
	 * what a deleted vault looks like; set by svcenc_policy_note()'s caller
	 */
	bool nameless;
	bool ever_ok; /* last_ok_ms is valid */
	int64_t last_ok_ms;
};

/* Notes an answer; the one place that sets or clears "denied". */
void svcenc_policy_note(struct svcenc_policy_root *root,
			enum svcenc_answer answer, int64_t now_ms);

enum svcenc_policy_action {
	SVCENC_ACTION_RENEW,	/* renew the lease, or bring the key back */
	SVCENC_ACTION_FALLBACK, /* the same, if the availability root opens */
	SVCENC_ACTION_WAIT,	/* leave the lease to run out */
	SVCENC_ACTION_DROP,	/* end the key now */
};

struct svcenc_policy_view {
	enum svcenc_policy_state state;
	struct svcenc_policy_rules rules;
	struct svcenc_policy_root root[2]; /* a, b */
	/*
	 * When the doubt began: no root has opened since. Valid if
	 * in_doubt; kept by svcenc_policy_decide()'s caller.
	 */
	bool in_doubt;
	int64_t doubt_since_ms;
	bool in_fallback;
	int64_t fallback_since_ms;
	int64_t granted_until_ms; /* an officer's grant ends; 0 = none */
	bool key_live;		  /* the kernel holds the policy key */
	int64_t now_ms;
};

struct svcenc_policy_verdict {
	enum svcenc_policy_action action;
	enum svcenc_policy_step step;
	int64_t next_probe_ms; /* from now */
	const char *why;       /* for people; "" while all is well */
};

void svcenc_policy_decide(const struct svcenc_policy_view *view,
			  struct svcenc_policy_verdict *ret);

/*
 * The only way from one state to another. -EPERM: @step is not allowed in
 * *@state, which is left as it is.
 */
int svcenc_policy_apply(enum svcenc_policy_state *state,
			enum svcenc_policy_step step);

/* Why @step is refused in @state, for people; NULL if it is allowed. */
const char *svcenc_policy_refusal(enum svcenc_policy_state state,
				  enum svcenc_policy_step step);

#endif
