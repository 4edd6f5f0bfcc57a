// SPDX-License-Identifier: MIT
/*
 * test_dma_lines.c - which lines each DMA call works on, with what, and where:
 * for every row of the table in dma.h, every kind of cache, and every buffer in
 * three small pages.
 */
#include "dma_recorder.h"
#include "unit_test.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MAX_PAGES     3u
#define MAX_LINES     (MAX_PAGES * 4) /* of the buffer's pages */
#define NOTHING	      ((enum pkmap_cache_op)0)

/* The table of dma.h, once more. */
struct row {
	enum pkmap_dma_dir dir;
	bool before;
	bool speculative;
	enum pkmap_cache_op whole;
	enum pkmap_cache_op shared;
};

#define TO	    PKMAP_DMA_TO_DEVICE
#define FROM	    PKMAP_DMA_FROM_DEVICE
#define BIDI	    PKMAP_DMA_BIDIRECTIONAL
#define CLEAN	    PKMAP_CACHE_CLEAN
#define INVAL	    PKMAP_CACHE_INVAL
#define CLEAN_INVAL PKMAP_CACHE_CLEAN_INVAL

/* clang-format off */
static const struct row table[] = {
	/*	before	speculative	whole		shared */
	{ TO,	true,	false,		CLEAN,		CLEAN },
	{ TO,	true,	true,		CLEAN,		CLEAN },
	{ TO,	false,	false,		NOTHING,	NOTHING },
	{ TO,	false,	true,		NOTHING,	NOTHING },
	{ FROM,	true,	false,		INVAL,		CLEAN_INVAL },
	{ FROM,	true,	true,		INVAL,		CLEAN_INVAL },
	{ FROM,	false,	false,		NOTHING,	CLEAN_INVAL },
	{ FROM,	false,	true,		INVAL,		CLEAN_INVAL },
	{ BIDI,	true,	false,		CLEAN_INVAL,	CLEAN_INVAL },
	{ BIDI,	true,	true,		CLEAN_INVAL,	CLEAN_INVAL },
	{ BIDI,	false,	false,		NOTHING,	CLEAN_INVAL },
	{ BIDI,	false,	true,		INVAL,		CLEAN_INVAL },
};
/* clang-format on */

struct cache {
	enum pkmap_cache_kind kind;
	uint32_t colours;
	bool phys;
};

static const struct cache vivt = { PKMAP_CACHE_VIVT, 0, false };
static const struct cache aliasing = { PKMAP_CACHE_VIPT, 4, false };
static const struct cache vipt = { PKMAP_CACHE_VIPT, 0, false };
static const struct cache pipt = { PKMAP_CACHE_PIPT, 0, false };
static const struct cache aliasing_phys = { PKMAP_CACHE_VIPT, 4, true };
static const struct cache pipt_phys = { PKMAP_CACHE_PIPT, 0, true };

static const struct cache *const caches[] = {
	&vivt, &aliasing, &vipt, &pipt, &aliasing_phys, &pipt_phys,
};

/* How a page is found. */
enum page_state {
	LOW,
	IN_USE,
	IDLE,
	NOT_MAPPED,
	LOCAL_MAP,	 /* open on this CPU */
	LOCAL_ELSEWHERE, /* on the other one */
	NPAGE_STATES,
};

/* A recorder, and the pages that the buffers of a test lie in. */
struct bench {
	struct dma_recorder r;
	enum page_state state[MAX_PAGES];
	void *addr[MAX_PAGES];
};

static pkmap_pfn first_page(const struct bench *b)
{
	return b->state[0] == LOW ? DMA_LOW_FIRST + 1 : DMA_FIRST + 1;
}

static void prepare_page(struct bench *b, uint32_t i)
{
	const pkmap_pfn pfn = first_page(b) + i;
	struct fake *f = &b->r.f;

	switch (b->state[i]) {
	case IN_USE:
		b->addr[i] = fake_map(f, pfn);
		break;
	case IDLE:
		fake_touch(f, pfn);
		break;
	case LOCAL_ELSEWHERE:
		f->cpu = !DMA_CPU;
		b->addr[i] = fake_local_map(f, pfn);
		f->cpu = DMA_CPU;
		break;
	case LOCAL_MAP:
		b->addr[i] = fake_local_map(f, pfn);
		break;
	default:
		break;
	}
}

static void let_go_of_page(struct bench *b, uint32_t i)
{
	struct fake *f = &b->r.f;

	switch (b->state[i]) {
	case IN_USE:
		fake_unmap(f, b->addr[i]);
		break;
	case LOCAL_ELSEWHERE:
		f->cpu = !DMA_CPU;
		fake_local_unmap(f, b->addr[i]);
		f->cpu = DMA_CPU;
		break;
	case LOCAL_MAP:
		fake_local_unmap(f, b->addr[i]);
		break;
	default:
		break;
	}
}

static void init_bench(struct bench *b, const struct cache *cache,
		       const enum page_state *state)
{
	dma_init(&b->r);
	b->r.f.config.cache.kind = cache->kind;
	b->r.f.config.cache.colours = cache->colours;
	b->r.has_phys = cache->phys;
	memcpy(b->state, state, sizeof(b->state));
}

static void open_bench(struct bench *b)
{
	uint32_t i;

	dma_open(&b->r);
	for (i = 0; i < MAX_PAGES; i++)
		prepare_page(b, i);
}

static void close_bench(struct bench *b)
{
	uint32_t i;

	for (i = MAX_PAGES; i-- > 0;)
		let_go_of_page(b, i);
	dma_close(&b->r);
}

/* What has to be done to each line of the pages, and where. */
struct expected {
	enum pkmap_cache_op inner[MAX_LINES];
	enum dma_where where[MAX_LINES];
	enum pkmap_cache_op outer[MAX_LINES];
	uint32_t shared; /* lines that are the buffer's in part */
	bool looked_up[MAX_PAGES];
};

static uint32_t lines_per_page(const struct bench *b)
{
	return (uint32_t)(((size_t)1 << b->r.f.config.page_shift) /
			  b->r.config.line_bytes);
}

/* The bytes of line @k that are the buffer's, @start to @end of the pages. */
static size_t bytes_of_line(const struct bench *b, uint32_t k, size_t start,
			    size_t end)
{
	const size_t line = b->r.config.line_bytes;
	size_t n = 0;
	size_t i;

	for (i = k * line; i < (k + 1) * line; i++)
		n += i >= start && i < end;
	return n;
}

static enum dma_where where_expected(const struct bench *b, uint32_t page)
{
	const bool is_vivt = b->r.f.config.cache.kind == PKMAP_CACHE_VIVT;

	if (b->r.has_phys)
		return DMA_BY_PHYS;
	switch (b->state[page]) {
	case LOW:
		return DMA_AT_LOW;
	case IN_USE:
	case IDLE:
		return DMA_AT_PIN;
	case LOCAL_MAP:
		return is_vivt ? DMA_AT_LOCAL_MAP : DMA_AT_DMA_SLOT;
	default:
		return is_vivt ? DMA_NOWHERE : DMA_AT_DMA_SLOT;
	}
}

static void expect(const struct bench *b, const struct row *row, size_t start,
		   size_t end, struct expected *e)
{
	const uint32_t per_page = lines_per_page(b);
	enum pkmap_cache_op op;
	uint32_t page;
	uint32_t k;
	size_t n;

	memset(e, 0, sizeof(*e));
	for (k = 0; k < MAX_PAGES * per_page; k++) {
		page = k / per_page;
		n = bytes_of_line(b, k, start, end);
		if (!n)
			continue;
		e->shared += n < b->r.config.line_bytes;
		op = n < b->r.config.line_bytes ? row->shared : row->whole;
		if (b->r.has_outer)
			e->outer[k] = op;
		if (op == NOTHING)
			continue;
		e->looked_up[page] = !b->r.has_phys && b->state[page] != LOW;
		e->where[k] = where_expected(b, page);
		if (e->where[k] != DMA_NOWHERE)
			e->inner[k] = op;
	}
}

/* What the log says was done to each line, and by which record. */
struct seen {
	enum pkmap_cache_op op[MAX_LINES];
	enum dma_where where[MAX_LINES];
	unsigned int record[MAX_LINES];
	unsigned int nrecords;
};

/* Of the outer cache, or of the inner ones; no line twice. */
static void read_log(const struct bench *b, bool outer, struct seen *s)
{
	const uint64_t base = (uint64_t)first_page(b)
			      << b->r.f.config.page_shift;
	const uint64_t line = b->r.config.line_bytes;
	const struct dma_record *rec;
	unsigned int i;
	uint64_t at;
	uint64_t k;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < b->r.nlog; i++) {
		rec = &b->r.log[i];
		if ((rec->where == DMA_OUTER) != outer)
			continue;
		CHECK(!rec->level);
		CHECK(rec->phys >= base);
		s->nrecords++;
		for (at = 0; at < rec->bytes; at += line) {
			k = (rec->phys + at - base) / line;
			CHECK(k < MAX_LINES && s->op[k] == NOTHING);
			s->op[k] = rec->op;
			s->where[k] = rec->where;
			s->record[k] = i;
		}
	}
}

/* How many operations it takes: one for adjacent lines with the same. */
static unsigned int runs(const enum pkmap_cache_op *op, uint32_t nlines,
			 uint32_t lines_in_one)
{
	unsigned int n = 0;
	uint32_t k;

	for (k = 0; k < nlines; k++)
		n += op[k] != NOTHING &&
		     (!k || op[k] != op[k - 1] || !(k % lines_in_one));
	return n;
}

static void check_log(const struct bench *b, const struct expected *e,
		      bool before)
{
	const uint32_t per_page = lines_per_page(b);
	const uint32_t nlines = MAX_PAGES * per_page;
	struct seen inner;
	struct seen outer;
	uint32_t k;

	read_log(b, false, &inner);
	read_log(b, true, &outer);
	for (k = 0; k < nlines; k++) {
		CHECK(inner.op[k] == e->inner[k]);
		CHECK(outer.op[k] == e->outer[k]);
		if (inner.op[k] == NOTHING)
			continue;
		CHECK(inner.where[k] == e->where[k]);
		if (outer.op[k] != NOTHING)
			CHECK((inner.record[k] < outer.record[k]) == before);
	}
	CHECK(inner.nrecords ==
	      runs(e->inner, nlines, b->r.has_phys ? nlines : per_page));
	CHECK(outer.nrecords == runs(e->outer, nlines, nlines));
}

/* Each page is looked up once, and a slot is set once for those that need it. */
static void check_look_ups(const struct bench *b, const struct expected *e,
			   const struct pkmap_dma_stats *old,
			   const struct pkmap_dma_stats *now,
			   unsigned long npins)
{
	unsigned long found[NPAGE_STATES] = { 0 };
	unsigned long nslots = 0;
	uint32_t page;

	for (page = 0; page < MAX_PAGES; page++) {
		if (!e->looked_up[page])
			continue;
		found[b->state[page]]++;
		nslots += where_expected(b, page) == DMA_AT_DMA_SLOT;
	}
	CHECK(b->r.f.count[FAKE_SET] == nslots);
	CHECK(b->r.f.count[FAKE_LOCAL_ENTER] == nslots);
	CHECK(now->in_use - old->in_use == found[IN_USE]);
	CHECK(now->idle - old->idle == found[IDLE]);
	CHECK(now->not_mapped - old->not_mapped ==
	      found[NOT_MAPPED] + found[LOCAL_MAP] + found[LOCAL_ELSEWHERE]);
	CHECK(npins == found[IN_USE] + found[IDLE] + found[NOT_MAPPED] +
			       found[LOCAL_MAP] + found[LOCAL_ELSEWHERE]);
}

static unsigned long nlines_with(const struct expected *e,
				 enum pkmap_cache_op op)
{
	unsigned long n = 0;
	uint32_t k;

	for (k = 0; k < MAX_LINES; k++)
		n += e->inner[k] == op;
	return n;
}

static void check_line_counts(const struct expected *e, const struct row *row,
			      enum dma_moment moment,
			      const struct pkmap_dma_stats *old,
			      const struct pkmap_dma_stats *now)
{
	const bool counts = moment == DMA_MAP && row->dir != TO;

	CHECK(now->cleaned - old->cleaned == nlines_with(e, CLEAN));
	CHECK(now->invalidated - old->invalidated == nlines_with(e, INVAL));
	CHECK(now->clean_invalidated - old->clean_invalidated ==
	      nlines_with(e, CLEAN_INVAL));
	CHECK(now->shared_lines - old->shared_lines ==
	      (counts ? e->shared : 0));
}

static unsigned long npins(struct bench *b)
{
	struct pkmap_stats stats = fake_stats(&b->r.f);

	return stats.pins + stats.pin_misses;
}

/* Makes a call for bytes @start to @end of the pages, and checks all of it. */
static void check_call(struct bench *b, const struct row *row,
		       enum dma_moment moment, size_t start, size_t end)
{
	const uint32_t shift = b->r.f.config.page_shift;
	const struct pkmap_dma_buffer buf = {
		.pfn = first_page(b) + (start >> shift),
		.offset = start & (((size_t)1 << shift) - 1),
		.len = end - start,
	};
	const struct pkmap_dma_stats old = dma_stats(&b->r);
	const unsigned long old_pins = npins(b);
	struct pkmap_dma_stats now;
	struct expected e;

	dma_clear_log(&b->r);
	dma_one(&b->r, moment, buf, row->dir);
	now = dma_stats(&b->r);
	expect(b, row, start, end, &e);
	check_log(b, &e, row->before);
	check_look_ups(b, &e, &old, &now, npins(b) - old_pins);
	check_line_counts(&e, row, moment, &old, &now);
}

static bool fits(const struct row *row, const struct bench *b,
		 enum dma_moment moment)
{
	return row->speculative == b->r.f.config.cache.speculative &&
	       row->before == dma_is_before(moment);
}

/* Every buffer that starts in the first page. */
static void check_all_buffers(struct bench *b, const struct row *row,
			      enum dma_moment moment)
{
	const size_t page = (size_t)1 << b->r.f.config.page_shift;
	size_t start;
	size_t end;

	for (start = 0; start < page; start++) {
		for (end = start + 1; end <= MAX_PAGES * page; end++)
			check_call(b, row, moment, start, end);
	}
}

static void check_table(struct bench *b)
{
	enum dma_moment moment;
	uint32_t i;

	open_bench(b);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		for (moment = 0; moment < DMA_NMOMENTS; moment++) {
			if (fits(&table[i], b, moment))
				check_all_buffers(b, &table[i], moment);
		}
	}
	close_bench(b);
}

static const enum page_state low_memory[] = { LOW, LOW, LOW };
static const enum page_state high_memory[] = { IN_USE, NOT_MAPPED, IDLE };

/* A VIVT cache does not speculate: pkmap_init() refuses one that does. */
static void check_cache(const struct cache *cache)
{
	const enum page_state *const memory[] = { low_memory, high_memory };
	struct bench b;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		init_bench(&b, cache, memory[i & 1]);
		b.r.has_outer = i & 2;
		b.r.f.config.cache.speculative = i & 4;
		if (cache->kind != PKMAP_CACHE_VIVT || !(i & 4))
			check_table(&b);
	}
}

static void table_vivt(void)
{
	check_cache(&vivt);
}

static void table_aliasing_vipt(void)
{
	check_cache(&aliasing);
}

static void table_vipt(void)
{
	check_cache(&vipt);
}

static void table_pipt(void)
{
	check_cache(&pipt);
}

static void table_by_physical_address(void)
{
	check_cache(&aliasing_phys);
	check_cache(&pipt_phys);
}

/* Lines of one byte share nothing; a page of one line has nothing between. */
static void lines_as_short_and_long_as_can_be(void)
{
	static const struct {
		uint32_t page_shift;
		size_t line_bytes;
	} sizes[] = { { 2, 1 }, { 2, 4 }, { 3, 8 } };
	struct bench b;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		init_bench(&b, &pipt, high_memory);
		b.r.f.config.page_shift = sizes[i].page_shift;
		b.r.config.line_bytes = sizes[i].line_bytes;
		b.r.config.low_bytes = 0;
		check_table(&b);
	}
}

/* Every mixture of pages in one buffer, on every cache. */
static void mixed_pages(void)
{
	const uint32_t nstates = NPAGE_STATES - 1; /* not low memory */
	const struct row *row = &table[4];
	enum page_state state[MAX_PAGES];
	struct bench b;
	uint32_t mix;
	uint32_t c;

	for (c = 0; c < ARRAY_SIZE(caches); c++) {
		for (mix = 0; mix < nstates * nstates * nstates; mix++) {
			state[0] = 1 + mix % nstates;
			state[1] = 1 + mix / nstates % nstates;
			state[2] = 1 + mix / nstates / nstates;
			init_bench(&b, caches[c], state);
			b.r.has_outer = true;
			open_bench(&b);
			check_call(&b, row, DMA_MAP, 1,
				   MAX_PAGES * DMA_PAGE - 1);
			close_bench(&b);
		}
	}
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(table_vivt),
	UNIT_TEST(table_aliasing_vipt),
	UNIT_TEST(table_vipt),
	UNIT_TEST(table_pipt),
	UNIT_TEST(table_by_physical_address),
	UNIT_TEST(lines_as_short_and_long_as_can_be),
	UNIT_TEST(mixed_pages),
	{ 0 },
};
