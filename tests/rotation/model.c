// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tries every order of events that model.h allows, from the start of a
 * rotation to its end, for each geometry below: each state once, each power
 * cut with each thing that it may leave. Then does the same with each mutant
 * of the protocol and wants it caught.
 *
 *	rotation-model		all geometries, then all mutants
 *	rotation-model protocol	all geometries only
 *	rotation-model NAME	shows how mutant NAME fails
 *
 * A state that was seen is known by 128 bits of a hash: at 10^8 states the
 * odds that two share it, and one is skipped, are below 10^-22.
 */
#include <stdlib.h>
#include <time.h>

#include "model.h"

#define DOWN SVCENC_DIRECTION_DOWN
#define UP SVCENC_DIRECTION_UP

static const char *const mutant_names[] = {
#define x(name, text) #name,
	MODEL_MUTANTS(x)
#undef x
};

static const char *const mutant_texts[] = {
#define x(name, text) text,
	MODEL_MUTANTS(x)
#undef x
};

static const char *const invariant_texts[] = { "-",
#define x(name, text) text,
					       MODEL_INVARIANTS(x)
#undef x
};

/* Budgets are { reads, writes, FUA writes, flushes, cuts, failures, pauses, rots }. */
static const struct model_config configs[] = {
	{ "two cuts, down", DOWN, 3, 2, 1, false, { 0, 1, 0, 1, 2, 1, 0, 0 } },
	{ "two cuts, up", UP, 3, 2, 1, false, { 0, 1, 0, 1, 2, 1, 0, 0 } },
	{ "rot, down", DOWN, 3, 2, 1, false, { 0, 1, 0, 1, 2, 0, 0, 1 } },
	{ "rot, up", UP, 3, 2, 1, false, { 0, 1, 0, 1, 2, 0, 0, 1 } },
	{ "two failures, down", DOWN, 3, 2, 1, true, { 0, 1, 0, 1, 1, 2, 0, 0 } },
	{ "two failures, up", UP, 3, 2, 1, true, { 0, 1, 0, 1, 1, 2, 0, 0 } },
	{ "failure and rot, down",
	  DOWN,
	  3,
	  2,
	  1,
	  false,
	  { 0, 1, 0, 1, 1, 1, 0, 1 } },
	{ "failure and rot, up", UP, 3, 2, 1, false, { 0, 1, 0, 1, 1, 1, 0, 1 } },
	{ "two writes, down", DOWN, 3, 2, 1, true, { 0, 2, 0, 1, 1, 0, 1, 0 } },
	{ "two writes, up", UP, 3, 2, 1, true, { 0, 2, 0, 1, 1, 0, 1, 0 } },
	{ "fua and reads, down",
	  DOWN,
	  3,
	  1,
	  1,
	  false,
	  { 2, 0, 2, 0, 1, 1, 1, 0 } },
	{ "fua and reads, up", UP, 3, 1, 1, false, { 2, 0, 2, 0, 1, 1, 1, 0 } },
	{ "pipelined, down", DOWN, 4, 2, 1, false, { 1, 1, 0, 1, 1, 1, 0, 0 } },
	{ "pipelined, up", UP, 4, 2, 1, false, { 1, 1, 0, 1, 1, 1, 0, 0 } },
	{ "long batches, down",
	  DOWN,
	  4,
	  3,
	  2,
	  false,
	  { 1, 1, 0, 1, 1, 1, 1, 0 } },
	{ "long batches, up", UP, 4, 3, 2, false, { 1, 1, 0, 1, 1, 1, 1, 0 } },
};

enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

/* -------------------------------------------------------------- seen set */

struct key {
	u64 a, b; /* both 0: free */
};

struct seen {
	struct key *slots;
	size_t mask;
	size_t used;
};

static void *must(void *memory)
{
	if (memory)
		return memory;
	fputs("rotation-model: out of memory\n", stderr);
	exit(2);
}

static void seen_start(struct seen *seen, size_t slots)
{
	seen->slots = must(calloc(slots, sizeof(struct key)));
	seen->mask = slots - 1;
	seen->used = 0;
}

static u64 mix(u64 hash, u64 word)
{
	const unsigned __int128 product =
		(unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15ULL;

	return (u64)product ^ (u64)(product >> 64);
}

static struct key key_of(const struct model_state *s)
{
	struct key key = { 0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL };
	u64 words[(sizeof(*s) + 7) / 8] = { 0 };
	size_t i;

	memcpy(words, s, sizeof(*s));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		key.a = mix(key.a, words[i]);
		key.b = mix(key.b + 0xa4093822299f31d0ULL, words[i]);
	}
	key.a |= 1;
	return key;
}

static bool seen_put(struct seen *seen, struct key key)
{
	size_t at = key.b & seen->mask;

	while (seen->slots[at].a) {
		if (seen->slots[at].a == key.a && seen->slots[at].b == key.b)
			return false;
		at = (at + 1) & seen->mask;
	}
	seen->slots[at] = key;
	seen->used++;
	return true;
}

static void seen_grow(struct seen *seen)
{
	struct seen bigger;
	size_t i;

	if (seen->used < seen->mask / 4 * 3)
		return;
	seen_start(&bigger, (seen->mask + 1) * 4);
	for (i = 0; i <= seen->mask; i++)
		if (seen->slots[i].a)
			seen_put(&bigger, seen->slots[i]);
	free(seen->slots);
	*seen = bigger;
}

/* ---------------------------------------------------------------- search */

/* A state on the path, and the step out of it that is tried next. */
struct node {
	struct model_state state;
	struct model_step step;
	bool goes_on; /* some step other than a cut or a new bio was possible */
};

enum { DEPTH_MAX = 400 };

struct search {
	struct model model;
	struct seen seen;
	struct node path[DEPTH_MAX];
	int depth;
	u64 steps;
	u64 cuts;
	u64 ends;
};

/* Two bios under way are the same in either order. */
static void normalise(struct model_state *s)
{
	struct model_op swap;

	if (memcmp(&s->op[0], &s->op[1], sizeof(swap)) >= 0)
		return;
	swap = s->op[0];
	s->op[0] = s->op[1];
	s->op[1] = swap;
}

static void push(struct search *search, const struct model_state *s)
{
	struct node *node;

	if (search->depth == DEPTH_MAX) {
		fputs("rotation-model: a path is too long\n", stderr);
		exit(2);
	}
	node = &search->path[search->depth++];
	node->state = *s;
	node->step = (struct model_step){ 0 };
	node->goes_on = false;
}

/* The step after @step in the order in which they are tried. */
static void next_step(const struct model *m, struct model_step *step,
		      bool was_possible)
{
	if (step->kind == DO_CUT) {
		if (was_possible)
			step->arg++;
		else
			step->kind = STEP_KINDS;
		return;
	}
	if (++step->arg < model_args(m, (enum step_kind)step->kind))
		return;
	step->arg = 0;
	step->kind++;
}

static bool is_optional(enum step_kind kind)
{
	switch (kind) {
	case DO_READ:
	case DO_WRITE:
	case DO_FUA_WRITE:
	case DO_FLUSH:
	case DO_PAUSE:
	case DO_COMMIT_FAIL:
	case DO_CUT:
		return true;
	default:
		return false;
	}
}

/* Nothing more happens here: this must be the end. */
static void check_rest(struct search *search, const struct node *node)
{
	int i;

	if (node->goes_on)
		return;
	search->ends++;
	if (node->state.phase != PHASE_DONE)
		model_break(&search->model, INVARIANT_ENDS);
	for (i = 0; i < OPS; i++)
		if (node->state.op[i].state != OP_FREE)
			model_break(&search->model, INVARIANT_ENDS);
}

static void advance_search(struct search *search)
{
	struct node *node = &search->path[search->depth - 1];
	const struct model_step step = node->step;
	struct model_state next = node->state;
	bool possible;

	if (step.kind == STEP_KINDS) {
		check_rest(search, node);
		if (!search->model.broken)
			search->depth--;
		return;
	}
	possible = model_do(&search->model, &next, step);
	if (search->model.broken)
		return;
	next_step(&search->model, &node->step, possible);
	if (!possible)
		return;
	search->steps++;
	search->cuts += step.kind == DO_CUT;
	node->goes_on |= !is_optional((enum step_kind)step.kind);
	normalise(&next);
	if (!seen_put(&search->seen, key_of(&next)))
		return;
	seen_grow(&search->seen);
	push(search, &next);
}

/* All of @config under @mutant; what broke is left in model.broken. */
static void explore(struct search *search, const struct model_config *config,
		    enum model_mutant mutant)
{
	struct model_state start;

	search->model = (struct model){ .config = config, .mutant = mutant };
	search->depth = 0;
	search->steps = search->cuts = search->ends = 0;
	seen_start(&search->seen, 1 << 16);
	model_start(config, &start);
	seen_put(&search->seen, key_of(&start));
	push(search, &start);
	while (search->depth && !search->model.broken)
		advance_search(search);
	free(search->seen.slots);
}

/* --------------------------------------------------------------- reports */

static void show_step(const struct node *node)
{
	static const char *const names[] = {
		"read of sector",	"write of sector",
		"FUA write of sector",	"flush",
		"bio completes:",	"batch claimed",
		"batch reads:",		"batch is being written:",
		"batch written:",	"abandoned batch written",
		"batches abandoned",	"commit begins",
		"commit's flush fails", "commit goes on",
		"commit fails",		"spare overwritten",
		"power cut, outcome"
	};

	printf("  w %u, %u batches, seq %u: %s", node->state.w,
	       node->state.batches, node->state.seq, names[node->step.kind]);
	switch ((enum step_kind)node->step.kind) {
	case DO_READ:
	case DO_WRITE:
	case DO_FUA_WRITE:
	case DO_COMPLETE:
	case DO_BATCH_READ:
	case DO_BATCH_WRITE:
	case DO_BATCH_WRITTEN:
	case DO_CUT:
		printf(" %u", node->step.arg);
		break;
	default:
		break;
	}
	putchar('\n');
}

/* The step of a node points behind the one that led to the next node. */
static void show_path(struct search *search)
{
	static const struct model_step none;
	int i;

	for (i = 0; i < search->depth; i++) {
		struct node node = search->path[i];
		struct model_step step = none, last = none;

		while (i + 1 < search->depth &&
		       memcmp(&step, &node.step, sizeof(step)) != 0) {
			last = step;
			next_step(&search->model, &step, step.kind == DO_CUT);
		}
		if (i + 1 < search->depth)
			node.step = last;
		if (node.step.kind < STEP_KINDS)
			show_step(&node);
	}
	printf("  broken: %s\n", invariant_texts[search->model.broken]);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool check_protocol(struct search *search)
{
	const double start = seconds();
	u64 states = 0, cuts = 0;
	bool good = true;
	int i;

	for (i = 0; i < CONFIGS; i++) {
		const struct model_config *config = &configs[i];
		const double begin = seconds();

		explore(search, config, MUTANT_NONE);
		printf("%-21s %u sectors, spare %u, batch %u: %8zu states, %9llu steps, %9llu cuts, %6llu ends, %.1f s\n",
		       config->name, config->length, config->spare,
		       config->want, search->seen.used,
		       (unsigned long long)search->steps,
		       (unsigned long long)search->cuts,
		       (unsigned long long)search->ends, seconds() - begin);
		states += search->seen.used;
		cuts += search->cuts;
		if (search->model.broken) {
			show_path(search);
			good = false;
		}
		good &= search->cuts > 0 && search->ends > 0;
	}
	printf("%s: %llu states, %llu cuts with their outcomes, %.1f s\n",
	       good ? "ok" : "not ok", (unsigned long long)states,
	       (unsigned long long)cuts, seconds() - start);
	return good;
}

/* Mutants are caught by the first geometry that shows them. */
static bool check_mutant(struct search *search, enum model_mutant mutant,
			 bool verbose)
{
	int i;

	for (i = 0; i < CONFIGS; i++) {
		explore(search, &configs[i], mutant);
		if (search->model.broken)
			break;
	}
	printf("%-22s %-52s %s\n", mutant_names[mutant], mutant_texts[mutant],
	       i == CONFIGS ? "SURVIVES" :
			      invariant_texts[search->model.broken]);
	if (verbose && i < CONFIGS)
		show_path(search);
	return i < CONFIGS;
}

int main(int argc, char **argv)
{
	struct search *search = must(calloc(1, sizeof(*search)));
	setlinebuf(stdout);
	bool good = true;
	int mutant;

	if (argc < 2 || !strcmp(argv[1], "protocol"))
		good = check_protocol(search);
	for (mutant = MUTANT_NONE + 1; mutant < MUTANTS; mutant++)
		if (argc < 2 || !strcmp(argv[1], mutant_names[mutant]))
			good &= check_mutant(search, (enum model_mutant)mutant,
					     argc > 1);
	if (argc < 2)
		printf("%s: %d mutants\n", good ? "ok" : "not ok", MUTANTS - 1);
	free(search);
	return good ? 0 : 1;
}
