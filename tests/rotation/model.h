/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rotation as a machine with few states: a disk of some sectors with a
 * volatile cache, two superblock copies, the rotation's worker, foreground
 * reads, writes and flushes, failed commits, power cuts. What is at which
 * place it asks core/rotation.c, which copy wins core/ondisk.c; the order of
 * the steps is the protocol that the kernel's part follows, written down here
 * a second time. A mutant breaks one rule of it.
 *
 * Every step is one event that a disk or a processor can order freely against
 * the others: a bio is issued, takes effect, a commit gets one step further.
 */
#ifndef SVCENC_TEST_ROTATION_MODEL_H
#define SVCENC_TEST_ROTATION_MODEL_H

#include "rotation.h"

enum model_limits {
	LENGTH_MAX = 5,
	SPARE_MAX = 3,
	PHYS_MAX = LENGTH_MAX + SPARE_MAX,
	VERSIONS = 4, /* of one sector: what was there, and three writes */
	OPS = 2,      /* foreground bios under way at a time */
	COPIES = SVCENC_SB_COPIES,
	WHOLE_MAX = 6, /* contents that one copy may have after failures */
};

/*
 * Ciphertext of a sector as a number: under which key, of which logical
 * sector, which version. Three numbers are none: NOISE is no plaintext under
 * any key, STALE some plaintext under the old one, both where nobody may
 * look; UNKNOWN is either, one of the state's may[].
 */
enum model_key { KEY_OLD, KEY_NEW };
enum { NOISE = 0, STALE = 62, UNKNOWN = 63 };

/*
 * Rules that a mutant breaks. An older copy that wins and is then written over
 * the newer one is none of them: whenever the two differ, both are right.
 */
#define MODEL_MUTANTS(x)                                                                                                                 \
	x(NONE, "-") x(SKIP_FLUSH, "W advances without PREFLUSH") x(BOTH_COPIES_AT_ONCE, "both copies are written at once") x(           \
		RELEASE_BEFORE_COMMIT,                                                                                                   \
		"parked writes go before the commit") x(RELEASE_AFTER_COPY_1,                                                            \
							"W advances when copy 1 is durable") x(EXCEED_SPARE,                             \
											       "batches exceed the spare by one sector") \
		x(NO_READ_GRACE, "a batch writes without waiting for readers") x(                                                        \
			NO_WRITE_GRACE,                                                                                                  \
			"a batch reads without waiting for writers") x(LATE_WRITE_GRACE,                                                 \
								       "a batch waits for writers only before it writes")                \
			x(TRUST_OLDER_COPY, "the older copy wins, the newer stays") x(                                                   \
				TRUST_COPY_1,                                                                                            \
				"copy 1 wins if whole, copy 2 stays") x(NO_REPAIR,                                                       \
									"a stale copy is not repaired at load")                          \
				x(IO_BEFORE_REPAIR, "I/O starts while the stale copy is repaired") x(                                    \
					FAILURE_IS_NOTHING,                                                                              \
					"a failed commit counts as not happened") x(FAILURE_IS_SUCCESS,                                  \
										    "a failed commit counts as done")                    \
					x(BACK_WITH_SAME_SEQ, "deciding back reuses the failed seq") x(                                  \
						BACK_IN_ONE_COPY,                                                                        \
						"deciding back writes one copy only") x(BACK_WITHOUT_DRAIN,                              \
											"batches are abandoned while one is written")    \
						x(RETRY_FROM_COPY_1, "a retry begins with copy 1, whichever failed") x(                  \
							WINDOW_READ_NEW,                                                                 \
							"reads in the window go to the new place")                                       \
							x(WINDOW_WRITE_OLD, "writes in the window go to the old place") x(               \
								WINDOW_WRITE_NEW,                                                        \
								"writes in the window go to the new place")                              \
								x(KEEP_PARKED, "parked writes are never released") x(                    \
									KEY_AT_COMPLETION,                                               \
									"a read's key is chosen when it completes")                      \
									x(END_BEFORE_LAST_BATCH,                                         \
									  "old wrap cleared before the last commit")                     \
										x(END_IN_ONE_COPY,                                       \
										  "old wrap cleared in copy 1 only")                     \
											x(NO_SPARE_OVERWRITE,                            \
											  "the spare is not overwritten")                \
												x(SPARE_WITHOUT_GRACE,                   \
												  "spare overwritten under readers")     \
													x(END_WITHOUT_FLUSH,             \
													  "end commit without PREFLUSH")

enum model_mutant {
#define x(name, text) MUTANT_##name,
	MODEL_MUTANTS(x) MUTANTS
#undef x
};

#define MODEL_INVARIANTS(x)                                                  \
	x(OPENS, "a volume opens after a cut") x(                            \
		DURABLE, "what was flushed is there after a cut")            \
		x(READS, "a read returns what was acknowledged last") x(     \
			NO_OLD_DATA, "no old ciphertext remains at the end") \
			x(NO_OLD_WRAP, "no old wrap remains at the end")     \
				x(ENDS,                                      \
				  "the rotation ends, all bios complete")

enum model_invariant {
	INVARIANT_NONE,
#define x(name, text) INVARIANT_##name,
	MODEL_INVARIANTS(x) INVARIANTS
#undef x
};

/* How often each event may happen on one path. */
struct model_budget {
	uint8_t reads;
	uint8_t writes;
	uint8_t fua_writes;
	uint8_t flushes;
	uint8_t cuts;
	uint8_t failures; /* of a superblock write or its flush */
	uint8_t pauses;	  /* batches abandoned though nothing failed */
	uint8_t rots;	  /* a whole copy beside a whole one is lost in a cut */
};

struct model_config {
	const char *name;
	u32 direction;
	uint8_t length;
	uint8_t spare;
	uint8_t want;	  /* sectors of a batch, where I1 allows */
	bool slow_writes; /* time passes while a batch is being written */
	struct model_budget budget;
};

enum op_kind { OP_READ, OP_WRITE, OP_FUA_WRITE };
enum op_state { OP_FREE, OP_PARKED, OP_ISSUED };

/* What must wait until an operation that entered before it has left. */
enum op_waits { WAITS_BATCH0 = 1, WAITS_BATCH1 = 2, WAITS_SPARE = 4 };

struct model_op {
	uint8_t state;
	uint8_t kind;
	uint8_t waits;
	uint8_t x;
	uint8_t phys;
	uint8_t key;	 /* enum model_key */
	uint8_t version; /* written; read: acknowledged when it entered */
};

enum batch_phase { BATCH_CLAIMED, BATCH_READ, BATCH_WRITING, BATCH_WRITTEN };

struct model_batch {
	uint8_t phase;
	uint8_t sectors;
	uint8_t phys; /* of the first at the new place */
	uint8_t code[SPARE_MAX];
};

/* What one superblock copy says. */
enum sb_kind { SB_IDLE_OLD, SB_ROTATING, SB_DONE };

struct model_sb {
	uint8_t seq;
	uint8_t kind;
	uint8_t w;
};

/* All that a copy may hold: one content, unless a write of it failed. */
struct model_copy {
	struct model_sb whole[WHOLE_MAX];
	uint8_t count;
	uint8_t torn; /* ... or none of them */
};

enum commit_kind {
	COMMIT_BEGIN,
	COMMIT_ADVANCE,
	COMMIT_BACK,
	COMMIT_END,
	COMMIT_REPAIR
};
/* NONE becomes FIRST when the flush is done: that copy is being written. */
enum commit_step { STEP_NONE, STEP_FIRST, STEP_SECOND };

struct model_commit {
	uint8_t step;
	uint8_t kind;
	uint8_t first; /* copy that is written first */
	struct model_sb sb;
};

enum model_phase { PHASE_LOADING, PHASE_IDLE, PHASE_RUNNING, PHASE_DONE };

struct model_state {
	u64 may[PHYS_MAX];     /* what a cut may leave, besides now[] */
	uint8_t now[PHYS_MAX]; /* what a read gets */
	struct model_copy copy[COPIES];
	struct model_commit commit;
	struct model_batch batch[SVCENC_BATCHES];
	struct model_batch orphan; /* abandoned, but still being written */
	struct model_op op[OPS];
	struct model_budget left;
	uint8_t phase;
	uint8_t loaded; /* LOADING: the phase that follows */
	uint8_t w;
	uint8_t batches;
	uint8_t edge[SVCENC_BATCHES];
	uint8_t undecided; /* an ADVANCE failed: its fate is unknown */
	uint8_t spare_overwritten;
	uint8_t seq;	 /* highest that was attempted */
	uint8_t suspect; /* copy whose last write failed; else copy 1 */
	uint8_t issued[LENGTH_MAX];
	uint8_t acked[LENGTH_MAX];
	uint8_t flushed[LENGTH_MAX];
	uint8_t top[LENGTH_MAX]; /* version number used last */
};

enum step_kind {
	DO_READ,
	DO_WRITE,
	DO_FUA_WRITE,
	DO_FLUSH,
	DO_COMPLETE,
	DO_CLAIM,
	DO_BATCH_READ,
	DO_BATCH_WRITE,
	DO_BATCH_WRITTEN,
	DO_ORPHAN_WRITTEN,
	DO_PAUSE,
	DO_COMMIT,
	DO_COMMIT_UNFLUSHED,
	DO_COMMIT_STEP,
	DO_COMMIT_FAIL,
	DO_SPARE,
	DO_CUT,
	STEP_KINDS
};

struct model_step {
	uint8_t kind;
	uint32_t arg;
};

struct model {
	const struct model_config *config;
	enum model_mutant mutant;
	enum model_invariant broken;
};

static inline uint8_t model_code(enum model_key key, uint8_t x, uint8_t version)
{
	return (uint8_t)(1 + (key * LENGTH_MAX + x) * VERSIONS + version);
}

static inline u64 model_bit(uint8_t code)
{
	return 1ULL << code;
}

static inline void model_break(struct model *m, enum model_invariant invariant)
{
	if (m->broken == INVARIANT_NONE)
		m->broken = invariant;
}

/* model_io.c, model_batch.c, model_commit.c: the running system. */

void model_start(const struct model_config *config, struct model_state *ret);

/* core's view of where things are in @s. */
struct svcenc_rotation model_rotation(const struct model *m,
				      const struct model_state *s);
enum model_key model_key_of(const struct model_state *s, enum svcenc_zone zone);
uint8_t model_phys(const struct model *m, u32 place, uint8_t x);

/*
 * Does @step in *@s. False: it is not possible there (and *@s is undefined).
 * DO_CUT: @step.arg counts the outcomes of a cut; the first that is not there
 * is false.
 */
bool model_do(struct model *m, struct model_state *s, struct model_step step);

/* How many values of arg @kind has, apart from DO_CUT. */
uint32_t model_args(const struct model *m, enum step_kind kind);

/* model_cut.c: what a power cut leaves, and opening it. */

bool model_cut(struct model *m, struct model_state *s, uint32_t outcome);

/* Bits of all contents that sector @phys may have after a cut now. */
u64 model_leftovers(const struct model_state *s, uint8_t phys);

/* At PHASE_DONE: what must be gone is gone. */
void model_check_end(struct model *m, const struct model_state *s);

#endif
