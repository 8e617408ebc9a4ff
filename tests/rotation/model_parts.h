/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the running system ask of each other. model_do_*: one
 * step each, false if it is not possible.
 */
#ifndef SVCENC_TEST_ROTATION_MODEL_PARTS_H
#define SVCENC_TEST_ROTATION_MODEL_PARTS_H

#include "model.h"

/* model_io.c */

u32 model_old_place(const struct model *m);
void model_keep_rotation(struct model_state *s,
			 const struct svcenc_rotation *r);
void model_disk_write(struct model_state *s, uint8_t phys, uint8_t code);
void model_disk_flush(struct model_state *s);
bool model_any_waits(const struct model_state *s, uint8_t who, bool writers);
void model_begin_grace(struct model_state *s, uint8_t who);
void model_release_parked(struct model *m, struct model_state *s);
bool model_do_read(struct model *m, struct model_state *s, uint8_t x);
bool model_do_write(struct model *m, struct model_state *s, uint8_t x,
		    enum op_kind kind);
bool model_do_flush(struct model *m, struct model_state *s);
bool model_do_complete(struct model *m, struct model_state *s, uint32_t i);
struct model_sb model_sb_now(const struct model_state *s, enum sb_kind kind,
			     uint8_t w);

/* model_batch.c */

bool model_do_claim(struct model *m, struct model_state *s);
bool model_do_batch_read(struct model *m, struct model_state *s, uint32_t i);
bool model_do_batch_write(struct model *m, struct model_state *s, uint32_t i);
bool model_do_batch_written(struct model_state *s, uint32_t i);
bool model_do_orphan_written(struct model_state *s);
bool model_do_pause(struct model *m, struct model_state *s);
bool model_do_spare(struct model *m, struct model_state *s);
void model_abandon(struct model *m, struct model_state *s);
void model_advance(struct model *m, struct model_state *s);
bool model_is_writing(const struct model_state *s);

#endif
