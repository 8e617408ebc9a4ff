// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "stamp.h"

/* splitmix64 */
uint64_t stamp_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static const uint64_t magic = 0x706d617473637673ULL;

void stamp_fill(void *to, size_t size, uint64_t sector, uint32_t version)
{
	uint64_t state = sector << 32 ^ version, word, i;

	memcpy(to, &magic, 8);
	memcpy((char *)to + 8, &sector, 8);
	word = version;
	memcpy((char *)to + 16, &word, 8);
	for (i = 24; i < size; i += 8) {
		word = stamp_random(&state);
		memcpy((char *)to + i, &word, 8);
	}
}

bool stamp_read(const void *from, size_t size, uint64_t sector,
		uint32_t *ret_version)
{
	uint64_t head[3], state, word, i;

	memcpy(head, from, sizeof(head));
	if (head[0] != magic || head[1] != sector || head[2] > UINT32_MAX)
		return false;
	state = sector << 32 ^ head[2];
	for (i = 24; i < size; i += 8) {
		memcpy(&word, (const char *)from + i, 8);
		if (word != stamp_random(&state))
			return false;
	}
	*ret_version = (uint32_t)head[2];
	return true;
}
