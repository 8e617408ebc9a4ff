/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of bounce pages that all volumes share: pages that only ever held
 * ciphertext, so that they need no clearing and no trip to the allocator
 * (which clears every page where init_on_alloc is on). Opportunistic: it may
 * be empty at any time, and nobody's progress may depend on it; that is what
 * the reserves of the volumes are for. Knows no volume and no bio.
 */
#ifndef SVCENC_BOUNCE_H
#define SVCENC_BOUNCE_H

#include <linux/bvec.h>

int svcenc_bounce_init(void); /* -ENOMEM */
void svcenc_bounce_exit(void);

/*
 * Sets bv_page of @count vectors to pages of the cache or, where it has none
 * left, of the allocator; false and nothing if there are not enough. Does not
 * wait. Any context but NMI.
 */
bool svcenc_bounce_get(struct bio_vec *vecs, unsigned int count);

/* Gives them back; they must not hold anything but ciphertext. Any context. */
void svcenc_bounce_put(const struct bio_vec *vecs, unsigned int count);

/* Pages in the cache; may change the moment after. */
unsigned long svcenc_bounce_count(void);

/* Frees up to @want of them; how many there were. The shrinker's. */
unsigned long svcenc_bounce_shrink(unsigned long want);

#endif
