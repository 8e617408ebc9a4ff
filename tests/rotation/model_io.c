// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disk, and foreground I/O on it: which place and key a bio gets, who has
 * to wait for whom. Knows nothing of batches and commits.
 */
#include "model_parts.h"

struct model_sb model_sb_now(const struct model_state *s, enum sb_kind kind,
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
		s->copy[i].whole[0] = model_sb_now(s, SB_IDLE_OLD, 0);
		s->copy[i].count = 1;
	}
}

u32 model_old_place(const struct model *m)
{
	return m->config->direction == SVCENC_DIRECTION_DOWN ?
		       SVCENC_PLACE_HIGH :
		       SVCENC_PLACE_LOW;
}

struct svcenc_rotation model_rotation(const struct model *m,
				      const struct model_state *s)
{
	struct svcenc_rotation r = {
		.place = model_old_place(m),
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

void model_keep_rotation(struct model_state *s, const struct svcenc_rotation *r)
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

void model_disk_write(struct model_state *s, uint8_t phys, uint8_t code)
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

void model_disk_flush(struct model_state *s)
{
	uint8_t phys;

	for (phys = 0; phys < PHYS_MAX; phys++)
		disk_make_durable(s, phys);
}

/* ------------------------------------------------------------ foreground */

bool model_any_waits(const struct model_state *s, uint8_t who, bool writers)
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
void model_begin_grace(struct model_state *s, uint8_t who)
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

void model_release_parked(struct model *m, struct model_state *s)
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

bool model_do_read(struct model *m, struct model_state *s, uint8_t x)
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

bool model_do_write(struct model *m, struct model_state *s, uint8_t x,
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
bool model_do_flush(struct model *m, struct model_state *s)
{
	if (!s->left.flushes || !may_do_io(m, s))
		return false;
	s->left.flushes--;
	model_disk_flush(s);
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
bool model_do_complete(struct model *m, struct model_state *s, uint32_t i)
{
	struct model_op *op = &s->op[i];

	if (op->state != OP_ISSUED)
		return false;
	switch (op->kind) {
	case OP_READ:
		complete_read(m, s, op);
		break;
	default:
		model_disk_write(s, op->phys,
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
