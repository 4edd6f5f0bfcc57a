// SPDX-License-Identifier: MIT
#include "mesi.h"

#include <stdlib.h>

#define ROOM_AT_FIRST 4096

/* The place of a line, or the unused one where it belongs. */
static struct mesi_line *place_of(const struct mesi *m, uint64_t name)
{
	size_t i = (size_t)(name * 0x9e3779b97f4a7c15u >> 32);

	while (m->lines[i & (m->room - 1)].name &&
	       m->lines[i & (m->room - 1)].name != name)
		i++;
	return &m->lines[i & (m->room - 1)];
}

/* At most half of the places are in use. */
static void make_room(struct mesi *m)
{
	struct mesi old = *m;
	size_t i;

	if (2 * m->used < m->room)
		return;
	m->room = old.room ? 2 * old.room : ROOM_AT_FIRST;
	m->lines = calloc(m->room, sizeof(*m->lines));
	if (!m->lines)
		abort();
	for (i = 0; i < old.room; i++) {
		if (old.lines[i].name)
			*place_of(m, old.lines[i].name) = old.lines[i];
	}
	free(old.lines);
}

static struct mesi_line *line_of(struct mesi *m, uint64_t name)
{
	struct mesi_line *line;

	make_room(m);
	line = place_of(m, name);
	if (!line->name) {
		line->name = name;
		m->used++;
	}
	return line;
}

static void fetch_line(struct mesi *m, struct mesi_line *line, uint32_t word,
		       uint64_t bit)
{
	if (line->have[word] & bit)
		return;
	if (line->modified || line->lost[word] & bit)
		m->counts.transfers++;
	/* Whoever had modified it has written it back, and shares it now. */
	line->modified = false;
	line->have[word] |= bit;
	line->lost[word] &= ~bit;
}

static void take_line(struct mesi *m, struct mesi_line *line, uint32_t word,
		      uint64_t bit)
{
	uint64_t others;
	uint32_t i;

	for (i = 0; i < MESI_WORDS; i++) {
		others = line->have[i] & ~(i == word ? bit : 0);
		m->counts.invalidations +=
			(uint64_t)__builtin_popcountll(others);
		line->have[i] &= ~others;
		line->lost[i] |= others;
	}
	line->modified = true;
}

void mesi_access(struct mesi *m, uint32_t cpu, uintptr_t addr, size_t bytes,
		 bool write)
{
	const uint64_t last = (addr + bytes - 1) / MESI_LINE_BYTES;
	const uint64_t bit = 1ull << cpu % 64;
	struct mesi_line *line;
	uint64_t at;

	for (at = addr / MESI_LINE_BYTES; bytes && at <= last; at++) {
		line = line_of(m, at + 1);
		fetch_line(m, line, cpu / 64, bit);
		if (write)
			take_line(m, line, cpu / 64, bit);
	}
}

void mesi_free(struct mesi *m)
{
	free(m->lines);
	*m = (struct mesi){ 0 };
}
