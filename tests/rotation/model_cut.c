// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A power cut and what comes after: which contents each sector and each copy
 * may be left with, whether the volume opens, whether every sector reads as
 * it must, and the state that the system goes on from.
 */
#include "model.h"

/* ------------------------------------------------------------- leftovers */

static u64 old_ciphertext(void)
{
	u64 bits = model_bit(STALE);
	uint8_t x, version;

	for (x = 0; x < LENGTH_MAX; x++)
		for (version = 0; version < VERSIONS; version++)
			bits |= model_bit(model_code(KEY_OLD, x, version));
	return bits;
}

static bool is_write(const struct model_op *op)
{
	return op->state == OP_ISSUED &&
	       (op->kind == OP_WRITE || op->kind == OP_FUA_WRITE);
}

/* What @batch is writing to @phys now, or no bit. */
static u64 under_way(const struct model_batch *batch, uint8_t phys)
{
	if (phys < batch->phys || phys >= batch->phys + batch->sectors)
		return 0;
	return model_bit(batch->code[phys - batch->phys]);
}

u64 model_leftovers(const struct model_state *s, uint8_t phys)
{
	u64 bits = s->may[phys] | under_way(&s->orphan, phys);
	uint8_t i;

	if (s->now[phys] != UNKNOWN)
		bits |= model_bit(s->now[phys]);
	for (i = 0; i < OPS; i++)
		if (is_write(&s->op[i]) && s->op[i].phys == phys)
			bits |= model_bit(model_code(s->op[i].key, s->op[i].x,
						     s->op[i].version));
	for (i = 0; i < s->batches; i++)
		if (s->batch[i].phase == BATCH_WRITING)
			bits |= under_way(&s->batch[i], phys);
	return bits;
}

/* ---------------------------------------------------------------- copies */

static bool is_under_way(const struct model *m, const struct model_commit *c,
			 uint8_t copy)
{
	const bool first = copy == c->first;

	if (c->step == STEP_FIRST)
		return first || (m->mutant == MUTANT_BOTH_COPIES_AT_ONCE &&
				 c->kind != COMMIT_REPAIR);
	return c->step == STEP_SECOND && !first;
}

/*
 * One copy after the cut: whole with @sb, or torn. That the newer copy rots
 * before the older one was repaired is tried as an outcome of the cut before.
 */
struct outcome {
	struct model_sb sb;
	bool torn;
	bool rotten; /* torn, although nobody was writing */
};

static uint32_t outcomes_of(const struct model *m, const struct model_state *s,
			    uint8_t i, struct outcome *ret)
{
	const struct model_copy *copy = &s->copy[i];
	uint32_t n = 0, k;
	bool torn = copy->torn;

	for (k = 0; k < copy->count; k++)
		ret[n++] = (struct outcome){ .sb = copy->whole[k] };
	if (is_under_way(m, &s->commit, i)) {
		ret[n++] = (struct outcome){ .sb = s->commit.sb };
		torn = true;
	}
	if (torn)
		ret[n++] = (struct outcome){ .torn = true };
	else if (s->left.rots && s->phase != PHASE_LOADING)
		ret[n++] = (struct outcome){ .torn = true, .rotten = true };
	return n;
}

static bool same_sb(const struct outcome *a, const struct outcome *b)
{
	return a->torn == b->torn && a->sb.seq == b->sb.seq &&
	       a->sb.kind == b->sb.kind && a->sb.w == b->sb.w;
}

/* Which of the two opens the volume: 0, 1, or negative. */
static int pick(struct model *m, const struct outcome copies[COPIES],
		bool *ret_repair)
{
	struct svcenc_copy copy[COPIES];
	enum svcenc_pick picked;
	int i;

	for (i = 0; i < COPIES; i++) {
		copy[i].state = copies[i].torn ? SVCENC_COPY_ROTTEN :
						 SVCENC_COPY_GOOD;
		copy[i].seq = copies[i].sb.seq;
	}
	picked = svcenc_sb_pick(copy, same_sb(&copies[0], &copies[1]),
				ret_repair);
	if (picked > SVCENC_PICK_SECOND)
		return -1;
	i = picked == SVCENC_PICK_SECOND;
	if (*ret_repair && m->mutant == MUTANT_TRUST_OLDER_COPY &&
	    !copies[!i].torn)
		return !i;
	if (m->mutant == MUTANT_TRUST_COPY_1 && !copies[0].torn)
		return 0;
	return i;
}

/* --------------------------------------------------------------- opening */

/* What the fresh system knows: the superblock. */
static void load(struct model_state *s, struct model_sb sb)
{
	const struct model_budget left = s->left;
	struct model_state fresh;

	memset(&fresh, 0, sizeof(fresh));
	memcpy(fresh.may, s->may, sizeof(fresh.may));
	memcpy(fresh.now, s->now, sizeof(fresh.now));
	memcpy(fresh.issued, s->issued, sizeof(fresh.issued));
	memcpy(fresh.flushed, s->flushed, sizeof(fresh.flushed));
	fresh.left = left;
	fresh.seq = sb.seq;
	fresh.w = sb.kind == SB_ROTATING ? sb.w : 0;
	fresh.phase = sb.kind == SB_DONE     ? PHASE_DONE :
		      sb.kind == SB_ROTATING ? PHASE_RUNNING :
					       PHASE_IDLE;
	*s = fresh;
}

/*
 * Sector @x as @s sees it: each of the contents that its place may have must
 * be a version between the flushed and the last one. The @choice'th of them
 * is what it is from now on; false: there are fewer.
 */
static bool settle_sector(struct model *m, struct model_state *s, uint8_t x,
			  uint32_t *choice)
{
	const struct svcenc_rotation r = model_rotation(m, s);
	const struct svcenc_spot spot = svcenc_rotation_find(&r, x, 1);
	const uint8_t phys = model_phys(m, spot.place, x);
	const enum model_key key = model_key_of(s, spot.zone);
	u64 allowed = 0, bits = s->may[phys];
	uint32_t number = 0, nth;
	uint8_t version;

	for (version = s->flushed[x]; version <= s->issued[x]; version++)
		allowed |= model_bit(model_code(key, x, version));
	if (bits & ~allowed) {
		model_break(m, INVARIANT_DURABLE);
		return true;
	}
	for (version = 0; version < VERSIONS; version++)
		if (bits & model_bit(model_code(key, x, version)))
			number++;
	nth = *choice % number;
	*choice /= number;
	for (version = 0; version < VERSIONS; version++)
		if (bits & model_bit(model_code(key, x, version)) && !nth--)
			break;
	/* the only version that is left: count anew */
	s->now[phys] = model_code(key, x, 0);
	s->may[phys] = model_bit(s->now[phys]);
	s->issued[x] = s->flushed[x] = 0;
	return true;
}

/* Of a place where nobody looks all that matters is how to be rid of it. */
static void forget_unused(struct model_state *s)
{
	const u64 old = old_ciphertext();
	uint8_t phys;

	for (phys = 0; phys < PHYS_MAX; phys++)
		if (s->now[phys] == UNKNOWN)
			s->may[phys] =
				model_bit(s->may[phys] & old ? STALE : NOISE);
}

/* Only which copy is newer matters. */
static void forget_seq(struct model_state *s)
{
	const uint8_t seq = s->seq;
	int i;

	for (i = 0; i < COPIES; i++)
		if (s->copy[i].count)
			s->copy[i].whole[0].seq =
				2 + (s->copy[i].whole[0].seq > seq) -
				(s->copy[i].whole[0].seq < seq);
	s->seq = 2;
}

static void settle_copies(struct model_state *s,
			  const struct outcome copies[COPIES])
{
	int i;

	memset(s->copy, 0, sizeof(s->copy));
	for (i = 0; i < COPIES; i++) {
		s->copy[i].torn = copies[i].torn;
		s->copy[i].count = !copies[i].torn;
		if (!copies[i].torn)
			s->copy[i].whole[0] = copies[i].sb;
	}
}

/* Before anything else the copy that lost is written again. */
static void begin_repair(const struct model *m, struct model_state *s,
			 int picked, struct model_sb sb)
{
	if (m->mutant == MUTANT_NO_REPAIR ||
	    m->mutant == MUTANT_TRUST_OLDER_COPY ||
	    m->mutant == MUTANT_TRUST_COPY_1) {
		s->suspect = 0;
		return;
	}
	s->loaded = s->phase;
	s->commit.kind = COMMIT_REPAIR;
	s->commit.step = STEP_FIRST;
	s->commit.first = !picked;
	s->commit.sb = sb;
	if (m->mutant != MUTANT_IO_BEFORE_REPAIR)
		s->phase = PHASE_LOADING;
}

bool model_cut(struct model *m, struct model_state *s, uint32_t outcome)
{
	struct outcome of[COPIES][WHOLE_MAX + 3], left[COPIES];
	uint32_t number[COPIES], i;
	bool repair = false;
	uint8_t x, phys;
	int picked;

	if (!s->left.cuts)
		return false;
	for (i = 0; i < COPIES; i++) {
		number[i] = outcomes_of(m, s, (uint8_t)i, of[i]);
		left[i] = of[i][outcome % number[i]];
		outcome /= number[i];
	}
	/* two faults at once nobody survives: as if this cut had not been */
	if ((left[0].rotten && left[1].torn) ||
	    (left[1].rotten && left[0].torn))
		return !outcome;
	s->left.cuts--;
	s->left.rots -= left[0].rotten || left[1].rotten;
	for (phys = 0; phys < PHYS_MAX; phys++)
		s->may[phys] = model_leftovers(s, phys);
	memset(s->now, UNKNOWN, sizeof(s->now));
	picked = pick(m, left, &repair);
	if (picked < 0) {
		model_break(m, INVARIANT_OPENS);
		return !outcome;
	}
	load(s, left[picked].sb);
	settle_copies(s, left);
	for (x = 0; x < m->config->length; x++)
		settle_sector(m, s, x, &outcome);
	if (outcome)
		return false;
	forget_unused(s);
	forget_seq(s);
	if (repair)
		begin_repair(m, s, picked, s->copy[picked].whole[0]);
	else if (s->phase == PHASE_DONE)
		model_check_end(m, s);
	return true;
}

/* ------------------------------------------------------------------- end */

static bool says_done_only(const struct model_copy *copy)
{
	return copy->count == 1 && !copy->torn &&
	       copy->whole[0].kind == SB_DONE;
}

void model_check_end(struct model *m, const struct model_state *s)
{
	const u64 old = old_ciphertext();
	uint8_t phys;

	for (phys = 0; phys < m->config->length + m->config->spare; phys++)
		if (model_leftovers(s, phys) & old)
			model_break(m, INVARIANT_NO_OLD_DATA);
	if (!says_done_only(&s->copy[0]) || !says_done_only(&s->copy[1]))
		model_break(m, INVARIANT_NO_OLD_WRAP);
}
