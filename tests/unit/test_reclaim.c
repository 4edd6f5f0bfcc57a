// SPDX-License-Identifier: MIT
/*
 * test_reclaim.c - which slots are reclaimed, and in which steps.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

/* Fills the window with pages 0 on, idle; page_at[slot] is where they are. */
static void fill(struct fake *f, pkmap_pfn *page_at)
{
	uint32_t slot;

	fake_touch_range(f, 0, f->config.nslots);
	for (slot = 0; slot < f->config.nslots; slot++)
		page_at[slot] = fake_shows(f, slot);
	fake_clear_log(f);
}

static uint32_t slot_of_addr(const void *addr)
{
	return (uint32_t)(((uintptr_t)addr - FAKE_BASE) / FAKE_PAGE);
}

/* Slots unused since they were filled go in the order of their addresses. */
static void clock_order(void)
{
	pkmap_pfn page_at[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.batch = 1;
	fake_open(&f);
	fill(&f, page_at);
	for (i = 0; i < 8; i++) {
		fake_touch(&f, 100 + i);
		CHECK(fake_shows(&f, i % 4) == 100 + i);
	}
	fake_close(&f);
}

static void second_chance(void)
{
	pkmap_pfn page_at[4];
	struct fake f;

	fake_init(&f);
	f.config.batch = 1;
	fake_open(&f);
	fill(&f, page_at);
	fake_touch(&f, page_at[0]);
	fake_touch(&f, page_at[2]);

	fake_touch(&f, 100);
	CHECK(fake_shows(&f, 0) == page_at[0]);
	CHECK(fake_shows(&f, 1) == 100);
	fake_touch(&f, 101);
	CHECK(fake_shows(&f, 2) == page_at[2]);
	CHECK(fake_shows(&f, 3) == 101);

	/* Those two have had their second chance. */
	fake_touch(&f, 102);
	CHECK(fake_shows(&f, 0) == 102);
	fake_touch(&f, 100);
	fake_touch(&f, 103);
	CHECK(fake_shows(&f, 1) == 100);
	CHECK(fake_shows(&f, 2) == 103);
	fake_close(&f);
}

static void pin_is_use(void)
{
	pkmap_pfn page_at[4];
	struct fake f;

	fake_init(&f);
	f.config.batch = 1;
	fake_open(&f);
	fill(&f, page_at);
	fake_unmap(&f, fake_pin(&f, page_at[0]));
	fake_touch(&f, 100);
	CHECK(fake_shows(&f, 0) == page_at[0]);
	CHECK(fake_shows(&f, 1) == 100);
	fake_close(&f);
}

/* One lap takes the bits off, the next takes the slots, all in one go. */
static void all_referenced(void)
{
	pkmap_pfn page_at[4];
	void *addr = NULL;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fill(&f, page_at);
	fake_touch_range(&f, 0, 4);
	CHECK(!pkmap_map(f.win, 100, PKMAP_NOWAIT, &addr));
	CHECK(fake_stats(&f).reclaimed == 2);
	CHECK(fake_shows(&f, 2) == page_at[2]);
	CHECK(fake_shows(&f, 3) == page_at[3]);
	fake_unmap(&f, addr);
	fake_close(&f);
}

static void in_use_is_passed_over(void)
{
	pkmap_pfn page_at[4];
	void *held[2];
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fill(&f, page_at);
	held[0] = fake_map(&f, page_at[0]);
	held[1] = fake_pin(&f, page_at[1]);
	fake_touch_range(&f, 100, 10);
	CHECK(fake_shows(&f, 0) == page_at[0]);
	CHECK(fake_shows(&f, 1) == page_at[1]);
	fake_unmap(&f, held[0]);
	fake_unmap(&f, held[1]);
	fake_close(&f);
}

/* How many slots one map that misses reclaims from a window of idle ones. */
static unsigned long reclaimed_by_one(uint32_t nslots, uint32_t batch)
{
	pkmap_pfn page_at[FAKE_NSLOTS];
	struct pkmap_stats stats;
	struct fake f;

	fake_init(&f);
	f.config.nslots = nslots;
	f.config.batch = batch;
	fake_open(&f);
	fill(&f, page_at);
	fake_touch(&f, 100);
	stats = fake_stats(&f);
	CHECK(stats.reclaims == 1);
	CHECK(stats.tlb_flushes == 1 && f.count[FAKE_FLUSH_TLB] == 1);
	fake_close(&f);
	return stats.reclaimed;
}

static void batch_size(void)
{
	CHECK(reclaimed_by_one(8, 0) == 4);
	CHECK(reclaimed_by_one(9, 0) == 4);
	CHECK(reclaimed_by_one(1, 0) == 1);
	CHECK(reclaimed_by_one(8, 1) == 1);
	CHECK(reclaimed_by_one(8, 3) == 3);
	CHECK(reclaimed_by_one(8, 8) == 8);
}

static void fewer_idle_than_batch(void)
{
	pkmap_pfn page_at[8];
	void *held[7];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 8;
	fake_open(&f);
	fill(&f, page_at);
	for (i = 0; i < 7; i++)
		held[i] = fake_map(&f, page_at[i]);
	fake_touch(&f, 100);
	CHECK(fake_stats(&f).reclaimed == 1);
	CHECK(fake_shows(&f, 7) == 100);
	for (i = 0; i < 7; i++)
		fake_unmap(&f, held[i]);
	fake_close(&f);
}

/*
 * Adjacent slots are cleaned and cleared together, and there is one flush for
 * all.
 */
static void runs(void)
{
	static const enum fake_op expected[] = {
		FAKE_LOCK,  FAKE_CLEAN,	    FAKE_CLEAN,	    FAKE_CLEAR,
		FAKE_CLEAR, FAKE_FLUSH_TLB, FAKE_CLEAR_NOW, FAKE_UNLOCK,
	};
	pkmap_pfn page_at[8];
	struct fake f;
	void *held;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 8;
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fill(&f, page_at);
	held = fake_map(&f, page_at[3]);
	CHECK(!pkmap_forget(f.win, page_at[7], 1, PKMAP_NOWAIT));
	fake_clear_log(&f);

	CHECK(pkmap_flush_unused(f.win) == 6);
	CHECK(f.nlog == sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < f.nlog; i++)
		CHECK(f.log[i].op == expected[i]);
	CHECK(f.log[1].addr == fake_addr(&f, 0));
	CHECK(f.log[1].n == 3 * FAKE_PAGE);
	CHECK(f.log[2].addr == fake_addr(&f, 4));
	CHECK(f.log[2].n == 3 * FAKE_PAGE);
	CHECK(f.log[3].addr == fake_addr(&f, 0) && f.log[3].n == 3);
	CHECK(f.log[4].addr == fake_addr(&f, 4) && f.log[4].n == 3);
	CHECK(f.log[5].addr == fake_addr(&f, 0) && f.log[5].n == 7);
	fake_unmap(&f, held);
	fake_close(&f);
}

/* The hand goes past the end of the window: that makes two runs. */
static void run_around_the_end(void)
{
	pkmap_pfn page_at[4];
	struct fake f;

	fake_init(&f);
	f.config.batch = 3;
	fake_open(&f);
	fill(&f, page_at);
	fake_touch(&f, 100); /* slots 0 to 2; the hand is at 3 */
	fake_touch_range(&f, 101, 2);
	fake_clear_log(&f);
	fake_touch(&f, 103); /* slots 3, 0, 1 */
	CHECK(f.count[FAKE_CLEAR] == 2);
	CHECK(fake_stats(&f).reclaimed == 6);
	fake_close(&f);
}

static void nothing_idle_calls_nothing(void)
{
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	CHECK(pkmap_flush_unused(f.win) == 0);
	CHECK(f.nlog == 3); /* lock, clear_now, unlock */
	CHECK(!fake_stats(&f).tlb_flushes);
	fake_close(&f);
}

static void no_cleaning_but_on_vivt(void)
{
	static const enum pkmap_cache_kind kinds[] = {
		PKMAP_CACHE_PIPT,
		PKMAP_CACHE_VIPT,
	};
	struct fake f;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		fake_init(&f);
		f.config.cache.kind = kinds[i];
		f.config.cache.speculative = true;
		f.config.cache.whole_bytes = 1;
		fake_open(&f);
		fake_touch_range(&f, 0, 20);
		CHECK(!f.count[FAKE_CLEAN] && !f.count[FAKE_CLEAN_ALL]);
		fake_close(&f);
	}
}

static void whole_cache_threshold(void)
{
	struct fake f;

	fake_init(&f);
	f.config.nslots = 8;
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	f.config.cache.whole_bytes = 4 * FAKE_PAGE;
	fake_open(&f);
	fake_touch_range(&f, 0, 3);
	CHECK(pkmap_flush_unused(f.win) == 3);
	CHECK(f.count[FAKE_CLEAN] && !f.count[FAKE_CLEAN_ALL]);

	fake_clear_log(&f);
	fake_touch_range(&f, 0, 4);
	CHECK(pkmap_flush_unused(f.win) == 4);
	CHECK(!f.count[FAKE_CLEAN] && f.count[FAKE_CLEAN_ALL] == 1);
	fake_close(&f);
}

static void dirty_lines_are_kept(void)
{
	struct fake f;
	uint32_t i;
	uint32_t round;
	void *addr;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < 40; i++) {
			addr = fake_map(&f, i);
			CHECK(fake_read(&f, addr) == (round - 1) * 100 * i);
			fake_write(&f, addr, round * 100 * i);
			fake_unmap(&f, addr);
			fake_clear_log(&f);
		}
	}
	fake_close(&f);
	for (i = 0; i < 40; i++)
		CHECK(f.memory[i] == 300 * i);
}

static void get_while_cleaning(struct fake *f, const struct fake_event *e)
{
	void *addr = fake_pin(f, pkmap_addr_to_pfn(f->win, e->addr));

	CHECK(addr == e->addr);
	f->hook_arg = addr;
}

/* A pin that comes while the lines are cleaned gets the slot, and keeps it. */
static void cleaning_then_get(void)
{
	pkmap_pfn page_at[4];
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fill(&f, page_at);
	f.hook_op = FAKE_CLEAN;
	f.hook = get_while_cleaning;
	CHECK(pkmap_flush_unused(f.win) == 3);
	f.hook = NULL;
	CHECK(fake_shows(&f, slot_of_addr(f.hook_arg)) != PKMAP_NO_PFN);
	fake_check_index(&f);
	fake_unmap(&f, f.hook_arg);
	/* The slot can be reclaimed again like any other. */
	CHECK(pkmap_flush_unused(f.win) == 1);
	fake_close(&f);
}

/*
 * The same with a put before the cleaning is over: the slot is idle again when
 * it comes to claiming, and yet must stay, as it was used after its lines were
 * cleaned.
 */
static void use_cleaned_slot(struct fake *f, const struct fake_event *e)
{
	void *addr;

	if (e->addr != fake_addr(f, 2))
		return;
	addr = fake_pin(f, fake_shows(f, 0));
	CHECK(addr == fake_addr(f, 0));
	fake_write(f, addr, 55);
	fake_unmap(f, addr);
}

static void cleaning_then_get_put(void)
{
	pkmap_pfn page_at[4];
	struct fake f;
	void *held;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fill(&f, page_at);
	held = fake_map(&f, page_at[1]);
	f.hook_op = FAKE_CLEAN;
	f.hook = use_cleaned_slot;
	CHECK(pkmap_flush_unused(f.win) == 2);
	f.hook = NULL;
	CHECK(fake_pin(&f, page_at[0]) == fake_addr(&f, 0));
	fake_unmap(&f, fake_addr(&f, 0));
	fake_unmap(&f, held);
	CHECK(pkmap_flush_unused(f.win) == 2);
	CHECK(f.memory[page_at[0]] == 55);
	fake_close(&f);
}

/* If all slots of a batch were got meanwhile, map reclaims another batch. */
static void get_put_all(struct fake *f, const struct fake_event *e)
{
	uint32_t i;

	for (i = 0; i < e->n / FAKE_PAGE; i++)
		fake_touch(f, fake_shows(f, slot_of_addr(e->addr) + i));
	f->hook_op = FAKE_NOPS;
}

static void whole_batch_saved(void)
{
	pkmap_pfn page_at[4];
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fill(&f, page_at);
	f.hook_op = FAKE_CLEAN;
	f.hook = get_put_all;
	fake_touch(&f, 100);
	CHECK(fake_shows(&f, 0) == page_at[0]);
	CHECK(fake_shows(&f, 1) == page_at[1]);
	CHECK(fake_stats(&f).reclaims == 1);
	CHECK(!fake_stats(&f).waits);
	fake_close(&f);
}

/* Once claimed, a page is "not mapped", long before its slot is free. */
static void miss_while_clearing(struct fake *f, const struct fake_event *e)
{
	uint32_t i;

	for (i = 0; i < e->n; i++)
		CHECK(!fake_pin(f, f->slot[slot_of_addr(e->addr) + i].pfn));
}

static void claimed_is_not_mapped(void)
{
	static const enum fake_op ops[] = { FAKE_CLEAR, FAKE_FLUSH_TLB };
	pkmap_pfn page_at[8];
	struct fake f;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		fake_init(&f);
		f.config.nslots = 8;
		f.config.cache.kind = PKMAP_CACHE_VIVT;
		fake_open(&f);
		fill(&f, page_at);
		f.hook_op = ops[i];
		f.hook = miss_while_clearing;
		fake_touch(&f, 100);
		f.hook = NULL;
		CHECK(f.count[ops[i]] == 1);
		fake_close(&f);
	}
}

/*
 * A get that was carried to a slot by recycling adds a user, sees that the slot
 * shows another page, and takes the user off.  If reclaim comes in between, it
 * must leave the slot, and be able to clean and take it the next time.
 */
static void add_passing_user(struct fake *f, const struct fake_event *e)
{
	uint32_t *old = f->hook_arg;

	(void)e;
	*old = word_add_user(slot_word(f->win, 0));
}

static void passing_get(void)
{
	pkmap_pfn page_at[4];
	uint32_t old = 0;
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	fill(&f, page_at);
	f.hook_arg = &old;
	f.hook_op = FAKE_CLEAN;
	f.hook = add_passing_user;
	CHECK(pkmap_flush_unused(f.win) == 3);
	f.hook = NULL;
	CHECK(old & WORD_CLEANING);
	CHECK(pkmap_get_slow(f.win, 100, 0, old) == PKMAP_NO_SLOT);

	fake_check_index(&f);
	fake_clear_log(&f);
	CHECK(pkmap_flush_unused(f.win) == 1);
	CHECK(f.count[FAKE_CLEAN] == 1);
	fake_close(&f);
}

/*
 * An idle slot that has CLEANING since an earlier reclaim can be had, too, and
 * by a map that finds no other.
 */
static void marked_before(void)
{
	struct fake f;
	void *addr;
	pkmap_pfn pfn;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	for (pfn = 0; pfn < 4; pfn++)
		addr = fake_map(&f, pfn);
	fake_unmap(&f, addr);
	pkmap_a32_store_relaxed(slot_word(f.win, addr_slot(f.win, addr)),
				WORD_MAPPED | WORD_CLEANING);
	fake_clear_log(&f);
	CHECK(!pkmap_map(f.win, 100, PKMAP_NOWAIT, &addr));
	CHECK(f.count[FAKE_CLEAN] == 1);
	fake_unmap(&f, addr);
	for (pfn = 0; pfn < 3; pfn++)
		CHECK(!pkmap_unmap_pfn(f.win, pfn));
	fake_close(&f);
}

static void open_coloured(struct fake *f)
{
	fake_init(f);
	f->config.cache.kind = PKMAP_CACHE_VIPT;
	f->config.cache.colours = 4;
	f->config.nslots = 16;
	f->config.local_slots = 1;
	fake_open(f);
}

/* The fake port refuses a page in a slot of another colour. */
static void pages_keep_their_colour(void)
{
	struct fake f;
	pkmap_pfn pfn;

	open_coloured(&f);
	for (pfn = 0; pfn < 100; pfn++)
		fake_touch(&f, pfn * 7 % 50);
	fake_check_index(&f);
	fake_close(&f);
}

/* Only the colour that is short of slots is reclaimed, by its own batch. */
static void reclaim_of_one_colour(void)
{
	struct fake f;
	pkmap_pfn pfn;

	open_coloured(&f);
	fake_touch_range(&f, 0, 16);
	fake_clear_log(&f);
	fake_touch(&f, 16);
	CHECK(fake_stats(&f).reclaimed == 2);
	CHECK(f.count[FAKE_FLUSH_TLB] == 1);
	for (pfn = 0; pfn < 16; pfn++)
		CHECK(pfn % 4 == 0 || pkmap_pfn_to_addr(f.win, pfn));
	fake_touch(&f, 20);
	CHECK(fake_stats(&f).reclaims == 1);
	fake_close(&f);
}

/* The port cannot set a translation: pages in use are not affected. */
static void set_fails(void)
{
	pkmap_pfn page_at[4];
	void *held;
	void *addr = NULL;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fill(&f, page_at);
	held = fake_map(&f, page_at[0]);
	fake_write(&f, held, 11);
	f.set_error = PKMAP_EIO;
	CHECK(pkmap_map(f.win, 100, NULL, &addr) == PKMAP_EIO);
	CHECK(!f.count[FAKE_CLEAR_NOW]);
	CHECK(!addr && !pkmap_pfn_to_addr(f.win, 100) && !fake_pin(&f, 100));
	CHECK(fake_read(&f, held) == 11);
	fake_check_index(&f);
	CHECK(fake_stats(&f).misses == 4);

	fake_touch_range(&f, 100, 4);
	CHECK(fake_shows(&f, 0) == page_at[0]);
	fake_unmap(&f, held);
	fake_close(&f);
}

static void fail_again(struct fake *f, const struct fake_event *e)
{
	(void)e;
	f->set_error = PKMAP_ENOMEM;
}

/*
 * The port has no memory: idle pages are torn down, and the map is tried again.
 */
static void no_memory(void)
{
	pkmap_pfn page_at[4];
	void *held;
	void *addr = NULL;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fill(&f, page_at);
	held = fake_map(&f, page_at[0]);
	f.set_error = PKMAP_ENOMEM;
	addr = fake_map(&f, 100);
	CHECK(fake_stats(&f).reclaimed == 3);
	CHECK(f.count[FAKE_CLEAR_NOW] == 1);
	fake_check_index(&f);
	fake_unmap(&f, addr);

	f.hook_op = FAKE_SET;
	f.hook = fail_again;
	addr = NULL;
	CHECK(pkmap_map(f.win, 101, NULL, &addr) == PKMAP_ENOMEM && !addr);
	f.hook = NULL;
	f.set_error = 0;
	CHECK(fake_shows(&f, 0) == page_at[0]);
	fake_unmap(&f, held);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(clock_order),
	UNIT_TEST(second_chance),
	UNIT_TEST(pin_is_use),
	UNIT_TEST(all_referenced),
	UNIT_TEST(in_use_is_passed_over),
	UNIT_TEST(batch_size),
	UNIT_TEST(fewer_idle_than_batch),
	UNIT_TEST(runs),
	UNIT_TEST(run_around_the_end),
	UNIT_TEST(nothing_idle_calls_nothing),
	UNIT_TEST(no_cleaning_but_on_vivt),
	UNIT_TEST(whole_cache_threshold),
	UNIT_TEST(dirty_lines_are_kept),
	UNIT_TEST(cleaning_then_get),
	UNIT_TEST(cleaning_then_get_put),
	UNIT_TEST(whole_batch_saved),
	UNIT_TEST(claimed_is_not_mapped),
	UNIT_TEST(passing_get),
	UNIT_TEST(marked_before),
	UNIT_TEST(pages_keep_their_colour),
	UNIT_TEST(reclaim_of_one_colour),
	UNIT_TEST(set_fails),
	UNIT_TEST(no_memory),
	{ 0 },
};
