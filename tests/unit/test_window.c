// SPDX-License-Identifier: MIT
/*
 * test_window.c - making and ending a window: what is refused, and its size.
 */
#include "tests/fake/fake_port.h"
#include "unit_test.h"

#include <stdlib.h>

/* Each changes one thing that makes a valid configuration invalid. */
static struct pkmap_ops ops;

static void no_ops(struct pkmap_config *c)
{
	c->ops = NULL;
}

static void no_set(struct pkmap_config *c)
{
	(void)c;
	ops.set = NULL;
}

static void no_clear(struct pkmap_config *c)
{
	(void)c;
	ops.clear = NULL;
}

static void no_lock(struct pkmap_config *c)
{
	(void)c;
	ops.lock = NULL;
}

static void no_trylock(struct pkmap_config *c)
{
	(void)c;
	ops.trylock = NULL;
}

static void no_unlock(struct pkmap_config *c)
{
	(void)c;
	ops.unlock = NULL;
}

static void no_wait(struct pkmap_config *c)
{
	(void)c;
	ops.wait = NULL;
}

static void no_wake(struct pkmap_config *c)
{
	(void)c;
	ops.wake = NULL;
}

static void no_local_enter(struct pkmap_config *c)
{
	(void)c;
	ops.local_enter = NULL;
}

static void no_local_cpu(struct pkmap_config *c)
{
	(void)c;
	ops.local_cpu = NULL;
}

static void no_local_leave(struct pkmap_config *c)
{
	(void)c;
	ops.local_leave = NULL;
}

static void vivt_without_clean(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIVT;
	ops.cache_clean_inval = NULL;
}

static void vivt_without_clean_all(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIVT;
	c->cache.whole_bytes = FAKE_PAGE;
	ops.cache_clean_inval_all = NULL;
}

static void vivt_speculative(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIVT;
	c->cache.speculative = true;
}

static void vivt_colours(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIVT;
	c->cache.colours = 2;
}

static void pipt_colours(struct pkmap_config *c)
{
	c->cache.colours = 2;
}

static void colours_not_power_of_two(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	c->cache.colours = 3;
	c->nslots = 6;
	c->base = (void *)(12 * FAKE_PAGE);
	c->local_base = (void *)(24 * FAKE_PAGE);
}

static void guard_and_colours(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	c->cache.colours = 2;
	c->guard = true;
}

static void unknown_cache(struct pkmap_config *c)
{
	c->cache.kind = (enum pkmap_cache_kind)(PKMAP_CACHE_VIVT + 1);
}

static void no_slots(struct pkmap_config *c)
{
	c->nslots = 0;
}

static void too_many_slots(struct pkmap_config *c)
{
	c->page_shift = 1;
	c->nslots = 1u << 30;
}

static void slots_not_of_each_colour(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	c->cache.colours = 4;
	c->nslots = 6;
}

static void no_page_size(struct pkmap_config *c)
{
	c->page_shift = 0;
}

static void huge_page_size(struct pkmap_config *c)
{
	c->page_shift = 31;
	c->base = (void *)((uintptr_t)1 << 31);
	c->nslots = 1;
	c->local_slots = 0;
}

static void no_pages(struct pkmap_config *c)
{
	c->npages = 0;
}

static void pages_wrap(struct pkmap_config *c)
{
	c->first_pfn = PKMAP_NO_PFN - 3;
	c->npages = 4;
}

static void no_base(struct pkmap_config *c)
{
	c->base = NULL;
}

static void base_unaligned(struct pkmap_config *c)
{
	c->base = (char *)c->base + FAKE_PAGE / 2;
}

static void base_of_wrong_colour(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	c->cache.colours = 4;
	c->base = (char *)c->base + FAKE_PAGE;
}

static void slots_wrap(struct pkmap_config *c)
{
	c->base = (void *)(UINTPTR_MAX - 3 * FAKE_PAGE + 1);
}

static void big_batch(struct pkmap_config *c)
{
	c->batch = c->nslots + 1;
}

static void local_base_unaligned(struct pkmap_config *c)
{
	c->local_base = (char *)c->local_base + FAKE_PAGE / 2;
}

static void no_local_base(struct pkmap_config *c)
{
	c->local_base = NULL;
}

static void local_slots_wrap(struct pkmap_config *c)
{
	c->local_base = (void *)(UINTPTR_MAX - 7 * FAKE_PAGE + 1);
}

static void local_slots_of_no_cpu(struct pkmap_config *c)
{
	c->ncpus = 0;
}

/* What is checked of local slots is also checked of slots for DMA calls. */
static void dma_slots_without_local_enter(struct pkmap_config *c)
{
	c->local_slots = 0;
	c->dma_slots = 1;
	ops.local_enter = NULL;
}

static void dma_slots_of_no_cpu(struct pkmap_config *c)
{
	c->local_slots = 0;
	c->dma_slots = 1;
	c->ncpus = 0;
}

static void too_many_cpus(struct pkmap_config *c)
{
	c->ncpus = 65537;
}

static void dma_slots_without_base(struct pkmap_config *c)
{
	c->local_slots = 0;
	c->dma_slots = 1;
	c->local_base = NULL;
}

static void dma_slots_wrap(struct pkmap_config *c)
{
	c->local_slots = 2;
	c->dma_slots = 2;
	c->local_base = (void *)(UINTPTR_MAX - 8 * FAKE_PAGE + 1);
}

static void local_slots_of_colours_wrap(struct pkmap_config *c)
{
	c->cache.kind = PKMAP_CACHE_VIPT;
	c->cache.colours = 4;
	c->local_base = (void *)(UINTPTR_MAX - 28 * FAKE_PAGE + 1);
}

static void too_many_local_slots(struct pkmap_config *c)
{
	c->local_slots = 1025;
}

static void too_many_dma_slots(struct pkmap_config *c)
{
	c->dma_slots = 1021;
}

static void dma_slots_overflow(struct pkmap_config *c)
{
	c->dma_slots = UINT32_MAX;
}

static void (*const wrong[])(struct pkmap_config *c) = {
	no_ops,
	no_set,
	no_clear,
	no_lock,
	no_trylock,
	no_unlock,
	no_wait,
	no_wake,
	no_local_enter,
	no_local_cpu,
	no_local_leave,
	vivt_without_clean,
	vivt_without_clean_all,
	vivt_speculative,
	vivt_colours,
	pipt_colours,
	colours_not_power_of_two,
	guard_and_colours,
	unknown_cache,
	no_slots,
	too_many_slots,
	slots_not_of_each_colour,
	no_page_size,
	huge_page_size,
	no_pages,
	pages_wrap,
	no_base,
	base_unaligned,
	base_of_wrong_colour,
	slots_wrap,
	big_batch,
	local_base_unaligned,
	no_local_base,
	local_slots_wrap,
	local_slots_of_no_cpu,
	dma_slots_without_local_enter,
	dma_slots_of_no_cpu,
	too_many_cpus,
	dma_slots_without_base,
	dma_slots_wrap,
	local_slots_of_colours_wrap,
	too_many_local_slots,
	too_many_dma_slots,
	dma_slots_overflow,
};

static void init_refuses(void)
{
	static _Alignas(PKMAP_ALIGN) unsigned char mem[16384];
	struct pkmap_window *win = NULL;
	struct fake f;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fake_init(&f);
		ops = *f.config.ops;
		f.config.ops = &ops;
		CHECK(pkmap_size(&f.config));
		wrong[i](&f.config);
		CHECK(!pkmap_size(&f.config));
		CHECK(pkmap_init(mem, &f.config, &win) == PKMAP_EINVAL);
		CHECK(!win);
	}
	fake_init(&f);
	CHECK(!pkmap_size(NULL));
	CHECK(pkmap_init(NULL, &f.config, &win) == PKMAP_EINVAL);
	CHECK(pkmap_init(mem + 8, &f.config, &win) == PKMAP_EINVAL);
	CHECK(!win);
	CHECK(!pkmap_init(mem, &f.config, &win));
}

/* What is optional may be missing, and values at their limits are accepted. */
static void init_accepts(void)
{
	struct fake f;

	fake_init(&f);
	ops = *f.config.ops;
	ops.flush_tlb = NULL;
	ops.cache_clean_inval = NULL;
	ops.cache_clean_inval_all = NULL;
	ops.report = NULL;
	f.config.ops = &ops;
	f.config.batch = f.config.nslots;
	f.config.first_pfn = PKMAP_NO_PFN - f.config.npages;
	CHECK(pkmap_size(&f.config));

	f.config.cache.colours = 1;
	CHECK(pkmap_size(&f.config));
	f.config.page_shift = 1;
	CHECK(pkmap_size(&f.config));

	f.config.ncpus = 65536;
	CHECK(pkmap_size(&f.config));
	f.config.ncpus = 2;

	f.config.dma_slots = 1020;
	CHECK(pkmap_size(&f.config));
	f.config.local_slots = 0;
	CHECK(pkmap_size(&f.config));

	f.config.dma_slots = 0;
	f.config.ncpus = 0;
	f.config.local_base = NULL;
	ops.local_enter = NULL;
	ops.local_cpu = NULL;
	ops.local_leave = NULL;
	CHECK(pkmap_size(&f.config));

	f.config.page_shift = 30;
	f.config.base = (void *)((uintptr_t)1 << 30);
	f.config.nslots = 1;
	f.config.batch = 0;
	CHECK(pkmap_size(&f.config));
}

static void init_calls_nothing(void)
{
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	CHECK(!f.nlog);
	CHECK(!fake_stats(&f).hits && !fake_stats(&f).misses);
	fake_check_index(&f);
	fake_close(&f);
}

#define SLOT_BYTES  ((sizeof(void *) == 8 ? 20u : 16u) + PKMAP_WORD_BYTES)
#define LOCAL_BYTES 24u
#define DMA_BYTES   sizeof(pkmap_pfn)
#define REST_BYTES  1024u
#define CPU_BYTES   128u

static size_t size_with(uint32_t nslots, uint32_t local_slots, uint32_t ncpus)
{
	struct fake f;
	size_t size;

	fake_init(&f);
	f.config.nslots = nslots;
	f.config.local_slots = local_slots;
	f.config.ncpus = ncpus;
	size = pkmap_size(&f.config);
	CHECK(size);
	return size;
}

static void check_size(uint32_t nslots)
{
	/* Each array is rounded up to whole cache lines. */
	const size_t constant = size_with(1, 0, 0) + 2 * PKMAP_ALIGN;

	CHECK(size_with(nslots, 0, 0) <=
	      constant + (size_t)SLOT_BYTES * nslots);
}

static void size_per_slot(void)
{
	uint32_t nslots;

	CHECK(size_with(1, 0, 0) < 8192);
	for (nslots = 1; nslots <= 1025; nslots++)
		check_size(nslots);
	for (nslots = 2048; nslots <= 1u << 18; nslots <<= 1) {
		check_size(nslots - 1);
		check_size(nslots);
		check_size(nslots + 1);
	}
}

static void size_per_local_slot(void)
{
	const size_t none = size_with(4, 0, 0);
	uint32_t local_slots;

	for (local_slots = 1; local_slots <= 64; local_slots++)
		CHECK(size_with(4, local_slots, 64) - none <=
		      64 * (local_slots * LOCAL_BYTES + CPU_BYTES));
}

static void size_with_dma_slots(void)
{
	struct fake f;
	size_t size;

	fake_init(&f);
	f.config.local_slots = 0;
	f.config.ncpus = 64;
	for (f.config.dma_slots = 1; f.config.dma_slots <= 64;
	     f.config.dma_slots++) {
		size = pkmap_size(&f.config);
		CHECK(size && size - size_with(4, 0, 0) <=
				      64 * (f.config.dma_slots * DMA_BYTES +
					    CPU_BYTES));
	}
}

/* A window of one slot, with as few copies of the counters as there can be. */
static void size_with_copies(void)
{
	struct fake f;
	size_t least;

	fake_init(&f);
	f.config.nslots = 1;
	f.config.local_slots = 0;
	f.config.counter_copies = 1;
	least = pkmap_size(&f.config);
	CHECK(least && least <= SLOT_BYTES + PKMAP_ALIGN + REST_BYTES);
	for (; f.config.counter_copies <= PKMAP_CPU_HINTS;
	     f.config.counter_copies *= 2)
		CHECK(pkmap_size(&f.config) - least ==
		      (f.config.counter_copies - 1) * PKMAP_ALIGN);
	CHECK(!pkmap_size(&f.config));
	f.config.counter_copies = 3;
	CHECK(!pkmap_size(&f.config));
	f.config.counter_copies = 0;
	CHECK(pkmap_size(&f.config) == size_with(1, 0, 0));
}

/* All that is counted is in the copies that there are. */
static void counts_in_one_copy(void)
{
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.counter_copies = 1;
	fake_open(&f);
	for (i = 0; i < 5; i++)
		fake_touch(&f, 3);
	fake_unmap(&f, fake_pin(&f, 3));
	CHECK(fake_stats(&f).misses == 1);
	CHECK(fake_stats(&f).hits == 4 && fake_stats(&f).pins == 1);
	fake_close(&f);
}

/*
 * Slots with a guard page behind each.  An address in a guard page is not that
 * of a slot. (The fake port checks the addresses of all operations.)
 */
static void guard_pages(void)
{
	struct fake f;
	char *addr;
	char *outer;
	char *local;
	uint32_t slot;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	f.config.guard = true;
	fake_open(&f);
	for (slot = 0; slot < f.config.nslots; slot++) {
		addr = fake_map(&f, slot);
		CHECK(((uintptr_t)addr - FAKE_BASE) % (2 * FAKE_PAGE) == 0);
		CHECK(pkmap_addr_to_pfn(f.win, addr + FAKE_PAGE - 1) == slot);
		CHECK(pkmap_addr_to_pfn(f.win, addr + FAKE_PAGE) ==
		      PKMAP_NO_PFN);
		CHECK(pkmap_unmap(f.win, addr + FAKE_PAGE) == PKMAP_ERANGE);
		CHECK(f.report.what == PKMAP_MISUSE_FOREIGN);
		CHECK(pkmap_unmap(f.win, addr + 1) == PKMAP_EINVAL);
		CHECK(f.report.what == PKMAP_MISUSE_UNALIGNED);
		fake_unmap(&f, addr);
	}
	outer = fake_local_map(&f, 100);
	local = fake_local_map(&f, 101);
	CHECK(local - outer == 2 * FAKE_PAGE);
	CHECK(pkmap_addr_to_pfn(f.win, local) == 101);
	CHECK(pkmap_addr_to_pfn(f.win, local + FAKE_PAGE) == PKMAP_NO_PFN);
	fake_local_unmap(&f, local);
	fake_local_unmap(&f, outer);
	/* Adjacent slots are not adjacent pages. */
	fake_clear_log(&f);
	CHECK(pkmap_flush_unused(f.win) == f.config.nslots);
	CHECK(f.count[FAKE_CLEAN] == f.config.nslots);
	CHECK(f.count[FAKE_CLEAR] == f.config.nslots);
	CHECK(f.count[FAKE_FLUSH_TLB] == 1);
	fake_close(&f);
}

/* Twice the address space: it must not wrap, nor reach into the local slots. */
static void guard_pages_take_space(void)
{
	struct fake f;

	fake_init(&f);
	f.config.base = (void *)(UINTPTR_MAX - 8 * FAKE_PAGE + 1);
	CHECK(pkmap_size(&f.config));
	f.config.guard = true;
	f.config.base = (void *)(UINTPTR_MAX - 9 * FAKE_PAGE + 1);
	CHECK(pkmap_size(&f.config));
	f.config.base = (void *)(UINTPTR_MAX - 8 * FAKE_PAGE + 1);
	CHECK(!pkmap_size(&f.config));
}

static void slots_and_local_slots(void)
{
	struct fake f;
	uint32_t guard;

	fake_init(&f);
	f.config.local_base = f.config.base;
	CHECK(!pkmap_size(&f.config));
	for (guard = 0; guard < 2; guard++) {
		f.config.guard = guard;
		f.config.local_base =
			(void *)(FAKE_BASE + (4 * FAKE_PAGE << guard));
		CHECK(pkmap_size(&f.config));
		f.config.local_base = (char *)f.config.local_base - FAKE_PAGE;
		CHECK(!pkmap_size(&f.config));
		f.config.local_base =
			(void *)(FAKE_BASE - (8 * FAKE_PAGE << guard));
		CHECK(pkmap_size(&f.config));
		f.config.local_base = (char *)f.config.local_base + FAKE_PAGE;
		CHECK(!pkmap_size(&f.config));
	}
}

/* A window that does not fit in memory is refused; its size does not wrap. */
static void size_does_not_wrap(void)
{
	struct fake f;
	size_t size;

	fake_init(&f);
	f.config.page_shift = 1;
	f.config.base = (void *)2;
	f.config.local_slots = 0;
	for (f.config.nslots = 1u << 26; f.config.nslots < 1u << 30;
	     f.config.nslots += 1u << 26) {
		size = pkmap_size(&f.config);
		CHECK(!size || size / f.config.nslots >= 2 * sizeof(void *));
	}
}

static void fini_tears_down(void)
{
	struct fake f;
	uint32_t slot;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fake_write(&f, fake_map(&f, 3), 77);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	CHECK(f.report.what == PKMAP_MISUSE_IN_USE);
	for (slot = 0; fake_shows(&f, slot) != 3; slot++)
		CHECK(slot < f.config.nslots);
	fake_unmap(&f, fake_addr(&f, slot));
	fake_close(&f);
	CHECK(f.memory[3] == 77);
}

/* Each page in use is reported, with the number of its users. */
static void fini_reports_all(void)
{
	struct fake f;
	void *held[3];
	void *local;

	fake_init(&f);
	fake_open(&f);
	held[0] = fake_map(&f, 1);
	held[1] = fake_map(&f, 2);
	held[2] = fake_pin(&f, 2);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	CHECK(fake_stats(&f).misuses == 2);
	CHECK(f.report.pfn == 2 && f.report.addr == held[1]);
	CHECK(f.report.users == 2);
	fake_unmap(&f, held[1]);
	fake_unmap(&f, held[2]);

	local = fake_local_map(&f, 9);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	CHECK(fake_stats(&f).misuses == 4);
	CHECK(f.report.pfn == 9 && f.report.addr == local);
	CHECK(f.report.users == 1 && f.report.slot == PKMAP_NO_SLOT);
	fake_local_unmap(&f, local);
	fake_unmap(&f, held[0]);
	fake_close(&f);
}

static void fini_refused_by_pin(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	fake_touch(&f, 1);
	fake_touch(&f, 2);
	addr = fake_pin(&f, 1);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	/* Nothing changed, the idle page included. */
	CHECK(!f.count[FAKE_CLEAR]);
	fake_check_index(&f);
	fake_unmap(&f, addr);
	fake_close(&f);
}

static void fini_refused_by_local_map(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_local_map(&f, 1);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	fake_local_unmap(&f, addr);
	fake_close(&f);
}

/* Somebody waits, although nothing is in use any more. */
static void fini_while_waiting(struct fake *f, const struct fake_event *e)
{
	(void)e;
	fake_unmap(f, f->hook_arg);
	CHECK(pkmap_fini(f->win) == PKMAP_EBUSY);
	CHECK(f->report.what == PKMAP_MISUSE_IN_USE);
}

static void fini_refused_by_waiter(void)
{
	struct fake f;

	fake_init(&f);
	f.config.nslots = 1;
	fake_open(&f);
	f.hook_arg = fake_map(&f, 1);
	f.hook_op = FAKE_WAIT;
	f.hook = fini_while_waiting;
	fake_unmap(&f, fake_map(&f, 2));
	CHECK(f.count[FAKE_WAIT] == 1);
	fake_close(&f);
}

/* Someone gets a page while fini() cleans it: the window goes on. */
static void pin_page_1(struct fake *f, const struct fake_event *e)
{
	(void)e;
	f->hook_arg = fake_pin(f, 1);
	CHECK(f->hook_arg);
}

static void fini_refused_while_cleaning(void)
{
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fake_touch(&f, 1);
	f.hook_op = FAKE_CLEAN;
	f.hook = pin_page_1;
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	f.hook = NULL;
	CHECK(pkmap_pfn_to_addr(f.win, 1) == f.hook_arg);
	fake_unmap(&f, f.hook_arg);
	fake_close(&f);
}

static void without_optional_operations(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	ops = *f.config.ops;
	ops.report = NULL;
	ops.clear_now = NULL;
	f.config.ops = &ops;
	fake_open(&f);
	CHECK(!pkmap_pin(f.win, FAKE_NPAGES));
	CHECK(fake_stats(&f).misuses == 1);
	CHECK(!f.count[FAKE_REPORT]);

	/* All that makes sure that nothing is shown any more. */
	fake_touch(&f, 1);
	CHECK(pkmap_flush_unused(f.win) == 1);
	fake_touch(&f, 2);
	CHECK(!pkmap_forget(f.win, 2, 1, PKMAP_NOWAIT));
	f.set_error = PKMAP_ENOMEM;
	CHECK(!pkmap_map(f.win, 3, NULL, &addr));
	fake_unmap(&f, addr);
	fake_close(&f);
	CHECK(!f.count[FAKE_CLEAR_NOW]);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(init_refuses),
	UNIT_TEST(init_accepts),
	UNIT_TEST(init_calls_nothing),
	UNIT_TEST(size_per_slot),
	UNIT_TEST(size_per_local_slot),
	UNIT_TEST(size_with_dma_slots),
	UNIT_TEST(size_with_copies),
	UNIT_TEST(counts_in_one_copy),
	UNIT_TEST(guard_pages),
	UNIT_TEST(guard_pages_take_space),
	UNIT_TEST(slots_and_local_slots),
	UNIT_TEST(fini_reports_all),
	UNIT_TEST(size_does_not_wrap),
	UNIT_TEST(fini_tears_down),
	UNIT_TEST(fini_refused_by_pin),
	UNIT_TEST(fini_refused_by_local_map),
	UNIT_TEST(fini_refused_by_waiter),
	UNIT_TEST(fini_refused_while_cleaning),
	UNIT_TEST(without_optional_operations),
	{ 0 },
};
