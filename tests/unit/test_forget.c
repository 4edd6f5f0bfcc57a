// SPDX-License-Identifier: MIT
/*
 * test_forget.c - making sure that pages of a range are mapped no more.
 */
#include "fake_port.h"

/* Pages 10 to 17, idle, in a window of 8. */
static void open_with_pages(struct fake *f)
{
	fake_init(f);
	f->config.nslots = 8;
	f->config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(f);
	fake_touch_range(f, 10, 8);
	fake_clear_log(f);
}

/* Which of pages 10 to 17 are mapped, as bits. */
static uint32_t mapped(struct fake *f)
{
	uint32_t bits = 0;
	uint32_t i;

	for (i = 0; i < 8; i++)
		bits |= (uint32_t) !!pkmap_pfn_to_addr(f->win, 10 + i) << i;
	return bits;
}

static void one_range(pkmap_pfn first, pkmap_pfn npages, uint32_t left)
{
	unsigned long before;
	struct fake f;

	open_with_pages(&f);
	before = fake_stats(&f).reclaimed;
	CHECK(!pkmap_forget(f.win, first, npages));
	CHECK(mapped(&f) == left);
	CHECK(fake_stats(&f).reclaimed - before ==
	      (unsigned long)(8 - __builtin_popcount(left)));
	CHECK(!fake_stats(&f).reclaims);
	CHECK(f.count[FAKE_FLUSH_TLB] == (left != 0xff));
	fake_check_index(&f);
	fake_close(&f);
}

static void ranges(void)
{
	one_range(10, 0, 0xff);
	one_range(0, 10, 0xff);
	one_range(18, 100, 0xff);
	one_range(10, 1, 0xfe);
	one_range(17, 1, 0x7f);
	one_range(9, 2, 0xfe);
	one_range(12, 3, 0xe3);
	one_range(10, 8, 0);
	one_range(0, 100, 0);
	one_range(14, PKMAP_NO_PFN - 14, 0xf);
	one_range(0, PKMAP_NO_PFN, 0);
	one_range(PKMAP_NO_PFN, 1, 0xff);
}

/* One in use: nothing is torn down, not even cleaned. */
static void busy(void)
{
	struct fake f;
	void *addr;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		open_with_pages(&f);
		addr = i ? fake_pin(&f, 13) : fake_map(&f, 13);
		fake_clear_log(&f);
		CHECK(pkmap_forget(f.win, 10, 8) == PKMAP_EBUSY);
		CHECK(mapped(&f) == 0xff);
		CHECK(!f.count[FAKE_CLEAN] && !f.count[FAKE_CLEAR]);
		CHECK(!pkmap_forget(f.win, 14, 100));
		CHECK(mapped(&f) == 0x0f);
		CHECK(!fake_stats(&f).misuses);
		fake_unmap(&f, addr);
		CHECK(!pkmap_forget(f.win, 10, 8));
		CHECK(!mapped(&f));
		fake_close(&f);
	}
}

/* Got while the lines are cleaned: that page stays, and it is busy. */
static void get_page_13(struct fake *f, const struct fake_event *e)
{
	(void)e;
	if (!f->hook_arg)
		f->hook_arg = fake_pin(f, 13);
}

static void got_while_cleaning(void)
{
	struct fake f;

	open_with_pages(&f);
	f.hook_op = FAKE_CLEAN;
	f.hook = get_page_13;
	CHECK(pkmap_forget(f.win, 10, 8) == PKMAP_EBUSY);
	f.hook = NULL;
	CHECK(mapped(&f) == 0x08);
	fake_unmap(&f, f.hook_arg);
	CHECK(!pkmap_forget(f.win, 10, 8));
	fake_close(&f);
}

/* Used for a moment, and dirty: it must not be called forgotten. */
static void use_page_13(struct fake *f, const struct fake_event *e)
{
	void *addr = fake_pin(f, 13);

	(void)e;
	CHECK(addr);
	fake_write(f, addr, 1313);
	fake_unmap(f, addr);
}

static void used_while_cleaning(void)
{
	struct fake f;

	open_with_pages(&f);
	f.hook_op = FAKE_CLEAN;
	f.hook = use_page_13;
	CHECK(pkmap_forget(f.win, 10, 8) == PKMAP_EBUSY);
	f.hook = NULL;
	CHECK(mapped(&f) == 0x08);
	CHECK(!pkmap_forget(f.win, 10, 8));
	CHECK(f.memory[13] == 1313);
	fake_close(&f);
}

static void slots_are_free_again(void)
{
	struct fake f;

	open_with_pages(&f);
	CHECK(!pkmap_forget(f.win, 10, 4));
	fake_touch_range(&f, 100, 4);
	CHECK(!fake_stats(&f).reclaims);
	CHECK(mapped(&f) == 0xf0);
	fake_close(&f);
}

/* A range that holds the last page there could be. */
static void highest_pages(void)
{
	struct fake f;
	pkmap_pfn last;

	fake_init(&f);
	f.config.first_pfn = PKMAP_NO_PFN - FAKE_NPAGES;
	fake_open(&f);
	last = PKMAP_NO_PFN - 1;
	fake_touch(&f, last);
	CHECK(!pkmap_forget(f.win, 0, 5));
	CHECK(pkmap_pfn_to_addr(f.win, last));
	CHECK(!pkmap_forget(f.win, last, 1));
	CHECK(!pkmap_pfn_to_addr(f.win, last));
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(ranges),
	UNIT_TEST(busy),
	UNIT_TEST(got_while_cleaning),
	UNIT_TEST(used_while_cleaning),
	UNIT_TEST(slots_are_free_again),
	UNIT_TEST(highest_pages),
	{ 0 },
};
