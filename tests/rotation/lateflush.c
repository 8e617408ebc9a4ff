// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the writes to each sector from fact to fact. Knows entries and facts,
 * not what the sectors hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lateflush.h"

struct lateness {
	struct writelog *log;
	const struct crash_facts *facts;
	const struct crash_layout *layout;
	uint32_t *version; /* of the last fact, by sector */
	uint32_t *writes;  /* logged since then, wherever the sector may lie */
	unsigned int last_flush;
};

static void *must(void *memory)
{
	if (!memory) {
		fprintf(stderr, "lateflush: there is no memory left\n");
		exit(2);
	}
	return memory;
}

static void count_place(struct lateness *late,
			const struct writelog_entry *entry, uint64_t base)
{
	const uint64_t size = late->layout->sector_size;
	uint64_t at;

	for (at = entry->at; at < entry->at + entry->bytes; at += size)
		if (at >= base && (at - base) / size < late->layout->sectors)
			late->writes[(at - base) / size]++;
}

static bool is_held_back(const struct writelog_entry *entry)
{
	return entry->bytes &&
	       !(entry->flags & (LOG_FUA | LOG_FLUSH | LOG_MARK));
}

/*
 * The next group at or behind *@from: entries that one flush took along, up to
 * *@ret_end. True: it writes to @sector.
 */
static bool next_group(const struct lateness *late, unsigned int *from,
		       unsigned int *ret_end, uint64_t sector)
{
	const struct writelog_entry *entry = late->log->entry;
	const uint64_t offset = sector * late->layout->sector_size;
	unsigned int i = *from;
	bool found = false;

	while (i < late->log->count && !is_held_back(&entry[i]))
		i++;
	*from = i;
	for (; i < late->log->count && is_held_back(&entry[i]); i++)
		found |=
			writelog_covers(&entry[i],
					late->layout->low + offset) ||
			writelog_covers(&entry[i], late->layout->high + offset);
	*ret_end = i;
	return found;
}

/* The group behind @mark with a write to @sector goes before the last flush. */
static bool move_group(struct lateness *late, unsigned int mark,
		       uint64_t sector)
{
	const unsigned int to = late->last_flush;
	struct writelog_entry *entry = late->log->entry, *group;
	unsigned int from = mark + 1, end;

	while (!next_group(late, &from, &end, sector)) {
		if (end == late->log->count)
			return false;
		from = end;
	}
	group = must(malloc((end - from) * sizeof(*group)));
	memcpy(group, entry + from, (end - from) * sizeof(*group));
	memmove(entry + to + (end - from), entry + to,
		(from - to) * sizeof(*entry));
	memcpy(entry + to, group, (end - from) * sizeof(*group));
	free(group);
	return true;
}

/* True if a group was moved for a fact of the mark @at: look again. */
static bool check_mark(struct lateness *late, unsigned int at,
		       unsigned int number, unsigned int *next_fact)
{
	for (; *next_fact < late->facts->count; (*next_fact)++) {
		const struct crash_fact *fact = &late->facts->fact[*next_fact];
		const uint64_t x = fact->sector;

		if (fact->number != number)
			break;
		if (fact->version - late->version[x] > late->writes[x] &&
		    move_group(late, at, x))
			return true;
		late->version[x] = fact->version;
		late->writes[x] = 0;
	}
	return false;
}

/* True if a group was moved: look again from the start. */
static bool find_late(struct lateness *late)
{
	unsigned int i, number, next_fact = 0;

	for (i = 0; i < late->log->count; i++) {
		const struct writelog_entry *entry = &late->log->entry[i];

		if (entry->flags & LOG_FLUSH)
			late->last_flush = i;
		if (!(entry->flags & LOG_MARK)) {
			count_place(late, entry, late->layout->low);
			count_place(late, entry, late->layout->high);
		} else if (sscanf((const char *)entry->data, "f%u", &number) ==
				   1 &&
			   check_mark(late, i, number, &next_fact)) {
			return true;
		}
	}
	return false;
}

unsigned int lateflush_put_right(struct writelog *log,
				 const struct crash_facts *facts,
				 const struct crash_layout *layout)
{
	struct lateness late = { .log = log, .facts = facts, .layout = layout };
	unsigned int moved = 0;
	bool again;
	uint64_t x;

	do {
		late.version = must(calloc(layout->sectors, sizeof(uint32_t)));
		late.writes = must(calloc(layout->sectors, sizeof(uint32_t)));
		late.last_flush = 0;
		for (x = 0; x < layout->sectors; x++)
			late.version[x] = 1;
		again = find_late(&late);
		free(late.version);
		free(late.writes);
		moved += again;
	} while (again && moved <= LATE_MAX);
	return moved;
}
