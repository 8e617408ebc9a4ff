/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs a volume's rotation on behalf of messages and device-mapper:
 * starts, holds and wakes its thread, words what became of it, sends its
 * events. Knows when a rotation may run; nothing of how.
 */
#ifndef SVCENC_CONTROL_H
#define SVCENC_CONTROL_H

#include "core/line.h"
#include "device.h"

void svcenc_control_init(struct svcenc_dev *dev);
/* dtr: the thread is gone (presuspend came before); sends what is queued. */
void svcenc_control_exit(struct svcenc_dev *dev);

/*
 * Messages. -EBUSY, -EROFS, -ENOKEY, -EINVAL with the reason in the kernel
 * log and an event. They return at once: start waits for its commit, none
 * waits for a batch.
 */
int svcenc_control_start(struct svcenc_dev *dev);
int svcenc_control_pause(struct svcenc_dev *dev);
int svcenc_control_resume(struct svcenc_dev *dev, bool skip_unreadable);
int svcenc_control_rate(struct svcenc_dev *dev, u32 kib_s);
/* svcenc_unlock(), with the rotation held meanwhile. */
int svcenc_control_unlock(struct svcenc_dev *dev,
			  const struct svcenc_keyid *id);

/*
 * presuspend: when it returns, no window is open, nobody is parked and no
 * thread is there.
 */
void svcenc_control_hold(struct svcenc_dev *dev);
/* resume, presuspend_undo: a rotation that is under way goes on. */
void svcenc_control_go(struct svcenc_dev *dev);

/* Fills the fields that tell of the rotation. */
void svcenc_control_status(struct svcenc_dev *dev, struct svcenc_status *ret);

/* --- from the rotation's thread */

/* A batch is durable. */
void svcenc_control_progress(struct svcenc_dev *dev);
/* An error, or the key's end, halted it; @reason is copied. */
void svcenc_control_halted(struct svcenc_dev *dev,
			   enum svcenc_rotation_state state,
			   const char *reason);
/* Nothing is under way: it was asked to pause, or has halted. */
void svcenc_control_rests(struct svcenc_dev *dev);
/* The thread's last word. */
void svcenc_control_exits(struct svcenc_dev *dev, bool complete);

#endif
