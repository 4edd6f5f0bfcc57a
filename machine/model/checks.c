// SPDX-License-Identifier: MIT
/*
 * checks.c - the invariants about data, and about a pin's answer.
 *
 * The machine knows what each byte's owner wrote last.  The byte is lost (I1)
 * as soon as that value is neither in memory nor in a dirty line.
 */
#include "model_priv.h"

/* A dirty line that has this value for a byte of a page, or NULL. */
static const struct entry *dirty_line(int page, uint32_t offset, uint8_t value)
{
	const uint32_t line = offset >> m.config.line_shift;
	const struct entry *e;
	uint32_t cache;
	uint32_t nr;

	for (cache = 0; cache < m.ncaches; cache++) {
		for (nr = line; nr < entries(); nr += lines_per_page()) {
			e = &m.hw.cache[cache].entry[nr];
			if (e->valid && e->dirty && e->page == page &&
			    e->data[offset & (line_bytes() - 1)] == value)
				return e;
		}
	}
	return NULL;
}

void check_written(int page)
{
	uint32_t offset;
	uint8_t value;

	for (offset = 0; offset < page_bytes(); offset++) {
		value = m.hw.written[page][offset];
		if (value && m.hw.memory[page][offset] != value &&
		    !dirty_line(page, offset, value))
			broken(1, VERDICT_DATA_LOSS,
			       "byte %u of page %d, %02x, is lost", offset,
			       page, value);
	}
}

void check_load(int page, uint32_t offset, uint8_t value, const char *who)
{
	const uint8_t written = m.hw.written[page][offset];

	if (!written || value == written)
		return;
	/* A device reads no line: the cause is the line that it needed. */
	if (!m.line)
		m.line = dirty_line(page, offset, written);
	broken(2, VERDICT_STALE_READ,
	       "%s reads %02x from page %d, where %02x was written", who, value,
	       page, written);
}

/*
 * A pin may say "not mapped" if at some moment during it nobody held the page
 * and, on a VIVT cache, none of its lines was cached (I8).  The pin must come
 * after the cleaning that made it so.
 */
void watch_pins(void)
{
	struct context *c;
	uint32_t nr;
	int page;

	for (nr = 0; nr < m.ncontexts; nr++) {
		c = &m.hw.context[nr];
		page = c->pinning - 1;
		if (page < 0 || c->may_miss || m.hw.page_held[page])
			continue;
		c->may_miss = m.config.cache.kind != PKMAP_CACHE_VIVT ||
			      !page_is_cached(page);
		c->miss_after = m.hw.cleaned[page];
	}
}

void check_miss(int page)
{
	const struct context *c = context();

	if (!c->may_miss)
		broken(8, VERDICT_BROKEN,
		       "a pin says that page %d is not mapped", page);
	else if (!sync_sees_clean(page, c->miss_after))
		broken(8, VERDICT_BROKEN,
		       "a pin of page %d misses before the page is cleaned",
		       page);
}

void broken_livelock(uint8_t actor)
{
	const uint32_t nr = actor % ACTOR_INTERRUPT;

	m.broken.invariant = 0;
	m.current = (uint8_t)nr;
	broken(m.info[nr].kind == LANE_INTERRUPT ? 6 : 7, VERDICT_LIVELOCK,
	       "%s goes round for ever, and gets nowhere", m.info[nr].name);
}

/* A dirty line reaches memory later, so it must hold what was written last. */
static void check_dirty_lines(uint32_t cache)
{
	const struct entry *e;
	uint32_t offset;
	uint32_t nr;
	uint32_t k;
	uint8_t written;

	for (nr = 0; nr < entries(); nr++) {
		e = &m.hw.cache[cache].entry[nr];
		m.line = e;
		offset = (nr % lines_per_page()) << m.config.line_shift;
		for (k = 0; e->valid && e->dirty && k < line_bytes(); k++) {
			written = m.hw.written[e->page][offset + k];
			if (written && e->data[k] != written)
				broken(1, VERDICT_DATA_LOSS,
				       "a dirty line will overwrite byte %u of "
				       "page %u",
				       offset + k, e->page);
		}
	}
}

void check_end(void)
{
	uint32_t i;

	for (i = 0; i < m.config.npages; i++)
		check_written((int)i);
	for (i = 0; i < m.ncaches; i++)
		check_dirty_lines(i);
}
