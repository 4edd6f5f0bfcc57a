// SPDX-License-Identifier: MIT
/*
 * test_dma_calls.c - DMA calls in the middle of reclaim, of local maps and of
 * each other, operations of the port that fail, lists, and the counters.
 */
#include <setjmp.h>

#include "src/window_priv.h"
#include "dma_recorder.h"
#include "unit_test.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define FROM	      PKMAP_DMA_FROM_DEVICE

/* A buffer of the window's pages, the first of which is number @page. */
static struct pkmap_dma_buffer buffer(pkmap_pfn page, size_t offset, size_t len)
{
	return (struct pkmap_dma_buffer){
		.pfn = DMA_FIRST + page,
		.offset = offset,
		.len = len,
	};
}

static void init_kind(struct dma_recorder *r, enum pkmap_cache_kind kind)
{
	dma_init(r);
	r->f.config.cache.kind = kind;
	if (kind == PKMAP_CACHE_VIPT)
		r->f.config.cache.colours = 4;
}

static struct dma_recorder *recorder_of(struct fake *f)
{
	return (struct dma_recorder *)f;
}

/* From @first on there were @n operations, all of them at @where. */
static void check_where(const struct dma_recorder *r, unsigned int first,
			unsigned int n, enum dma_where where, uint32_t level)
{
	unsigned int i;

	CHECK(r->nlog == first + n);
	for (i = first; i < r->nlog; i++)
		CHECK(r->log[i].where == where && r->log[i].level == level);
}

/* A DMA call for page 0 interrupts an operation on that page. */
struct moment {
	enum pkmap_cache_kind kind;
	enum fake_op op;
	enum dma_where where;
};

static void dma_to_page_0(struct fake *f, const struct fake_event *e)
{
	struct dma_recorder *r = recorder_of(f);

	(void)e;
	dma_one(r, DMA_MAP, buffer(0, 0, DMA_PAGE), FROM);
}

static void check_moment(struct dma_recorder *r, const struct moment *m)
{
	r->f.hook = NULL;
	check_where(r, 0, m->where != DMA_NOWHERE, m->where, 0);
	dma_close(r);
}

static void while_reclaimed(void)
{
	static const struct moment moments[] = {
		{ PKMAP_CACHE_VIVT, FAKE_CLEAN, DMA_AT_PIN },
		{ PKMAP_CACHE_VIVT, FAKE_CLEAR, DMA_NOWHERE },
		{ PKMAP_CACHE_VIVT, FAKE_FLUSH_TLB, DMA_NOWHERE },
		{ PKMAP_CACHE_VIPT, FAKE_CLEAR, DMA_AT_DMA_SLOT },
		{ PKMAP_CACHE_VIPT, FAKE_FLUSH_TLB, DMA_AT_DMA_SLOT },
		{ PKMAP_CACHE_PIPT, FAKE_CLEAR, DMA_AT_DMA_SLOT },
		{ PKMAP_CACHE_PIPT, FAKE_FLUSH_TLB, DMA_AT_DMA_SLOT },
	};
	struct dma_recorder r;
	bool got;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(moments); i++) {
		init_kind(&r, moments[i].kind);
		dma_open(&r);
		fake_touch(&r.f, DMA_FIRST);
		r.f.hook_op = moments[i].op;
		r.f.hook = dma_to_page_0;
		/* A page that was pinned while it was cleaned stays. */
		got = moments[i].where == DMA_AT_PIN;
		CHECK(pkmap_flush_unused(r.f.win) == !got);
		CHECK(!pkmap_pfn_to_addr(r.f.win, DMA_FIRST) == !got);
		check_moment(&r, &moments[i]);
	}
}

/* On VIVT there are lines at a local map's address while it can be used. */
static void while_a_local_map_opens_or_closes(void)
{
	static const struct moment moments[] = {
		{ PKMAP_CACHE_VIVT, FAKE_LOCAL_ENTER, DMA_NOWHERE },
		{ PKMAP_CACHE_VIVT, FAKE_SET, DMA_NOWHERE },
		{ PKMAP_CACHE_VIVT, FAKE_CLEAN, DMA_AT_LOCAL_MAP },
		{ PKMAP_CACHE_VIVT, FAKE_CLEAR, DMA_NOWHERE },
		{ PKMAP_CACHE_VIVT, FAKE_FLUSH_TLB, DMA_NOWHERE },
		{ PKMAP_CACHE_VIVT, FAKE_LOCAL_LEAVE, DMA_NOWHERE },
	};
	struct dma_recorder r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(moments); i++) {
		init_kind(&r, moments[i].kind);
		dma_open(&r);
		r.f.hook_op = moments[i].op;
		r.f.hook = dma_to_page_0;
		fake_local_unmap(&r.f, fake_local_map(&r.f, DMA_FIRST));
		check_moment(&r, &moments[i]);
	}
}

/* Nobody takes a page away while its lines are worked on. */
static void forget_worked_on(struct dma_recorder *r,
			     const struct dma_record *rec)
{
	const pkmap_pfn pfn = (pkmap_pfn)(rec->phys >> DMA_PAGE_SHIFT);

	r->f.any_context = false;
	CHECK(pkmap_forget(r->f.win, pfn, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	r->f.any_context = true;
}

static void held_while_worked_on(void)
{
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	fake_touch_range(&r.f, DMA_FIRST, 3);
	r.hook = forget_worked_on;
	dma_one(&r, DMA_MAP, buffer(0, 1, 3 * DMA_PAGE - 2), FROM);
	check_where(&r, 0, 5, DMA_AT_PIN, 0);
	/* It is not held after the call, while the transfer goes on. */
	CHECK(!pkmap_forget(r.f.win, DMA_FIRST, 3, PKMAP_NOWAIT));
	dma_close(&r);
}

/*
 * A DMA call interrupts another one on the same pages, which are not mapped.
 * It gets a slot of its own while the other has one.
 */
static uint32_t level_of_interrupt;
static unsigned int ninterrupts;

static void dma_to_the_same_pages(struct dma_recorder *r)
{
	const unsigned int nlog = r->nlog;

	ninterrupts++;
	dma_one(r, DMA_MAP, buffer(0, 8, 2 * DMA_PAGE), FROM);
	check_where(r, nlog, 3, DMA_AT_DMA_SLOT, level_of_interrupt);
}

static void interrupt_port(struct fake *f, const struct fake_event *e)
{
	(void)e;
	dma_to_the_same_pages(recorder_of(f));
}

static void interrupt_cache(struct dma_recorder *r,
			    const struct dma_record *rec)
{
	(void)rec;
	dma_to_the_same_pages(r);
}

static void check_interrupted(struct dma_recorder *r)
{
	ninterrupts = 0;
	dma_one(r, DMA_SYNC_FOR_DEVICE, buffer(0, 0, 8), FROM);
	dma_one(r, DMA_SYNC_FOR_DEVICE, buffer(1, 0, 8), FROM);
	CHECK(ninterrupts == 2);
	CHECK(r->nlog == 2 + 3 * ninterrupts);
	CHECK(dma_stats(r).invalidated == 2 * 2 + 8 * ninterrupts);
	r->hook = NULL;
	r->f.hook = NULL;
	dma_close(r);
}

static void a_slot_for_each_level(void)
{
	static const struct {
		enum fake_op op;
		uint32_t level;
	} points[] = {
		{ FAKE_LOCAL_ENTER, 0 }, { FAKE_SET, 1 },
		{ FAKE_LOCAL_CPU, 1 },	 { FAKE_CLEAR, 1 },
		{ FAKE_FLUSH_TLB, 1 },	 { FAKE_LOCAL_LEAVE, 0 },
	};
	struct dma_recorder r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		init_kind(&r, PKMAP_CACHE_VIPT);
		dma_open(&r);
		r.f.hook_op = points[i].op;
		r.f.hook = interrupt_port;
		level_of_interrupt = points[i].level;
		check_interrupted(&r);
	}
	init_kind(&r, PKMAP_CACHE_VIPT);
	dma_open(&r);
	r.hook = interrupt_cache;
	level_of_interrupt = 1;
	check_interrupted(&r);
}

/* Interrupts nest deeper than config.dma_slots allows. */
static void nest(struct dma_recorder *r, const struct dma_record *rec)
{
	const struct pkmap_dma_buffer buf = buffer(5, 0, DMA_PAGE);
	const uint32_t level = rec->level + 1;
	int err;

	r->hook = nest;
	err = dma_call(r, DMA_MAP, &dma_device, &buf, 1, FROM);
	r->hook = NULL;
	CHECK(err == (level < r->f.config.dma_slots ? 0 : PKMAP_EBUSY));
}

static void check_nesting(uint32_t dma_slots)
{
	struct dma_recorder r;
	uint32_t i;

	dma_init(&r);
	r.f.config.dma_slots = dma_slots;
	dma_open(&r);
	r.hook = nest;
	dma_one(&r, DMA_MAP, buffer(0, 0, DMA_PAGE), FROM);
	r.hook = NULL;

	CHECK(r.nlog == dma_slots);
	for (i = 0; i < dma_slots; i++)
		CHECK(r.log[i].level == i);
	CHECK(dma_stats(&r).maps == dma_slots && dma_stats(&r).refused == 1);
	CHECK(fake_stats(&r.f).misuses == 1);
	CHECK(r.f.report.what == PKMAP_MISUSE_LOCAL_DEPTH);
	CHECK(r.f.report.pfn == DMA_FIRST + 5);
	CHECK(!r.f.report.addr && r.f.report.slot == PKMAP_NO_SLOT);
	/* None of the slots is lost. */
	dma_one(&r, DMA_MAP, buffer(0, 0, DMA_PAGE), FROM);
	dma_close(&r);
}

static void deeper_than_there_are_slots(void)
{
	check_nesting(1);
	check_nesting(2);
	check_nesting(4);
}

/*
 * All local slots and all slots for DMA calls of both CPUs are in use for one
 * colour.  The fake port fails the test if two of them are the same.
 */
static void fill_next_dma_slot(struct dma_recorder *r,
			       const struct dma_record *rec)
{
	static const struct {
		int cpu;
		uint32_t level;
	} slots[] = { { 1, 0 }, { 1, 1 }, { 0, 0 }, { 0, 1 } };
	const unsigned int n = r->nlog - 1;

	CHECK(rec->level == slots[n].level && r->f.cpu == slots[n].cpu);
	if (n + 1 == ARRAY_SIZE(slots))
		return;
	r->f.cpu = slots[n + 1].cpu;
	r->hook = fill_next_dma_slot;
	dma_one(r, DMA_MAP, buffer(4, 0, DMA_PAGE), FROM);
	r->f.cpu = slots[n].cpu;
}

static void no_two_share_a_slot(void)
{
	struct dma_recorder r;
	void *addrs[2][3];
	uint32_t i;

	init_kind(&r, PKMAP_CACHE_VIPT);
	dma_open(&r);
	for (r.f.cpu = 0; r.f.cpu < 2; r.f.cpu++) {
		for (i = 0; i < 3; i++)
			addrs[r.f.cpu][i] =
				fake_local_map(&r.f, DMA_FIRST + 4 * i);
	}
	r.f.cpu = 1;
	r.hook = fill_next_dma_slot;
	dma_one(&r, DMA_MAP, buffer(4, 0, DMA_PAGE), FROM);
	CHECK(r.nlog == 4);
	for (r.f.cpu = 0; r.f.cpu < 2; r.f.cpu++) {
		for (i = 3; i-- > 0;)
			fake_local_unmap(&r.f, addrs[r.f.cpu][i]);
	}
	dma_close(&r);
}

/* A window does not end while a slot for DMA calls is in use. */
static void end_window(struct dma_recorder *r, const struct dma_record *rec)
{
	CHECK(rec->where == DMA_AT_DMA_SLOT);
	r->f.any_context = false;
	CHECK(pkmap_fini(r->f.win) == PKMAP_EBUSY);
	CHECK(r->f.report.what == PKMAP_MISUSE_IN_USE);
	r->f.any_context = true;
}

static void fini_refused(void)
{
	struct dma_recorder r;
	int cpu;

	for (cpu = 0; cpu < 2; cpu++) {
		dma_init(&r);
		r.f.cpu = cpu;
		dma_open(&r);
		r.hook = end_window;
		dma_one(&r, DMA_MAP, buffer(0, 0, DMA_PAGE), FROM);
		CHECK(fake_stats(&r.f).misuses == 1);
		dma_close(&r);
	}
}

/* Local maps do not use up the slots for DMA calls. */
static void all_local_slots_in_use(void)
{
	void *addrs[3];
	struct dma_recorder r;
	uint32_t i;

	init_kind(&r, PKMAP_CACHE_VIPT);
	dma_open(&r);
	for (i = 0; i < 3; i++)
		addrs[i] = fake_local_map(&r.f, DMA_FIRST + i);
	dma_one(&r, DMA_MAP, buffer(2, 0, 3 * DMA_PAGE), FROM);
	check_where(&r, 0, 3, DMA_AT_DMA_SLOT, 0);
	for (i = 3; i-- > 0;)
		fake_local_unmap(&r.f, addrs[i]);
	dma_close(&r);
}

static void no_local_slots(void)
{
	static const struct {
		enum pkmap_cache_kind kind;
		unsigned int nops;
	} kinds[] = {
		{ PKMAP_CACHE_VIVT, 0 },
		{ PKMAP_CACHE_VIPT, 3 },
		{ PKMAP_CACHE_PIPT, 3 },
	};
	struct dma_recorder r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		init_kind(&r, kinds[i].kind);
		r.f.config.local_slots = 0;
		dma_open(&r);
		dma_one(&r, DMA_MAP, buffer(2, 0, 3 * DMA_PAGE), FROM);
		check_where(&r, 0, kinds[i].nops, DMA_AT_DMA_SLOT, 0);
		dma_close(&r);
	}
}

/* VIVT needs no slot for DMA calls at all. */
static void vivt_without_slots(void)
{
	struct dma_recorder r;

	init_kind(&r, PKMAP_CACHE_VIVT);
	r.f.config.local_slots = 0;
	r.f.config.dma_slots = 0;
	r.f.config.ncpus = 0;
	dma_open(&r);
	fake_touch(&r.f, DMA_FIRST);
	dma_one(&r, DMA_MAP, buffer(0, 0, 3 * DMA_PAGE), FROM);
	check_where(&r, 0, 1, DMA_AT_PIN, 0);
	CHECK(!r.f.count[FAKE_LOCAL_ENTER] && !r.f.count[FAKE_LOCAL_CPU]);
	dma_close(&r);
}

static void read_only_window(void)
{
	struct dma_recorder r;

	dma_init(&r);
	r.f.config.read_only = true;
	dma_open(&r);
	/* The fake port compares what set() is told. */
	dma_one(&r, DMA_MAP, buffer(0, 0, DMA_PAGE), PKMAP_DMA_TO_DEVICE);
	CHECK(r.f.count[FAKE_SET] == 1);
	dma_close(&r);
}

/* The port fails at the nth page of a buffer. */
static unsigned int pages_left;

static void fail_set(struct fake *f, const struct fake_event *e)
{
	(void)e;
	if (!pages_left--)
		f->set_error = PKMAP_ENOMEM;
}

static void fail_enter(struct fake *f, const struct fake_event *e)
{
	(void)e;
	if (!pages_left--)
		f->enter_error = PKMAP_EIO;
}

static void check_failure(enum dma_moment moment, bool set, unsigned int page)
{
	const struct pkmap_dma_buffer bufs[] = {
		buffer(0, 0, DMA_PAGE),
		buffer(1, 0, 2 * DMA_PAGE),
	};
	struct dma_recorder r;

	dma_init(&r);
	r.f.config.cache.speculative = true;
	dma_open(&r);
	pages_left = page;
	r.f.hook_op = set ? FAKE_SET : FAKE_LOCAL_ENTER;
	r.f.hook = set ? fail_set : fail_enter;
	CHECK(dma_call(&r, moment, &dma_device, bufs, 2, FROM) ==
	      (set ? PKMAP_ENOMEM : PKMAP_EIO));
	CHECK(r.nlog == page);
	CHECK(dma_stats(&r).refused == 1);
	CHECK(!dma_stats(&r).maps && !dma_stats(&r).unmaps &&
	      !dma_stats(&r).syncs && !dma_stats(&r).shared_lines);
	CHECK(!fake_stats(&r.f).misuses);

	r.f.hook = NULL;
	r.f.enter_error = 0;
	dma_clear_log(&r);
	CHECK(!dma_call(&r, moment, &dma_device, bufs, 2, FROM));
	check_where(&r, 0, 3, DMA_AT_DMA_SLOT, 0);
	dma_close(&r);
}

static void port_fails(void)
{
	enum dma_moment moment;
	unsigned int page;

	for (moment = 0; moment < DMA_NMOMENTS; moment++) {
		for (page = 0; page < 3; page++) {
			check_failure(moment, true, page);
			check_failure(moment, false, page);
		}
	}
}

/* A list is worked on as its buffers would be, one after the other. */
static void lists(void)
{
	const struct pkmap_dma_buffer bufs[] = {
		buffer(2, 3, 2 * DMA_PAGE),
		{ .pfn = DMA_LOW_FIRST, .offset = 1, .len = 3 },
		buffer(0, 0, DMA_PAGE),
		buffer(4, 3, 1), /* follows the first, in its last line */
	};
	struct dma_recorder list;
	struct dma_recorder single;
	unsigned int i;

	dma_init(&list);
	dma_init(&single);
	list.has_outer = true;
	single.has_outer = true;
	dma_open(&list);
	dma_open(&single);
	CHECK(!dma_call(&list, DMA_MAP, &dma_device, bufs, 4, FROM));
	for (i = 0; i < 4; i++)
		dma_one(&single, DMA_MAP, bufs[i], FROM);
	CHECK(list.nlog == single.nlog);
	for (i = 0; i < list.nlog; i++) {
		CHECK(list.log[i].op == single.log[i].op);
		CHECK(list.log[i].where == single.log[i].where);
		CHECK(list.log[i].phys == single.log[i].phys);
		CHECK(list.log[i].bytes == single.log[i].bytes);
	}
	dma_close(&list);
	dma_close(&single);
}

static void coherent_device(void)
{
	const struct pkmap_dma_device dev = {
		.addr_mask = UINT32_MAX,
		.coherent = true,
	};
	const struct pkmap_dma_buffer buf = buffer(0, 1, 3 * DMA_PAGE - 2);
	enum pkmap_dma_dir dir = PKMAP_DMA_TO_DEVICE;
	struct pkmap_dma_stats stats;
	enum dma_moment moment;
	struct dma_recorder r;

	dma_init(&r);
	r.f.config.cache.speculative = true;
	r.has_outer = true;
	dma_open(&r);
	for (; dir <= PKMAP_DMA_BIDIRECTIONAL; dir++) {
		for (moment = 0; moment < DMA_NMOMENTS; moment++)
			CHECK(!dma_call(&r, moment, &dev, &buf, 1, dir));
	}
	CHECK(!r.nlog && !r.f.nlog);
	CHECK(!fake_stats(&r.f).pins && !fake_stats(&r.f).pin_misses);
	CHECK(r.nsegs == 1);
	CHECK(r.seg[0].addr == (DMA_FIRST << DMA_PAGE_SHIFT) + 1);
	CHECK(r.seg[0].len == buf.len);
	stats = dma_stats(&r);
	CHECK(stats.maps == 3 && stats.unmaps == 3 && stats.syncs == 6);
	CHECK(!stats.shared_lines && !stats.not_mapped && !stats.refused);
	dma_close(&r);
}

/* What is counted is buffers, but for @refused, which counts calls. */
static void counters_of_calls(void)
{
	const struct pkmap_dma_buffer bufs[] = {
		buffer(0, 0, 4),
		buffer(1, 2, 4),
		buffer(2, 4, 3),
	};
	struct pkmap_dma_stats stats;
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dma_device, bufs, 3, FROM));
	CHECK(!dma_call(&r, DMA_SYNC_FOR_CPU, &dma_device, bufs + 1, 2, FROM));
	CHECK(!dma_call(&r, DMA_SYNC_FOR_DEVICE, &dma_device, bufs, 3, FROM));
	CHECK(!dma_call(&r, DMA_UNMAP, &dma_device, bufs, 3, FROM));
	CHECK(dma_call(&r, DMA_MAP, &dma_device, bufs, 0, FROM) < 0);
	CHECK(dma_call(&r, DMA_UNMAP, &dma_device, bufs, 0, FROM) < 0);
	CHECK(dma_call(&r, DMA_SYNC_FOR_CPU, &dma_device, bufs, 0, FROM) < 0);
	stats = dma_stats(&r);
	CHECK(stats.maps == 3 && stats.unmaps == 3 && stats.syncs == 5);
	CHECK(stats.refused == 3 && !stats.misuses);
	CHECK(stats.shared_lines == 3);
	dma_close(&r);
}

/*
 * Pages that are given away.  With every kind of cache, all their lines are
 * written back and dropped once no slot shows them, in the inner cache first.
 */
static void given_away(enum pkmap_cache_kind kind, bool has_phys)
{
	const uint64_t start = (uint64_t)DMA_FIRST << DMA_PAGE_SHIFT;
	struct dma_recorder r;
	unsigned int i;
	unsigned int n = 0;

	init_kind(&r, kind);
	r.has_phys = has_phys;
	r.has_outer = true;
	dma_open(&r);
	fake_touch_range(&r.f, DMA_FIRST, 3);
	CHECK(!pkmap_dma_forget(r.dma, DMA_FIRST, 2, PKMAP_NOWAIT));
	CHECK(!pkmap_pfn_to_addr(r.f.win, DMA_FIRST));
	CHECK(!pkmap_pfn_to_addr(r.f.win, DMA_FIRST + 1));
	CHECK(pkmap_pfn_to_addr(r.f.win, DMA_FIRST + 2));
	CHECK(r.f.log[r.f.nlog - 2].op == FAKE_CLEAR_NOW);
	if (has_phys) {
		CHECK(r.log[n].where == DMA_BY_PHYS);
		CHECK(r.log[n].phys == start && r.log[n].bytes == 2 * DMA_PAGE);
		n++;
	} else if (kind != PKMAP_CACHE_VIVT) {
		for (; n < 2; n++) {
			CHECK(r.log[n].where == DMA_AT_DMA_SLOT);
			CHECK(r.log[n].phys == start + n * DMA_PAGE);
			CHECK(r.log[n].bytes == DMA_PAGE);
		}
	}
	CHECK(r.log[n].where == DMA_OUTER && r.nlog == n + 1);
	CHECK(r.log[n].phys == start && r.log[n].bytes == 2 * DMA_PAGE);
	for (i = 0; i < r.nlog; i++)
		CHECK(r.log[i].op == PKMAP_CACHE_CLEAN_INVAL);
	dma_close(&r);
}

static void given_away_of_any_kind(void)
{
	given_away(PKMAP_CACHE_PIPT, false);
	given_away(PKMAP_CACHE_PIPT, true);
	given_away(PKMAP_CACHE_VIPT, false);
	given_away(PKMAP_CACHE_VIVT, false);
}

static void not_given_away(void)
{
	const pkmap_pfn end = DMA_FIRST + DMA_NPAGES;
	struct dma_recorder r;
	void *held;

	dma_init(&r);
	r.has_outer = true;
	dma_open(&r);
	fake_touch(&r.f, DMA_FIRST);
	held = fake_map(&r.f, DMA_FIRST + 1);
	CHECK(pkmap_dma_forget(r.dma, DMA_FIRST, 2, PKMAP_NOWAIT) ==
	      PKMAP_EBUSY);
	CHECK(pkmap_pfn_to_addr(r.f.win, DMA_FIRST));
	CHECK(pkmap_dma_forget(r.dma, DMA_FIRST - 1, 2, NULL) == PKMAP_ERANGE);
	CHECK(pkmap_dma_forget(r.dma, end - 1, 2, NULL) == PKMAP_ERANGE);
	CHECK(pkmap_dma_forget(r.dma, end, 1, NULL) == PKMAP_ERANGE);
	CHECK(pkmap_dma_forget(r.dma, DMA_FIRST, PKMAP_NO_PFN, NULL) ==
	      PKMAP_ERANGE);
	CHECK(pkmap_dma_forget(r.dma, DMA_LOW_FIRST, 1, NULL) == PKMAP_ERANGE);
	CHECK(!pkmap_dma_forget(r.dma, DMA_FIRST, 0, NULL));
	CHECK(!r.nlog);
	/* If the port cannot show a page, the call can be made again. */
	r.f.set_error = PKMAP_ENOMEM;
	CHECK(pkmap_dma_forget(r.dma, end - 1, 1, NULL) == PKMAP_ENOMEM);
	CHECK(!pkmap_dma_forget(r.dma, end - 1, 1, NULL));
	CHECK(r.nlog == 2);
	fake_unmap(&r.f, held);
	dma_close(&r);
}

/*
 * While a DMA call of another CPU shows the page in a slot, the page is in use.
 * The end of the call wakes those who wait for it.
 */
static void forget_shown_for_dma(struct dma_recorder *r,
				 const struct dma_record *rec)
{
	const struct pkmap_wait deadline = { .deadline = 1 };
	const pkmap_pfn pfn = (pkmap_pfn)(rec->phys >> DMA_PAGE_SHIFT);

	forget_worked_on(r, rec);
	r->f.any_context = false;
	r->f.cpu = !DMA_CPU;
	CHECK(pkmap_forget(r->f.win, pfn, 1, &deadline) == PKMAP_ETIMEDOUT);
	r->f.cpu = DMA_CPU;
	r->f.any_context = true;
	/* As if somebody still waited. */
	pkmap_a32_store_relaxed(&r->f.win->waiters, 1);
}

static void shown_for_dma(void)
{
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	r.hook = forget_shown_for_dma;
	dma_one(&r, DMA_MAP, buffer(0, 0, DMA_PAGE), FROM);
	check_where(&r, 0, 1, DMA_AT_DMA_SLOT, 0);
	CHECK(r.f.count[FAKE_WAIT] == 1 && r.f.count[FAKE_WAKE] == 1);
	pkmap_a32_store_relaxed(&r.f.win->waiters, 0);
	CHECK(!pkmap_forget(r.f.win, DMA_FIRST, 1, PKMAP_NOWAIT));
	dma_close(&r);
}

/* A page that the port could not set is not shown. */
static void not_shown_for_dma(void)
{
	const struct pkmap_dma_buffer buf = buffer(0, 0, DMA_PAGE);
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	r.f.set_error = PKMAP_ENOMEM;
	CHECK(dma_call(&r, DMA_MAP, &dma_device, &buf, 1, FROM) ==
	      PKMAP_ENOMEM);
	CHECK(!pkmap_forget(r.f.win, DMA_FIRST, 1, PKMAP_NOWAIT));
	dma_close(&r);
}

/* A CPU stops in the middle of a call. */
static jmp_buf stopped;

static void stop_here(struct dma_recorder *r, const struct dma_record *rec)
{
	(void)r;
	(void)rec;
	longjmp(stopped, 1);
}

static void abandoned(void)
{
	const struct pkmap_dma_buffer buf = buffer(0, 0, DMA_PAGE);
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	r.hook = stop_here;
	if (!setjmp(stopped)) {
		dma_call(&r, DMA_MAP, &dma_device, &buf, 1, FROM);
		CHECK(false);
	}
	r.hook = NULL;
	r.f.any_context = false;
	pkmap_local_abandon(r.f.win, DMA_CPU);
	CHECK(r.f.count[FAKE_REPORT] == 1);
	CHECK(r.f.report.what == PKMAP_MISUSE_LOCAL_LEFT);
	CHECK(r.f.report.pfn == DMA_FIRST);
	CHECK(!pkmap_forget(r.f.win, DMA_FIRST, 1, PKMAP_NOWAIT));
	r.f.entered[DMA_CPU] = 0;
	dma_one(&r, DMA_MAP, buf, FROM);
	check_where(&r, 1, 1, DMA_AT_DMA_SLOT, 0);
	dma_one(&r, DMA_UNMAP, buf, FROM);
	dma_close(&r);
}

static void unknown_cpu(void)
{
	const struct pkmap_dma_buffer buf = buffer(0, 0, DMA_PAGE);
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	r.f.cpu = 2;
	CHECK(dma_call(&r, DMA_MAP, &dma_device, &buf, 1, FROM) ==
	      PKMAP_EINVAL);
	CHECK(r.f.report.what == PKMAP_MISUSE_CPU);
	r.f.cpu = DMA_CPU;
	dma_close(&r);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(given_away_of_any_kind),
	UNIT_TEST(not_given_away),
	UNIT_TEST(shown_for_dma),
	UNIT_TEST(not_shown_for_dma),
	UNIT_TEST(abandoned),
	UNIT_TEST(unknown_cpu),
	UNIT_TEST(while_reclaimed),
	UNIT_TEST(while_a_local_map_opens_or_closes),
	UNIT_TEST(held_while_worked_on),
	UNIT_TEST(a_slot_for_each_level),
	UNIT_TEST(deeper_than_there_are_slots),
	UNIT_TEST(no_two_share_a_slot),
	UNIT_TEST(fini_refused),
	UNIT_TEST(all_local_slots_in_use),
	UNIT_TEST(no_local_slots),
	UNIT_TEST(vivt_without_slots),
	UNIT_TEST(read_only_window),
	UNIT_TEST(port_fails),
	UNIT_TEST(lists),
	UNIT_TEST(coherent_device),
	UNIT_TEST(counters_of_calls),
	{ 0 },
};
