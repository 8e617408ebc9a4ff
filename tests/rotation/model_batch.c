// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches from claim to written, what becomes of them, and the spare at the
 * end. Knows nothing of superblocks.
 */
#include "model_parts.h"

bool model_do_claim(struct model *m, struct model_state *s)
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
	model_keep_rotation(s, &r);
	memset(batch, 0, sizeof(*batch));
	batch->sectors = (uint8_t)run.sectors;
	batch->phys = model_phys(m, !model_old_place(m), (uint8_t)run.start);
	model_begin_grace(s, s->batches == 1 ? WAITS_BATCH0 : WAITS_BATCH1);
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

bool model_do_batch_read(struct model *m, struct model_state *s, uint32_t i)
{
	const uint8_t old_base = model_phys(m, model_old_place(m), 0);
	const uint8_t new_base = model_phys(m, !model_old_place(m), 0);
	struct model_batch *batch = &s->batch[i];
	uint8_t k;

	if (i >= s->batches || batch->phase != BATCH_CLAIMED)
		return false;
	if (model_any_waits(s, batch_waits(i), true) &&
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
		model_disk_write(s, (uint8_t)(batch->phys + k), batch->code[k]);
}

bool model_do_batch_write(struct model *m, struct model_state *s, uint32_t i)
{
	struct model_batch *batch = &s->batch[i];

	if (i >= s->batches || batch->phase != BATCH_READ)
		return false;
	if (model_any_waits(s, batch_waits(i), false) &&
	    m->mutant != MUTANT_NO_READ_GRACE)
		return false;
	if (model_any_waits(s, batch_waits(i), true) &&
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

bool model_do_batch_written(struct model_state *s, uint32_t i)
{
	if (i >= s->batches || s->batch[i].phase != BATCH_WRITING)
		return false;
	write_batch(s, &s->batch[i]);
	s->batch[i].phase = BATCH_WRITTEN;
	return true;
}

bool model_do_orphan_written(struct model_state *s)
{
	if (!s->orphan.sectors)
		return false;
	write_batch(s, &s->orphan);
	memset(&s->orphan, 0, sizeof(s->orphan));
	return true;
}

bool model_is_writing(const struct model_state *s)
{
	uint8_t i;

	for (i = 0; i < s->batches; i++)
		if (s->batch[i].phase == BATCH_WRITING)
			return true;
	return false;
}

/* All batches are as if never claimed; their writers go to the old place. */
void model_abandon(struct model *m, struct model_state *s)
{
	struct svcenc_rotation r = model_rotation(m, s);
	uint8_t i;

	for (i = 0; i < s->batches; i++)
		if (s->batch[i].phase == BATCH_WRITING)
			s->orphan = s->batch[i];
	svcenc_rotation_abandon(&r);
	model_keep_rotation(s, &r);
	memset(s->batch, 0, sizeof(s->batch));
	for (i = 0; i < OPS; i++)
		s->op[i].waits &= WAITS_SPARE;
	s->undecided = 0;
	model_release_parked(m, s);
}

bool model_do_pause(struct model *m, struct model_state *s)
{
	if (!s->left.pauses || !s->batches || s->commit.step || s->undecided)
		return false;
	if (model_is_writing(s) && m->mutant != MUTANT_BACK_WITHOUT_DRAIN)
		return false;
	s->left.pauses--;
	model_abandon(m, s);
	return true;
}

void model_advance(struct model *m, struct model_state *s)
{
	struct svcenc_rotation r = model_rotation(m, s);
	int i;

	svcenc_rotation_advance(&r);
	model_keep_rotation(s, &r);
	s->batch[0] = s->batch[1];
	memset(&s->batch[1], 0, sizeof(s->batch[1]));
	for (i = 0; i < OPS; i++)
		s->op[i].waits =
			(s->op[i].waits & WAITS_SPARE) |
			(s->op[i].waits & WAITS_BATCH1 ? WAITS_BATCH0 : 0);
	if (svcenc_rotation_all_moved(&r))
		model_begin_grace(s, WAITS_SPARE);
	model_release_parked(m, s);
}

/* ----------------------------------------------------------------- spare */

static bool all_moved(const struct model *m, const struct model_state *s)
{
	const struct svcenc_rotation r = model_rotation(m, s);

	return !s->batches && svcenc_rotation_all_moved(&r);
}

bool model_do_spare(struct model *m, struct model_state *s)
{
	const struct svcenc_rotation r = model_rotation(m, s);
	const struct svcenc_run run = svcenc_rotation_spare(&r);
	uint8_t k;

	if (!all_moved(m, s) || s->spare_overwritten || s->commit.step)
		return false;
	if ((model_any_waits(s, WAITS_SPARE, true) ||
	     model_any_waits(s, WAITS_SPARE, false)) &&
	    m->mutant != MUTANT_SPARE_WITHOUT_GRACE)
		return false;
	if (m->mutant != MUTANT_NO_SPARE_OVERWRITE)
		for (k = 0; k < run.sectors; k++)
			model_disk_write(s, (uint8_t)(run.start + k), NOISE);
	s->spare_overwritten = 1;
	return true;
}
