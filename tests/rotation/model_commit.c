// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commits: when which is due, its steps, its failures; and the table of all
 * steps there are.
 */
#include "model_parts.h"

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
		ret->sb = model_sb_now(s, SB_ROTATING,
				       m->config->direction ==
						       SVCENC_DIRECTION_DOWN ?
					       0 :
					       m->config->length);
		return true;
	}
	if (s->phase != PHASE_RUNNING)
		return false;
	if (s->undecided) {
		ret->kind = COMMIT_BACK;
		ret->sb = model_sb_now(s, SB_ROTATING, s->w);
		return !model_is_writing(s) ||
		       m->mutant == MUTANT_BACK_WITHOUT_DRAIN;
	}
	if (end_early || (s->spare_overwritten && !s->batches)) {
		ret->kind = COMMIT_END;
		ret->sb = model_sb_now(s, SB_DONE, 0);
		return true;
	}
	if (!s->batches || s->batch[0].phase != BATCH_WRITTEN)
		return false;
	ret->kind = COMMIT_ADVANCE;
	ret->sb = model_sb_now(s, SB_ROTATING,
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
		model_disk_flush(s);
	if (m->mutant == MUTANT_RELEASE_BEFORE_COMMIT &&
	    commit.kind == COMMIT_ADVANCE) {
		const uint8_t w = s->w;

		/* as if W had passed: they are issued to the new place */
		s->w = commit.sb.w;
		model_release_parked(m, s);
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
			model_advance(m, s);
		break;
	case COMMIT_BACK:
		model_abandon(m, s);
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
			model_advance(m, s);
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
		if (!model_is_writing(s))
			model_abandon(m, s);
		break;
	case MUTANT_FAILURE_IS_SUCCESS:
		model_advance(m, s);
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
		return model_do_read(m, s, x);
	case DO_WRITE:
		return model_do_write(m, s, x, OP_WRITE);
	case DO_FUA_WRITE:
		return model_do_write(m, s, x, OP_FUA_WRITE);
	case DO_FLUSH:
		return model_do_flush(m, s);
	case DO_COMPLETE:
		return model_do_complete(m, s, step.arg);
	case DO_CLAIM:
		return model_do_claim(m, s);
	case DO_BATCH_READ:
		return model_do_batch_read(m, s, step.arg);
	case DO_BATCH_WRITE:
		return model_do_batch_write(m, s, step.arg);
	case DO_BATCH_WRITTEN:
		return model_do_batch_written(s, step.arg);
	case DO_ORPHAN_WRITTEN:
		return model_do_orphan_written(s);
	case DO_PAUSE:
		return model_do_pause(m, s);
	case DO_COMMIT:
		return do_commit(m, s);
	case DO_COMMIT_UNFLUSHED:
		return do_commit_unflushed(m, s);
	case DO_COMMIT_STEP:
		return do_commit_step(m, s);
	case DO_COMMIT_FAIL:
		return do_commit_fail(m, s);
	case DO_SPARE:
		return model_do_spare(m, s);
	case DO_CUT:
		return model_cut(m, s, step.arg);
	default:
		return false;
	}
}
