// SPDX-License-Identifier: GPL-2.0-or-later
/* The running system: see model.h. */
#include "model.h"

static struct model_sb sb_now(const struct model_state *s, enum sb_kind kind,
			      uint8_t w)
{
	return (struct model_sb){ .seq = s->seq, .kind = kind, .w = w };
}

void model_start(const struct model_config *config, struct model_state *s)
{
	const struct model m = { .config = config };
	const u32 place = config->direction == SVCENC_DIRECTION_DOWN ?
				  SVCENC_PLACE_HIGH :
				  SVCENC_PLACE_LOW;
	uint8_t x, phys;
	int i;

	memset(s, 0, sizeof(*s));
	s->phase = PHASE_IDLE;
	s->seq = 1;
	s->left = config->budget;
	for (phys = 0; phys < PHYS_MAX; phys++)
		s->may[phys] = model_bit(NOISE);
	for (x = 0; x < config->length; x++) {
		phys = model_phys(&m, place, x);
		s->now[phys] = model_code(KEY_OLD, x, 0);
		s->may[phys] = model_bit(s->now[phys]);
	}
	for (i = 0; i < COPIES; i++) {
		s->copy[i].whole[0] = sb_now(s, SB_IDLE_OLD, 0);
		s->copy[i].count = 1;
	}
}

static u32 old_place(const struct model *m)
{
	return m->config->direction == SVCENC_DIRECTION_DOWN ?
		       SVCENC_PLACE_HIGH :
		       SVCENC_PLACE_LOW;
}

struct svcenc_rotation model_rotation(const struct model *m,
				      const struct model_state *s)
{
	struct svcenc_rotation r = {
		.place = old_place(m),
		.length = m->config->length,
		.spare = m->config->spare,
	};
	u32 i;

	if (s->phase == PHASE_DONE)
		r.place = !r.place;
	if (s->phase != PHASE_RUNNING)
		return r;
	r.direction = m->config->direction;
	r.durable = s->w;
	r.batches = s->batches;
	for (i = 0; i < s->batches; i++)
		r.edge[i] = s->edge[i];
	return r;
}

static void keep_rotation(struct model_state *s,
			  const struct svcenc_rotation *r)
{
	u32 i;

	s->w = (uint8_t)r->durable;
	s->batches = (uint8_t)r->batches;
	for (i = 0; i < SVCENC_BATCHES; i++)
		s->edge[i] = i < r->batches ? (uint8_t)r->edge[i] : 0;
}

enum model_key model_key_of(const struct model_state *s, enum svcenc_zone zone)
{
	if (s->phase == PHASE_DONE)
		return KEY_NEW;
	return zone == SVCENC_ZONE_NEXT ? KEY_NEW : KEY_OLD;
}

uint8_t model_phys(const struct model *m, u32 place, uint8_t x)
{
	return place == SVCENC_PLACE_HIGH ? (uint8_t)(m->config->spare + x) : x;
}

/* ------------------------------------------------------------------ disk */

static void disk_write(struct model_state *s, uint8_t phys, uint8_t code)
{
	if (s->now[phys] != UNKNOWN)
		s->may[phys] |= model_bit(s->now[phys]);
	s->now[phys] = code;
	s->may[phys] |= model_bit(code);
}

static void disk_make_durable(struct model_state *s, uint8_t phys)
{
	if (s->now[phys] != UNKNOWN)
		s->may[phys] = model_bit(s->now[phys]);
}

static void disk_flush(struct model_state *s)
{
	uint8_t phys;

	for (phys = 0; phys < PHYS_MAX; phys++)
		disk_make_durable(s, phys);
}

/* ------------------------------------------------------------ foreground */

static bool any_waits(const struct model_state *s, uint8_t who, bool writers)
{
	int i;

	for (i = 0; i < OPS; i++) {
		const struct model_op *op = &s->op[i];
		const bool writes = op->kind == OP_WRITE ||
				    op->kind == OP_FUA_WRITE;

		if (op->state == OP_ISSUED && op->waits & who &&
		    writes == writers)
			return true;
	}
	return false;
}

/* From now on @who waits for all that is under way. */
static void begin_grace(struct model_state *s, uint8_t who)
{
	int i;

	for (i = 0; i < OPS; i++)
		if (s->op[i].state == OP_ISSUED)
			s->op[i].waits |= who;
}

/* Place and key are chosen here, once. Writes in the window are parked. */
static void enter(struct model *m, struct model_state *s, struct model_op *op)
{
	const struct svcenc_rotation r = model_rotation(m, s);
	struct svcenc_spot spot = svcenc_rotation_find(&r, op->x, 1);
	const bool window = spot.zone == SVCENC_ZONE_WINDOW;

	op->state = OP_ISSUED;
	op->waits = 0;
	if (window && op->kind == OP_READ &&
	    m->mutant == MUTANT_WINDOW_READ_NEW) {
		spot.place = !spot.place;
		spot.zone = SVCENC_ZONE_NEXT;
	}
	if (window && op->kind != OP_READ) {
		if (m->mutant == MUTANT_WINDOW_WRITE_NEW) {
			spot.place = !spot.place;
			spot.zone = SVCENC_ZONE_NEXT;
		} else if (m->mutant != MUTANT_WINDOW_WRITE_OLD) {
			op->state = OP_PARKED;
			return;
		}
	}
	op->phys = model_phys(m, spot.place, op->x);
	op->key = model_key_of(s, spot.zone);
}

static void release_parked(struct model *m, struct model_state *s)
{
	int i;

	if (m->mutant == MUTANT_KEEP_PARKED)
		return;
	for (i = 0; i < OPS; i++)
		if (s->op[i].state == OP_PARKED)
			enter(m, s, &s->op[i]);
}

static struct model_op *free_op(struct model_state *s)
{
	int i;

	for (i = 0; i < OPS; i++)
		if (s->op[i].state == OP_FREE)
			return &s->op[i];
	return NULL;
}

static bool may_do_io(const struct model *m, const struct model_state *s)
{
	return s->phase != PHASE_LOADING ||
	       m->mutant == MUTANT_IO_BEFORE_REPAIR;
}

static bool do_read(struct model *m, struct model_state *s, uint8_t x)
{
	struct model_op *op = free_op(s);

	if (!op || !s->left.reads || !may_do_io(m, s))
		return false;
	s->left.reads--;
	op->kind = OP_READ;
	op->x = x;
	op->version = s->acked[x];
	enter(m, s, op);
	return true;
}

/* Writers of one sector take turns, or nobody could say which comes last. */
static bool is_being_written(const struct model_state *s, uint8_t x)
{
	int i;

	for (i = 0; i < OPS; i++)
		if (s->op[i].state != OP_FREE && s->op[i].x == x &&
		    (s->op[i].kind == OP_WRITE ||
		     s->op[i].kind == OP_FUA_WRITE))
			return true;
	return false;
}

static bool do_write(struct model *m, struct model_state *s, uint8_t x,
		     enum op_kind kind)
{
	uint8_t *left = kind == OP_WRITE ? &s->left.writes :
					   &s->left.fua_writes;
	struct model_op *op = free_op(s);

	if (!op || !*left || !may_do_io(m, s) || is_being_written(s, x) ||
	    s->top[x] + 1 == VERSIONS)
		return false;
	(*left)--;
	op->kind = kind;
	op->x = x;
	op->version = ++s->top[x];
	s->issued[x] = op->version;
	enter(m, s, op);
	return true;
}

/*
 * Entering and taking effect are one step: a flush that takes longer promises
 * less.
 */
static bool do_flush(struct model *m, struct model_state *s)
{
	if (!s->left.flushes || !may_do_io(m, s))
		return false;
	s->left.flushes--;
	disk_flush(s);
	memcpy(s->flushed, s->acked, sizeof(s->flushed));
	return true;
}

static void complete_read(struct model *m, struct model_state *s,
			  struct model_op *op)
{
	uint8_t version, key = op->key;

	if (m->mutant == MUTANT_KEY_AT_COMPLETION) {
		const struct svcenc_rotation r = model_rotation(m, s);

		key = model_key_of(s, svcenc_rotation_find(&r, op->x, 1).zone);
	}
	for (version = op->version; version <= s->issued[op->x]; version++)
		if (s->now[op->phys] == model_code(key, op->x, version))
			return;
	model_break(m, INVARIANT_READS);
}

/* A bio takes effect and is acknowledged. */
static bool do_complete(struct model *m, struct model_state *s, uint32_t i)
{
	struct model_op *op = &s->op[i];

	if (op->state != OP_ISSUED)
		return false;
	switch (op->kind) {
	case OP_READ:
		complete_read(m, s, op);
		break;
	default:
		disk_write(s, op->phys,
			   model_code(op->key, op->x, op->version));
		s->acked[op->x] = op->version;
		if (op->kind == OP_FUA_WRITE) {
			disk_make_durable(s, op->phys);
			s->flushed[op->x] = op->version;
		}
	}
	memset(op, 0, sizeof(*op));
	return true;
}

/* --------------------------------------------------------------- batches */

static bool do_claim(struct model *m, struct model_state *s)
{
	struct svcenc_rotation r = model_rotation(m, s);
	struct model_batch *batch;
	struct svcenc_run run;

	if (s->phase != PHASE_RUNNING || s->undecided)
		return false;
	if (m->mutant == MUTANT_EXCEED_SPARE)
		r.spare++;
	run = svcenc_rotation_claim(&r, m->config->want, 1);
	if (!run.sectors)
		return false;
	batch = &s->batch[s->batches];
	keep_rotation(s, &r);
	memset(batch, 0, sizeof(*batch));
	batch->sectors = (uint8_t)run.sectors;
	batch->phys = model_phys(m, !old_place(m), (uint8_t)run.start);
	begin_grace(s, s->batches == 1 ? WAITS_BATCH0 : WAITS_BATCH1);
	return true;
}

static uint8_t batch_waits(uint32_t i)
{
	return i ? WAITS_BATCH1 : WAITS_BATCH0;
}

/* Decrypts and encrypts again; what is no ciphertext of @x becomes noise. */
static uint8_t recode(uint8_t code, uint8_t x)
{
	uint8_t version;

	for (version = 0; version < VERSIONS; version++)
		if (code == model_code(KEY_OLD, x, version))
			return model_code(KEY_NEW, x, version);
	return NOISE;
}

static bool do_batch_read(struct model *m, struct model_state *s, uint32_t i)
{
	const uint8_t old_base = model_phys(m, old_place(m), 0);
	const uint8_t new_base = model_phys(m, !old_place(m), 0);
	struct model_batch *batch = &s->batch[i];
	uint8_t k;

	if (i >= s->batches || batch->phase != BATCH_CLAIMED)
		return false;
	if (any_waits(s, batch_waits(i), true) &&
	    m->mutant != MUTANT_NO_WRITE_GRACE &&
	    m->mutant != MUTANT_LATE_WRITE_GRACE)
		return false;
	for (k = 0; k < batch->sectors; k++) {
		const uint8_t x = (uint8_t)(batch->phys + k - new_base);

		batch->code[k] = recode(s->now[old_base + x], x);
	}
	batch->phase = BATCH_READ;
	return true;
}

static void write_batch(struct model_state *s, const struct model_batch *batch)
{
	uint8_t k;

	for (k = 0; k < batch->sectors; k++)
		disk_write(s, (uint8_t)(batch->phys + k), batch->code[k]);
}

static bool do_batch_write(struct model *m, struct model_state *s, uint32_t i)
{
	struct model_batch *batch = &s->batch[i];

	if (i >= s->batches || batch->phase != BATCH_READ)
		return false;
	if (any_waits(s, batch_waits(i), false) &&
	    m->mutant != MUTANT_NO_READ_GRACE)
		return false;
	if (any_waits(s, batch_waits(i), true) &&
	    m->mutant != MUTANT_NO_WRITE_GRACE)
		return false;
	/* what was abandoned in mid-write must be out of the way */
	if (s->orphan.sectors && m->mutant != MUTANT_BACK_WITHOUT_DRAIN)
		return false;
	batch->phase = BATCH_WRITING;
	if (!m->config->slow_writes) {
		write_batch(s, batch);
		batch->phase = BATCH_WRITTEN;
	}
	return true;
}

static bool do_batch_written(struct model_state *s, uint32_t i)
{
	if (i >= s->batches || s->batch[i].phase != BATCH_WRITING)
		return false;
	write_batch(s, &s->batch[i]);
	s->batch[i].phase = BATCH_WRITTEN;
	return true;
}

static bool do_orphan_written(struct model_state *s)
{
	if (!s->orphan.sectors)
		return false;
	write_batch(s, &s->orphan);
	memset(&s->orphan, 0, sizeof(s->orphan));
	return true;
}

static bool is_writing(const struct model_state *s)
{
	uint8_t i;

	for (i = 0; i < s->batches; i++)
		if (s->batch[i].phase == BATCH_WRITING)
			return true;
	return false;
}

/* All batches are as if never claimed; their writers go to the old place. */
static void abandon(struct model *m, struct model_state *s)
{
	struct svcenc_rotation r = model_rotation(m, s);
	uint8_t i;

	for (i = 0; i < s->batches; i++)
		if (s->batch[i].phase == BATCH_WRITING)
			s->orphan = s->batch[i];
	svcenc_rotation_abandon(&r);
	keep_rotation(s, &r);
	memset(s->batch, 0, sizeof(s->batch));
	for (i = 0; i < OPS; i++)
		s->op[i].waits &= WAITS_SPARE;
	s->undecided = 0;
	release_parked(m, s);
}

static bool do_pause(struct model *m, struct model_state *s)
{
	if (!s->left.pauses || !s->batches || s->commit.step || s->undecided)
		return false;
	if (is_writing(s) && m->mutant != MUTANT_BACK_WITHOUT_DRAIN)
		return false;
	s->left.pauses--;
	abandon(m, s);
	return true;
}

static void advance(struct model *m, struct model_state *s)
{
	struct svcenc_rotation r = model_rotation(m, s);
	int i;

	svcenc_rotation_advance(&r);
	keep_rotation(s, &r);
	s->batch[0] = s->batch[1];
	memset(&s->batch[1], 0, sizeof(s->batch[1]));
	for (i = 0; i < OPS; i++)
		s->op[i].waits =
			(s->op[i].waits & WAITS_SPARE) |
			(s->op[i].waits & WAITS_BATCH1 ? WAITS_BATCH0 : 0);
	if (svcenc_rotation_all_moved(&r))
		begin_grace(s, WAITS_SPARE);
	release_parked(m, s);
}

/* ----------------------------------------------------------------- spare */

static bool all_moved(const struct model *m, const struct model_state *s)
{
	const struct svcenc_rotation r = model_rotation(m, s);

	return !s->batches && svcenc_rotation_all_moved(&r);
}

static bool do_spare(struct model *m, struct model_state *s)
{
	const struct svcenc_rotation r = model_rotation(m, s);
	const struct svcenc_run run = svcenc_rotation_spare(&r);
	uint8_t k;

	if (!all_moved(m, s) || s->spare_overwritten || s->commit.step)
		return false;
	if ((any_waits(s, WAITS_SPARE, true) ||
	     any_waits(s, WAITS_SPARE, false)) &&
	    m->mutant != MUTANT_SPARE_WITHOUT_GRACE)
		return false;
	if (m->mutant != MUTANT_NO_SPARE_OVERWRITE)
		for (k = 0; k < run.sectors; k++)
			disk_write(s, (uint8_t)(run.start + k), NOISE);
	s->spare_overwritten = 1;
	return true;
}

/* --------------------------------------------------------------- commits */

/* Which commit is due, with what it will say; false: none. */
static bool next_commit(struct model *m, struct model_state *s,
			struct model_commit *ret)
{
	const struct svcenc_rotation r = model_rotation(m, s);
	const bool end_early =
		m->mutant == MUTANT_END_BEFORE_LAST_BATCH && s->batches == 1 &&
		s->edge[0] ==
			(r.direction == SVCENC_DIRECTION_DOWN ? r.length : 0);

	if (s->phase == PHASE_IDLE) {
		ret->kind = COMMIT_BEGIN;
		ret->sb = sb_now(s, SB_ROTATING,
				 m->config->direction == SVCENC_DIRECTION_DOWN ?
					 0 :
					 m->config->length);
		return true;
	}
	if (s->phase != PHASE_RUNNING)
		return false;
	if (s->undecided) {
		ret->kind = COMMIT_BACK;
		ret->sb = sb_now(s, SB_ROTATING, s->w);
		return !is_writing(s) || m->mutant == MUTANT_BACK_WITHOUT_DRAIN;
	}
	if (end_early || (s->spare_overwritten && !s->batches)) {
		ret->kind = COMMIT_END;
		ret->sb = sb_now(s, SB_DONE, 0);
		return true;
	}
	if (!s->batches || s->batch[0].phase != BATCH_WRITTEN)
		return false;
	ret->kind = COMMIT_ADVANCE;
	ret->sb = sb_now(s, SB_ROTATING,
			 (uint8_t)svcenc_rotation_next_durable(&r));
	return true;
}

static bool do_commit(struct model *m, struct model_state *s)
{
	struct model_commit commit = { .step = STEP_FIRST };

	if (s->commit.step || s->phase == PHASE_LOADING ||
	    !next_commit(m, s, &commit))
		return false;
	if (!(m->mutant == MUTANT_BACK_WITH_SAME_SEQ &&
	      commit.kind == COMMIT_BACK))
		s->seq++;
	commit.sb.seq = s->seq;
	commit.first = m->mutant == MUTANT_RETRY_FROM_COPY_1 ? 0 : s->suspect;
	s->commit = commit;
	if (!(m->mutant == MUTANT_SKIP_FLUSH &&
	      commit.kind == COMMIT_ADVANCE) &&
	    !(m->mutant == MUTANT_END_WITHOUT_FLUSH &&
	      commit.kind == COMMIT_END))
		disk_flush(s);
	if (m->mutant == MUTANT_RELEASE_BEFORE_COMMIT &&
	    commit.kind == COMMIT_ADVANCE) {
		const uint8_t w = s->w;

		/* as if W had passed: they are issued to the new place */
		s->w = commit.sb.w;
		release_parked(m, s);
		s->w = w;
	}
	return true;
}

static void copy_is(struct model_copy *copy, struct model_sb sb)
{
	memset(copy, 0, sizeof(*copy));
	copy->whole[0] = sb;
	copy->count = 1;
}

static void copy_may_be(struct model_copy *copy, struct model_sb sb)
{
	copy->torn = 1;
	if (copy->count < WHOLE_MAX)
		copy->whole[copy->count++] = sb;
}

static void finish_loading(struct model *m, struct model_state *s)
{
	s->phase = s->loaded;
	s->loaded = 0;
	if (s->phase == PHASE_DONE)
		model_check_end(m, s);
}

/* Only which seq is higher matters. Both copies are the same: count anew. */
static void forget_seq(struct model_state *s)
{
	if (s->copy[0].count == 1 && s->copy[1].count == 1 &&
	    s->copy[0].whole[0].seq == s->seq &&
	    s->copy[1].whole[0].seq == s->seq)
		s->seq = s->copy[0].whole[0].seq = s->copy[1].whole[0].seq = 1;
}

/* Both copies say so. */
static void commit_is_durable(struct model *m, struct model_state *s)
{
	const struct model_commit commit = s->commit;

	memset(&s->commit, 0, sizeof(s->commit));
	forget_seq(s);
	s->suspect = 0;
	switch (commit.kind) {
	case COMMIT_BEGIN:
		s->phase = PHASE_RUNNING;
		s->w = commit.sb.w;
		break;
	case COMMIT_ADVANCE:
		if (m->mutant != MUTANT_RELEASE_AFTER_COPY_1)
			advance(m, s);
		break;
	case COMMIT_BACK:
		abandon(m, s);
		break;
	case COMMIT_END:
		s->phase = PHASE_DONE;
		s->w = s->batches = s->spare_overwritten = 0;
		memset(s->edge, 0, sizeof(s->edge));
		memset(s->batch, 0, sizeof(s->batch));
		model_check_end(m, s);
		break;
	case COMMIT_REPAIR:
		finish_loading(m, s);
	}
}

static bool one_copy_only(const struct model *m, enum commit_kind kind)
{
	return kind == COMMIT_REPAIR ||
	       (kind == COMMIT_BACK && m->mutant == MUTANT_BACK_IN_ONE_COPY) ||
	       (kind == COMMIT_END && m->mutant == MUTANT_END_IN_ONE_COPY);
}

static bool do_commit_step(struct model *m, struct model_state *s)
{
	struct model_commit *commit = &s->commit;

	switch (commit->step) {
	case STEP_NONE:
		return false;
	case STEP_FIRST:
		copy_is(&s->copy[commit->first], commit->sb);
		if (one_copy_only(m, commit->kind)) {
			commit_is_durable(m, s);
			return true;
		}
		commit->step = STEP_SECOND;
		if (m->mutant == MUTANT_RELEASE_AFTER_COPY_1 &&
		    commit->kind == COMMIT_ADVANCE)
			advance(m, s);
		return true;
	default:
		copy_is(&s->copy[!commit->first], commit->sb);
		commit_is_durable(m, s);
		return true;
	}
}

static void handle_failed_advance(struct model *m, struct model_state *s)
{
	switch (m->mutant) {
	case MUTANT_FAILURE_IS_NOTHING:
		if (!is_writing(s))
			abandon(m, s);
		break;
	case MUTANT_FAILURE_IS_SUCCESS:
		advance(m, s);
		break;
	case MUTANT_RELEASE_AFTER_COPY_1:
		if (s->w != s->commit.sb.w)
			s->undecided = 1;
		break;
	default:
		s->undecided = 1;
	}
}

/* A write of it failed, or the flush before: whether it happened, who knows. */
static bool do_commit_fail(struct model *m, struct model_state *s)
{
	const struct model_commit commit = s->commit;
	const uint8_t copy = commit.step == STEP_SECOND ? !commit.first :
							  commit.first;

	if (!commit.step || !s->left.failures)
		return false;
	s->left.failures--;
	copy_may_be(&s->copy[copy], commit.sb);
	s->suspect = copy;
	if (commit.kind == COMMIT_ADVANCE)
		handle_failed_advance(m, s);
	/* a failed repair: the next attempt to open tries it again */
	if (commit.kind != COMMIT_REPAIR)
		memset(&s->commit, 0, sizeof(s->commit));
	return true;
}

/* The flush fails: nothing of the commit was written. */
static bool do_commit_unflushed(struct model *m, struct model_state *s)
{
	struct model_commit commit = { 0 };

	if (s->commit.step || s->phase == PHASE_LOADING || !s->left.failures ||
	    !next_commit(m, s, &commit))
		return false;
	s->left.failures--;
	s->seq++;
	s->commit = commit;
	if (commit.kind == COMMIT_ADVANCE)
		handle_failed_advance(m, s);
	memset(&s->commit, 0, sizeof(s->commit));
	return true;
}

/* ----------------------------------------------------------------- steps */

uint32_t model_args(const struct model *m, enum step_kind kind)
{
	switch (kind) {
	case DO_READ:
	case DO_WRITE:
	case DO_FUA_WRITE:
		return m->config->length;
	case DO_COMPLETE:
		return OPS;
	case DO_BATCH_READ:
	case DO_BATCH_WRITE:
	case DO_BATCH_WRITTEN:
		return SVCENC_BATCHES;
	default:
		return 1;
	}
}

bool model_do(struct model *m, struct model_state *s, struct model_step step)
{
	const uint8_t x = (uint8_t)step.arg;

	switch ((enum step_kind)step.kind) {
	case DO_READ:
		return do_read(m, s, x);
	case DO_WRITE:
		return do_write(m, s, x, OP_WRITE);
	case DO_FUA_WRITE:
		return do_write(m, s, x, OP_FUA_WRITE);
	case DO_FLUSH:
		return do_flush(m, s);
	case DO_COMPLETE:
		return do_complete(m, s, step.arg);
	case DO_CLAIM:
		return do_claim(m, s);
	case DO_BATCH_READ:
		return do_batch_read(m, s, step.arg);
	case DO_BATCH_WRITE:
		return do_batch_write(m, s, step.arg);
	case DO_BATCH_WRITTEN:
		return do_batch_written(s, step.arg);
	case DO_ORPHAN_WRITTEN:
		return do_orphan_written(s);
	case DO_PAUSE:
		return do_pause(m, s);
	case DO_COMMIT:
		return do_commit(m, s);
	case DO_COMMIT_UNFLUSHED:
		return do_commit_unflushed(m, s);
	case DO_COMMIT_STEP:
		return do_commit_step(m, s);
	case DO_COMMIT_FAIL:
		return do_commit_fail(m, s);
	case DO_SPARE:
		return do_spare(m, s);
	case DO_CUT:
		return model_cut(m, s, step.arg);
	default:
		return false;
	}
}
