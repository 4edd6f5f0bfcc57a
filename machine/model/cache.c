// SPDX-License-Identifier: MIT
/*
 * cache.c - the data caches: write-back, allocating on reads and writes, and
 * large enough for everything, because the checker evicts what it likes.
 *
 * The kind of cache decides how many entries a line of memory may be in: one on
 * PIPT and VIPT, and one for each colour on aliasing VIPT.  A VIVT cache has an
 * entry for each line of the slots, which remembers the page that it was filled
 * from.  If each CPU has its own cache, they are coherent, as far as their
 * physical tags allow.
 */
#include "model_priv.h"

#include <string.h>

/* The number of a cache's entries. */
uint32_t entries(void)
{
	if (is_vivt())
		return m.nslots * lines_per_page();
	return ncolours(&m.config) * m.config.npages * lines_per_page();
}

static uint32_t entry_nr(uint32_t slot, int page, uint32_t line)
{
	if (is_vivt())
		return slot * lines_per_page() + line;
	return ((slot % ncolours(&m.config)) * m.config.npages +
		(uint32_t)page) *
		       lines_per_page() +
	       line;
}

bool same_entries(uint32_t slot, uint32_t other, int page)
{
	return entry_nr(slot, page, 0) == entry_nr(other, page, 0);
}

struct entry *cache_entry(uint32_t cache, uint32_t slot, int page,
			  uint32_t line)
{
	return &m.hw.cache[cache].entry[entry_nr(slot, page, line)];
}

static uint32_t cache_of(int cpu)
{
	return m.config.own_caches ? (uint32_t)cpu : 0;
}

static void write_back(struct entry *e, uint32_t line)
{
	m.line = e;
	if (!e->dirty)
		return;
	memcpy(&m.hw.memory[e->page][line * line_bytes()], e->data,
	       line_bytes());
	e->dirty = false;
	check_written(e->page);
}

static void drop(struct entry *e)
{
	const int page = e->page;

	m.line = e;
	*e = (struct entry){ 0 };
	check_written(page);
}

/* Writes other caches' copies of a line back, and drops them if @take. */
static void snoop(uint32_t cache, uint32_t nr, bool take)
{
	const uint32_t line = nr % lines_per_page();
	struct entry *e;
	uint32_t other;

	for (other = 0; other < m.ncaches; other++) {
		e = &m.hw.cache[other].entry[nr];
		if (other == cache || !e->valid)
			continue;
		write_back(e, line);
		if (take)
			drop(e);
	}
}

static bool is_cached_elsewhere(uint32_t cache, uint32_t nr, int page)
{
	const struct entry *e = m.hw.cache[cache].entry;
	uint32_t other;

	for (other = nr % lines_per_page(); other < entries();
	     other += lines_per_page()) {
		if (other != nr && e[other].valid && e[other].page == page)
			return true;
	}
	return false;
}

/* No cache may have the line in another entry as well (I5). */
static void check_alias(uint32_t nr, int page)
{
	uint32_t cache;

	for (cache = 0; cache < m.ncaches; cache++) {
		if (is_cached_elsewhere(cache, nr, page))
			broken(5, VERDICT_BROKEN,
			       "page %d, line %u is cached at two addresses",
			       page, nr % lines_per_page());
	}
}

static void fill(uint32_t cache, uint32_t nr, int page)
{
	const uint32_t line = nr % lines_per_page();
	struct entry *e = &m.hw.cache[cache].entry[nr];

	check_alias(nr, page);
	snoop(cache, nr, false);
	e->valid = true;
	e->dirty = false;
	e->page = (uint8_t)page;
	memcpy(e->data, &m.hw.memory[page][line * line_bytes()], line_bytes());
}

/*
 * Returns the line that the CPU accesses at an address, filled if it was not
 * cached.  *page is the page that the address translates to; on VIVT, the line
 * may be another page's.
 */
static struct entry *access_line(const void *addr, enum op_kind kind, int *page)
{
	const uintptr_t offset = (uintptr_t)addr & (page_bytes() - 1);
	const struct op op = {
		.kind = (uint8_t)kind,
		.slot = (uint8_t)slot_of(addr),
		.line = (uint8_t)(offset >> m.config.line_shift),
	};
	const uint32_t cache = cache_of(this_cpu());
	struct entry *e;

	give_way(&op);
	*page = translate(this_cpu(), op.slot);
	if (*page < 0)
		return NULL;
	e = cache_entry(cache, op.slot, *page, op.line);
	if (!e->valid)
		fill(cache, entry_nr(op.slot, *page, op.line), *page);
	return e;
}

uint8_t machine_load(const void *addr)
{
	const uint32_t offset =
		(uint32_t)((uintptr_t)addr & (page_bytes() - 1));
	int page;
	struct entry *e = access_line(addr, OP_LOAD, &page);
	uint8_t value;

	if (!e)
		return 0;
	value = e->data[offset & (line_bytes() - 1)];
	log_event(m.current, EVENT_NOTE, "reads %02x from page %u, line %u",
		  value, e->page, offset >> m.config.line_shift);
	if (!sync_sees(page, offset))
		broken(2, VERDICT_STALE_READ,
		       "%s reads from page %d what it may not see yet",
		       m.info[m.current].name, page);
	m.line = e;
	check_load(page, offset, value, m.info[m.current].name);
	return value;
}

void machine_store(void *addr, uint8_t value)
{
	const uint32_t offset =
		(uint32_t)((uintptr_t)addr & (page_bytes() - 1));
	int page;
	struct entry *e = access_line(addr, OP_STORE, &page);

	if (!e)
		return;
	/* The last store could leave a store buffer after this one. */
	if (!sync_sees(page, offset))
		broken(1, VERDICT_DATA_LOSS,
		       "%s writes to page %d over what it may not see yet",
		       m.info[m.current].name, page);
	snoop(cache_of(this_cpu()),
	      (uint32_t)(e - m.hw.cache[cache_of(this_cpu())].entry), true);
	e->data[offset & (line_bytes() - 1)] = value;
	e->dirty = true;
	m.hw.written[page][offset] = value;
	log_event(m.current, EVENT_NOTE, "writes %02x to page %u, line %u",
		  value, e->page, offset >> m.config.line_shift);
	sync_store(page, offset);
	m.line = e;
	check_written(page);
}

static void maintain(uint32_t cache, uint32_t nr, enum pkmap_cache_op op)
{
	struct entry *e = &m.hw.cache[cache].entry[nr];

	if (!e->valid)
		return;
	if (op & PKMAP_CACHE_CLEAN)
		write_back(e, nr % lines_per_page());
	if (op & PKMAP_CACHE_INVAL)
		drop(e);
}

static const char *op_name(enum pkmap_cache_op op)
{
	static const char *const names[] = {
		[PKMAP_CACHE_CLEAN] = "cleans",
		[PKMAP_CACHE_INVAL] = "invalidates",
		[PKMAP_CACHE_CLEAN_INVAL] = "cleans and invalidates",
	};

	return names[op];
}

/*
 * Cleaning may leave a store behind that the cleaning CPU is not sure to see.
 * That is harmless if the slot turns out to be in use again, but not if it is
 * torn down next (check_unsure()).
 */
static void note_unsure(uint32_t slot, uint32_t line)
{
	const int page = m.hw.pte[slot] - 1;
	const uint32_t offset = line << m.config.line_shift;
	uint32_t k;

	for (k = offset; page >= 0 && k < offset + line_bytes(); k++) {
		m.hw.unsure &= ~byte_bit(page, k);
		if (cache_entry(0, slot, 0, line)->valid && !sync_sees(page, k))
			m.hw.unsure |= byte_bit(page, k);
	}
}

/* A pin that says "not mapped" must come after this cleaning (I8). */
static void note_clean(const struct entry *e)
{
	if (is_vivt() && e->valid)
		sync_clean(e->page);
}

/* Maintenance is by virtual address; a VIVT cache needs no translation. */
static void line_op(enum pkmap_cache_op op, uint32_t slot, uint32_t line)
{
	const struct op about = {
		.kind = OP_LINE,
		.slot = (uint8_t)slot,
		.line = (uint8_t)line,
	};
	uint32_t cache;
	int page = 0;

	give_way(&about);
	if (!is_vivt())
		page = translate(this_cpu(), slot);
	if (page < 0)
		return;
	log_event(m.current, EVENT_NOTE, "%s slot %u, line %u", op_name(op),
		  slot, line);
	if (is_vivt())
		note_unsure(slot, line);
	if (slot < m.config.nslots && op & PKMAP_CACHE_INVAL)
		note_clean(cache_entry(0, slot, page, line));
	for (cache = 0; cache < m.ncaches; cache++)
		maintain(cache, entry_nr(slot, page, line), op);
}

static void range_op(enum pkmap_cache_op op, const void *addr, size_t bytes)
{
	uintptr_t at = (uintptr_t)addr;
	const uintptr_t end = at + bytes;

	for (; at < end; at += line_bytes())
		line_op(op, slot_of((void *)at),
			(uint32_t)(at & (page_bytes() - 1)) >>
				m.config.line_shift);
}

void check_unsure(int page)
{
	uint32_t k;

	for (k = 0; k < page_bytes(); k++) {
		if (m.hw.unsure & byte_bit(page, k))
			broken(1, VERDICT_DATA_LOSS,
			       "%s may have left behind a store to page %d",
			       m.info[m.current].name, page);
	}
}

/* What is written to a line between the two steps is lost. */
static void clean_in_steps(const void *addr, size_t bytes)
{
	const char *at = addr;

	for (; bytes; bytes -= line_bytes(), at += line_bytes()) {
		range_op(PKMAP_CACHE_CLEAN, at, line_bytes());
		range_op(PKMAP_CACHE_INVAL, at, line_bytes());
	}
}

void cache_clean_inval_range(const void *addr, size_t bytes)
{
	const size_t offset = (uintptr_t)addr & (page_bytes() - 1);

	if (m.config.range_clean == RANGE_ONE_PAGE &&
	    bytes > page_bytes() - offset)
		bytes = page_bytes() - offset;
	if (m.config.range_clean == RANGE_IN_STEPS)
		clean_in_steps(addr, bytes);
	else
		range_op(PKMAP_CACHE_CLEAN_INVAL, addr, bytes);
}

void cache_clean_inval_all(void *port)
{
	uint32_t nr;

	(void)port;
	for (nr = 0; nr < entries(); nr++)
		line_op(PKMAP_CACHE_CLEAN_INVAL, nr / lines_per_page(),
			nr % lines_per_page());
}

static void dma_cache(void *port, enum pkmap_cache_op op, void *addr,
		      size_t bytes)
{
	(void)port;
	range_op(op, addr, bytes);
}

const struct pkmap_dma_ops machine_dma_ops = {
	.cache = dma_cache,
};

/*
 * What the cache does of its own accord.
 */

void cache_evict(uint32_t cache, uint32_t nr)
{
	struct entry *e = &m.hw.cache[cache].entry[nr];

	log_event(-1 - (int)cache, EVENT_NOTE, "evicts line %u of page %u%s",
		  nr % lines_per_page(), e->page,
		  e->dirty ? ", writing it back" : "");
	write_back(e, nr % lines_per_page());
	drop(e);
}

/* Whether a CPU of the cache can translate an address of the entry (*page). */
bool cache_can_fill(uint32_t cache, uint32_t nr, int *page)
{
	uint32_t slot;
	uint32_t cpu;

	for (slot = 0; slot < m.nslots; slot++) {
		for (cpu = 0; cpu < m.config.ncpus; cpu++) {
			*page = m.hw.tlb[cpu][slot] ? m.hw.tlb[cpu][slot] - 1 :
						      m.hw.pte[slot] - 1;
			if (cache_of((int)cpu) == cache && *page >= 0 &&
			    entry_nr(slot, *page, nr % lines_per_page()) == nr)
				return true;
		}
	}
	return false;
}

void cache_fill(uint32_t cache, uint32_t nr)
{
	int page;

	if (!cache_can_fill(cache, nr, &page))
		return;
	log_event(-1 - (int)cache, EVENT_NOTE,
		  "fills line %u of page %d, unasked", nr % lines_per_page(),
		  page);
	fill(cache, nr, page);
}

bool page_is_cached(int page)
{
	const uint32_t end = m.config.nslots * lines_per_page();
	uint32_t nr;

	for (nr = 0; nr < end; nr++) {
		if (m.hw.cache[0].entry[nr].valid &&
		    m.hw.cache[0].entry[nr].page == page)
			return true;
	}
	return false;
}
