// SPDX-License-Identifier: MIT
/*
 * test_lookup.c - pfn to address and address to pfn.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

static void both_ways(void)
{
	struct fake f;
	char *addr;

	fake_init(&f);
	fake_open(&f);
	CHECK(!pkmap_pfn_to_addr(f.win, 3));
	addr = fake_map(&f, 3);
	CHECK(pkmap_pfn_to_addr(f.win, 3) == addr);
	CHECK(pkmap_addr_to_pfn(f.win, addr) == 3);
	CHECK(pkmap_addr_to_pfn(f.win, addr + FAKE_PAGE - 1) == 3);
	fake_unmap(&f, addr);
	CHECK(pkmap_pfn_to_addr(f.win, 3) == addr);
	CHECK(pkmap_addr_to_pfn(f.win, addr) == 3);
	CHECK(pkmap_flush_unused(f.win) == 1);
	CHECK(!pkmap_pfn_to_addr(f.win, 3));
	CHECK(pkmap_addr_to_pfn(f.win, addr) == PKMAP_NO_PFN);
	fake_close(&f);
}

static void outside(void)
{
	char *const base = (char *)FAKE_BASE;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fake_touch_range(&f, 0, 4);
	CHECK(pkmap_addr_to_pfn(f.win, base) != PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(f.win, base + 4 * FAKE_PAGE - 1) !=
	      PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(f.win, base - 1) == PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(f.win, base + 4 * FAKE_PAGE) == PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(f.win, NULL) == PKMAP_NO_PFN);
	CHECK(!pkmap_pfn_to_addr(f.win, FAKE_NPAGES));
	CHECK(!pkmap_pfn_to_addr(f.win, PKMAP_NO_PFN));
	/* A look-up is no misuse. */
	CHECK(!fake_stats(&f).misuses && !f.count[FAKE_REPORT]);
	fake_close(&f);
}

/* An address that differs in any one bit is not that of a map. */
static void each_bit_of_an_address(void)
{
	struct fake f;
	uintptr_t addr;
	uintptr_t bit;

	fake_init(&f);
	fake_open(&f);
	addr = (uintptr_t)fake_map(&f, 3);
	for (bit = 1; bit; bit <<= 1)
		CHECK(pkmap_unmap(f.win, (void *)(addr ^ bit)));
	fake_unmap(&f, (void *)addr);
	fake_close(&f);
}

/* Even if the memory behind the last slot's word looks like a slot in use. */
static void behind_the_last_slot(void)
{
	struct fake f;
	pkmap_a32 *behind;
	uint32_t old;

	fake_init(&f);
	fake_open(&f);
	behind = slot_word(f.win, f.config.nslots);
	CHECK(behind == f.win->next - 1);
	old = pkmap_a32_load_relaxed(behind);
	pkmap_a32_store_relaxed(behind, WORD_USER | WORD_MAPPED);
	CHECK(pkmap_unmap(f.win, fake_addr(&f, f.config.nslots)) ==
	      PKMAP_ERANGE);
	CHECK(pkmap_a32_load_relaxed(behind) == (WORD_USER | WORD_MAPPED));
	pkmap_a32_store_relaxed(behind, old);
	fake_close(&f);
}

/* The colour is the page number's, not that of its place in the window. */
static void colours_of_page_numbers(void)
{
	struct fake f;
	pkmap_pfn pfn;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 4;
	f.config.first_pfn = 5;
	fake_open(&f);
	for (pfn = 5; pfn < 9; pfn++) {
		fake_touch(&f, pfn);
		CHECK(pkmap_pfn_to_addr(f.win, pfn) == fake_addr(&f, pfn % 4));
	}
	fake_close(&f);
}

/* Look-ups hold nothing, count nothing and call nothing. */
static void leave_no_trace(void)
{
	struct pkmap_stats before;
	struct pkmap_stats after;
	struct fake f;
	void *addr;

	fake_init(&f);
	f.config.batch = 1;
	fake_open(&f);
	fake_touch_range(&f, 0, 4);
	addr = fake_addr(&f, 0);
	before = fake_stats(&f);
	fake_clear_log(&f);
	CHECK(pkmap_pfn_to_addr(f.win, fake_shows(&f, 0)) == addr);
	CHECK(pkmap_addr_to_pfn(f.win, addr) == fake_shows(&f, 0));
	CHECK(!pkmap_pfn_to_addr(f.win, 99));
	after = fake_stats(&f);
	CHECK(after.hits == before.hits && after.pins == before.pins &&
	      after.pin_misses == before.pin_misses);
	CHECK(!f.nlog);
	/* Nor does a look-up count as use of the page. */
	fake_touch(&f, 100);
	CHECK(fake_shows(&f, 0) == 100);
	fake_close(&f);
}

static void local_addresses(void)
{
	void *outer;
	void *inner;
	void *pinned;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	outer = fake_local_map(&f, 8);
	inner = fake_local_map(&f, 9);
	CHECK(pkmap_addr_to_pfn(f.win, outer) == 8);
	CHECK(pkmap_addr_to_pfn(f.win, (char *)inner + 17) == 9);
	CHECK(!pkmap_pfn_to_addr(f.win, 8));
	fake_local_unmap(&f, inner);
	CHECK(pkmap_addr_to_pfn(f.win, inner) == PKMAP_NO_PFN);

	/*
	 * A map that borrows an outer map's slot leaves the slot of its own
	 * place empty.
	 */
	pinned = fake_local_map(&f, 8);
	CHECK(pinned == outer);
	CHECK(pkmap_addr_to_pfn(f.win, inner) == PKMAP_NO_PFN);
	fake_local_unmap(&f, pinned);
	fake_local_unmap(&f, outer);
	CHECK(pkmap_addr_to_pfn(f.win, outer) == PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(f.win, (char *)FAKE_LOCAL_BASE +
					       8 * FAKE_PAGE) == PKMAP_NO_PFN);
	fake_close(&f);
}

/* While a slot is being set up or torn down, neither way finds the page. */
static void look_at_page_7(struct fake *f, const struct fake_event *e)
{
	CHECK(!pkmap_pfn_to_addr(f->win, 7));
	CHECK(pkmap_addr_to_pfn(f->win, e->addr) == PKMAP_NO_PFN);
}

static void in_between(void)
{
	static const enum fake_op ops[] = {
		FAKE_SET,
		FAKE_CLEAR,
		FAKE_FLUSH_TLB,
	};
	struct fake f;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		fake_init(&f);
		fake_open(&f);
		f.hook_op = ops[i];
		f.hook = look_at_page_7;
		fake_touch(&f, 7);
		CHECK(pkmap_flush_unused(f.win) == 1);
		CHECK(f.count[ops[i]] == 1);
		f.hook = NULL;
		fake_close(&f);
	}
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(both_ways),
	UNIT_TEST(outside),
	UNIT_TEST(leave_no_trace),
	UNIT_TEST(local_addresses),
	UNIT_TEST(in_between),
	UNIT_TEST(each_bit_of_an_address),
	UNIT_TEST(behind_the_last_slot),
	UNIT_TEST(colours_of_page_numbers),
	{ 0 },
};
