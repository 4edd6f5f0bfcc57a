// SPDX-License-Identifier: MIT
/*
 * states.c - two hash tables with open addressing: of parts, and of states.
 */
#include "states.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define MAX_PARTS   16
#define CHUNK_BYTES (16u << 20)
#define NO_PART	    UINT32_MAX

/* A table has the numbers of parts or states, which are kept elsewhere. */
struct entry {
	uint32_t place; /* a number + 1, or 0 if free */
	uint32_t hash;	/* is compared first */
};

struct table {
	struct entry *entry;
	uint32_t mask;
	uint32_t used;
};

struct part {
	uint32_t bytes;
	uint8_t data[];
};

struct state {
	uint32_t from;
	struct action action;
	uint16_t depth;
	uint32_t part[]; /* and the search's note */
};

struct states {
	struct table part_table;
	struct part **parts;
	uint32_t nparts;
	uint32_t max_parts;
	uint8_t *chunk;
	size_t chunk_used;
	uint64_t part_bytes;
	uint8_t **chunks;
	uint32_t nchunks;

	struct table state_table;
	uint8_t *states;
	uint32_t nstates;
	uint32_t max_states;
	size_t state_bytes;

	uint32_t parts_of_state;
	size_t key_bytes; /* of the parts' numbers, and the note */
	/* The numbers of the machine's present parts, or NO_PART; the note. */
	uint32_t loaded[MAX_PARTS + 1];
};

/*
 * Asks for large pages for @mem: accesses to it are scattered, and with small
 * pages nearly all of them miss the TLB.
 */
static void *large_pages(void *mem, size_t bytes)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t start = ((uintptr_t)mem + page - 1) & ~(page - 1);
	const uintptr_t end = ((uintptr_t)mem + bytes) & ~(page - 1);

	if (mem && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	return mem;
}

static bool table_init(struct table *t, uint32_t size)
{
	t->entry = large_pages(calloc(size, sizeof(*t->entry)),
			       size * sizeof(*t->entry));
	t->mask = size - 1;
	t->used = 0;
	return t->entry;
}

static void table_free(struct table *t)
{
	free(t->entry);
}

/* Doubles the table when it is three quarters full. */
static bool table_make_room(struct table *t)
{
	struct table bigger;
	uint32_t i;
	uint32_t k;

	if (t->used < t->mask - t->mask / 4)
		return true;
	if (!table_init(&bigger, 2 * (t->mask + 1)))
		return false;
	for (i = 0; i <= t->mask; i++) {
		if (!t->entry[i].place)
			continue;
		for (k = t->entry[i].hash & bigger.mask; bigger.entry[k].place;)
			k = (k + 1) & bigger.mask;
		bigger.entry[k] = t->entry[i];
	}
	bigger.used = t->used;
	table_free(t);
	*t = bigger;
	return true;
}

static struct state *state_at(const struct states *s, uint32_t nr)
{
	return (void *)(s->states + nr * s->state_bytes);
}

struct states *states_new(void)
{
	struct states *s = calloc(1, sizeof(*s));
	uint32_t i;

	if (!s)
		return NULL;
	s->parts_of_state = run_parts();
	s->key_bytes = (s->parts_of_state + 1) * sizeof(uint32_t);
	s->state_bytes = sizeof(struct state) + s->key_bytes;
	for (i = 0; i < s->parts_of_state; i++)
		s->loaded[i] = NO_PART;
	if (table_init(&s->part_table, 1u << 16) &&
	    table_init(&s->state_table, 1u << 16))
		return s;
	states_free(s);
	return NULL;
}

void states_free(struct states *s)
{
	uint32_t i;

	if (!s)
		return;
	for (i = 0; i < s->nchunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	free(s->parts);
	free(s->states);
	table_free(&s->part_table);
	table_free(&s->state_table);
	free(s);
}

/* Memory for a part, taken from chunks, since there are very many parts. */
static struct part *new_part(struct states *s, size_t bytes)
{
	const size_t want = (sizeof(struct part) + bytes + 7) & ~(size_t)7;
	uint8_t **chunks;
	struct part *p;

	if (!s->chunk || s->chunk_used + want > CHUNK_BYTES) {
		chunks = realloc(s->chunks,
				 (s->nchunks + 1) * sizeof(*s->chunks));
		if (!chunks)
			return NULL;
		s->chunks = chunks;
		s->chunk = large_pages(malloc(CHUNK_BYTES), CHUNK_BYTES);
		if (!s->chunk)
			return NULL;
		s->chunks[s->nchunks++] = s->chunk;
		s->chunk_used = 0;
	}
	p = (void *)(s->chunk + s->chunk_used);
	s->chunk_used += want;
	s->part_bytes += want;
	return p;
}

static uint32_t add_part(struct states *s, const void *data, size_t bytes)
{
	const uint32_t hash = (uint32_t)XXH3_64bits(data, bytes);
	struct table *t = &s->part_table;
	struct part **parts;
	struct part *p;
	uint32_t k;

	for (k = hash & t->mask; t->entry[k].place; k = (k + 1) & t->mask) {
		if (t->entry[k].hash != hash)
			continue;
		p = s->parts[t->entry[k].place - 1];
		if (p->bytes == bytes && !memcmp(p->data, data, bytes))
			return t->entry[k].place - 1;
	}
	if (s->nparts == s->max_parts) {
		s->max_parts = s->max_parts ? 2 * s->max_parts : 1024;
		parts = realloc(s->parts, s->max_parts * sizeof(*parts));
		if (!parts)
			return NO_PART;
		s->parts = parts;
	}
	p = new_part(s, bytes);
	if (!p)
		return NO_PART;
	p->bytes = (uint32_t)bytes;
	memcpy(p->data, data, bytes);
	s->parts[s->nparts++] = p;
	t->entry[k] = (struct entry){ .place = s->nparts, .hash = hash };
	t->used++;
	if (!table_make_room(t))
		return NO_PART;
	return s->nparts - 1;
}

/* Finds or adds the machine's present parts. */
static bool save_parts(struct states *s)
{
	const void *data;
	size_t bytes;
	uint32_t i;

	for (i = 0; i < s->parts_of_state; i++) {
		if (s->loaded[i] != NO_PART)
			continue;
		data = run_part(i, &bytes);
		s->loaded[i] = add_part(s, data, bytes);
		if (s->loaded[i] == NO_PART)
			return false;
	}
	return true;
}

static bool new_state(struct states *s, uint32_t from, struct action action)
{
	struct state *state;
	uint8_t *states;

	if (s->nstates == s->max_states) {
		s->max_states = s->max_states ? s->max_states * 3 / 2 : 4096;
		states = realloc(s->states, s->max_states * s->state_bytes);
		if (!states)
			return false;
		s->states = large_pages(states, s->max_states * s->state_bytes);
	}
	state = state_at(s, s->nstates++);
	state->from = from;
	state->action = action;
	state->depth = 0;
	if (from != NO_STATE)
		state->depth = (uint16_t)(state_at(s, from)->depth + 1);
	memcpy(state->part, s->loaded, s->key_bytes);
	return true;
}

uint32_t states_add(struct states *s, uint32_t from, struct action action,
		    bool *is_new)
{
	struct table *t = &s->state_table;
	uint32_t hash;
	uint32_t k;

	*is_new = false;
	if (!save_parts(s) || s->nstates == NO_STATE - 1)
		return NO_STATE;
	hash = (uint32_t)XXH3_64bits(s->loaded, s->key_bytes);
	for (k = hash & t->mask; t->entry[k].place; k = (k + 1) & t->mask) {
		if (t->entry[k].hash == hash &&
		    !memcmp(state_at(s, t->entry[k].place - 1)->part, s->loaded,
			    s->key_bytes))
			return t->entry[k].place - 1;
	}
	if (!new_state(s, from, action))
		return NO_STATE;
	t->entry[k] = (struct entry){ .place = s->nstates, .hash = hash };
	t->used++;
	*is_new = true;
	return table_make_room(t) ? s->nstates - 1 : NO_STATE;
}

void states_restore(struct states *s, uint32_t nr)
{
	const struct state *state = state_at(s, nr);
	const struct part *p;
	uint32_t i;

	for (i = 0; i < s->parts_of_state; i++) {
		if (s->loaded[i] == state->part[i])
			continue;
		p = s->parts[state->part[i]];
		run_restore(i, p->data, p->bytes);
		s->loaded[i] = state->part[i];
	}
	s->loaded[i] = state->part[i];
}

void states_set_note(struct states *s, uint32_t note)
{
	s->loaded[s->parts_of_state] = note;
}

uint32_t states_note(const struct states *s)
{
	return s->loaded[s->parts_of_state];
}

void states_changed(struct states *s, struct action action)
{
	s->loaded[PART_HARDWARE] = NO_PART;
	s->loaded[PART_WEAK] = NO_PART;
	if (action.actor >= ACTOR_FLUSH)
		return;
	s->loaded[PART_MEMORY] = NO_PART;
	s->loaded[PART_STACKS + action.actor % ACTOR_INTERRUPT] = NO_PART;
}

uint32_t states_from(const struct states *s, uint32_t nr)
{
	return state_at(s, nr)->from;
}

struct action states_action(const struct states *s, uint32_t nr)
{
	return state_at(s, nr)->action;
}

uint32_t states_depth(const struct states *s, uint32_t nr)
{
	return state_at(s, nr)->depth;
}

uint32_t states_count(const struct states *s)
{
	return s->nstates;
}

uint64_t states_bytes(const struct states *s)
{
	return s->part_bytes + s->nstates * s->state_bytes +
	       sizeof(struct entry) *
		       (s->part_table.mask + 1ull + s->state_table.mask + 1ull);
}
