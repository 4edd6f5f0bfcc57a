// SPDX-License-Identifier: MIT
/*
 * test_forget.c - making sure that the pages of a range are no longer mapped.
 */
#include "tests/fake/fake_port.h"
#include "unit_test.h"

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
	CHECK(!pkmap_forget(f.win, first, npages, PKMAP_NOWAIT));
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

/* If one page is in use, no page is torn down or even cleaned. */
static void busy(void)
{
	struct fake f;
	void *addr;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		open_with_pages(&f);
		addr = i ? fake_pin(&f, 13) : fake_map(&f, 13);
		fake_clear_log(&f);
		CHECK(pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT) == PKMAP_EBUSY);
		CHECK(mapped(&f) == 0xff);
		CHECK(!f.count[FAKE_CLEAN] && !f.count[FAKE_CLEAR]);
		CHECK(!pkmap_forget(f.win, 14, 100, PKMAP_NOWAIT));
		CHECK(mapped(&f) == 0x0f);
		CHECK(!fake_stats(&f).misuses);
		fake_unmap(&f, addr);
		CHECK(!pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT));
		CHECK(!mapped(&f));
		fake_close(&f);
	}
}

/* A page that is pinned while its lines are cleaned stays, and is busy. */
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
	CHECK(pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT) == PKMAP_EBUSY);
	f.hook = NULL;
	CHECK(mapped(&f) == 0x08);
	fake_unmap(&f, f.hook_arg);
	CHECK(!pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT));
	fake_close(&f);
}

/* Used for a moment, the page is dirty: the call must not succeed. */
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
	CHECK(pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT) == PKMAP_EBUSY);
	f.hook = NULL;
	CHECK(mapped(&f) == 0x08);
	CHECK(!pkmap_forget(f.win, 10, 8, PKMAP_NOWAIT));
	CHECK(f.memory[13] == 1313);
	fake_close(&f);
}

static void slots_are_free_again(void)
{
	struct fake f;

	open_with_pages(&f);
	CHECK(!pkmap_forget(f.win, 10, 4, PKMAP_NOWAIT));
	fake_touch_range(&f, 100, 4);
	CHECK(!fake_stats(&f).reclaims);
	CHECK(mapped(&f) == 0xf0);
	fake_close(&f);
}

/* A range that would reach beyond the last possible page ends there. */
static void range_does_not_wrap(void)
{
	struct fake f;
	void *held;

	open_with_pages(&f);
	held = fake_map(&f, 13);
	CHECK(!pkmap_forget(f.win, 15, PKMAP_NO_PFN, PKMAP_NOWAIT));
	CHECK(mapped(&f) == 0x1f);
	CHECK(!pkmap_forget(f.win, PKMAP_NO_PFN, PKMAP_NO_PFN, PKMAP_NOWAIT));
	CHECK(mapped(&f) == 0x1f);
	fake_unmap(&f, held);
	fake_close(&f);
}

/* What the others do while the call sleeps. */
static void unmap_page(struct fake *f, const struct fake_event *e)
{
	(void)e;
	fake_unmap(f, f->hook_arg);
}

static void waits_for_users(void)
{
	const struct pkmap_wait deadline = { .deadline = 1 };
	const struct pkmap_wait interruptible = {
		.deadline = PKMAP_NO_DEADLINE,
		.flags = PKMAP_WAIT_INTERRUPTIBLE,
	};
	struct fake f;

	open_with_pages(&f);
	f.hook_arg = fake_map(&f, 13);
	CHECK(pkmap_forget(f.win, 10, 8, &deadline) == PKMAP_ETIMEDOUT);
	CHECK(pkmap_forget(f.win, 10, 8, &interruptible) == PKMAP_EINTR);
	CHECK(f.count[FAKE_WAIT] == 2 && mapped(&f) == 0xff);
	CHECK(!f.count[FAKE_CLEAR_NOW]);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_page;
	CHECK(!pkmap_forget(f.win, 10, 8, NULL));
	f.hook = NULL;
	CHECK(f.count[FAKE_WAKE] == 1 && !mapped(&f));
	CHECK(f.count[FAKE_CLEAR_NOW] == 1);
	CHECK(!fake_stats(&f).misuses);
	fake_close(&f);
}

/* The deadline has passed, but nobody uses the page any more: no failure. */
static void unmap_before_second_lock(struct fake *f, const struct fake_event *e)
{
	if (f->count[FAKE_LOCK] == 2)
		unmap_page(f, e);
}

static void looks_once_more(void)
{
	const struct pkmap_wait deadline = { .deadline = 1 };
	struct fake f;

	open_with_pages(&f);
	f.hook_arg = fake_map(&f, 13);
	fake_clear_log(&f);
	f.hook_op = FAKE_LOCK;
	f.hook = unmap_before_second_lock;
	CHECK(!pkmap_forget(f.win, 13, 1, &deadline));
	f.hook = NULL;
	CHECK(f.count[FAKE_WAIT] == 1);
	fake_close(&f);
}

/*
 * A local map that another CPU has open, or that this CPU is closing, shows the
 * page until its translation is gone.
 */
static void local_maps(void)
{
	struct fake f;
	void *outer;
	void *inner;

	open_with_pages(&f);
	f.cpu = 1;
	outer = fake_local_map(&f, 100);
	inner = fake_local_map(&f, 101);
	f.cpu = 0;
	CHECK(pkmap_forget(f.win, 101, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(pkmap_forget(f.win, 0, 1000, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(mapped(&f) == 0xff);
	CHECK(!pkmap_forget(f.win, 102, 1, PKMAP_NOWAIT));
	f.cpu = 1;
	fake_local_unmap(&f, inner);
	CHECK(!pkmap_forget(f.win, 101, 1, PKMAP_NOWAIT));
	CHECK(pkmap_forget(f.win, 100, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	fake_local_unmap(&f, outer);
	CHECK(!pkmap_forget(f.win, 100, 1, PKMAP_NOWAIT));
	fake_close(&f);
}

static void forget_page_100(struct fake *f, const struct fake_event *e)
{
	(void)e;
	f->any_context = false;
	CHECK(pkmap_forget(f->win, 100, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	f->any_context = true;
}

static void local_map_that_closes(void)
{
	static const enum fake_op ops[] = { FAKE_CLEAN, FAKE_CLEAR,
					    FAKE_FLUSH_TLB };
	struct fake f;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		open_with_pages(&f);
		f.hook_op = ops[i];
		f.hook = forget_page_100;
		fake_local_unmap(&f, fake_local_map(&f, 100));
		f.hook = NULL;
		CHECK(f.count[ops[i]] == 1);
		fake_close(&f);
	}
}

/* The end of a local map of another CPU wakes those who wait for it. */
static void end_local_map(struct fake *f, const struct fake_event *e)
{
	(void)e;
	f->cpu = 1;
	fake_local_unmap(f, f->hook_arg);
	f->cpu = 0;
}

static void waits_for_local_maps(void)
{
	struct fake f;

	open_with_pages(&f);
	f.cpu = 1;
	f.hook_arg = fake_local_map(&f, 100);
	f.cpu = 0;
	f.hook_op = FAKE_WAIT;
	f.hook = end_local_map;
	CHECK(!pkmap_forget(f.win, 100, 1, NULL));
	f.hook = NULL;
	CHECK(f.count[FAKE_WAKE] == 1);
	fake_close(&f);
}

/* A range with the last possible page. */
static void highest_pages(void)
{
	struct fake f;
	pkmap_pfn last;

	fake_init(&f);
	f.config.first_pfn = PKMAP_NO_PFN - FAKE_NPAGES;
	fake_open(&f);
	last = PKMAP_NO_PFN - 1;
	fake_touch(&f, last);
	CHECK(!pkmap_forget(f.win, 0, 5, PKMAP_NOWAIT));
	CHECK(pkmap_pfn_to_addr(f.win, last));
	CHECK(!pkmap_forget(f.win, last, 1, PKMAP_NOWAIT));
	CHECK(!pkmap_pfn_to_addr(f.win, last));
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(ranges),
	UNIT_TEST(busy),
	UNIT_TEST(got_while_cleaning),
	UNIT_TEST(used_while_cleaning),
	UNIT_TEST(slots_are_free_again),
	UNIT_TEST(range_does_not_wrap),
	UNIT_TEST(waits_for_users),
	UNIT_TEST(looks_once_more),
	UNIT_TEST(local_maps),
	UNIT_TEST(local_map_that_closes),
	UNIT_TEST(waits_for_local_maps),
	UNIT_TEST(highest_pages),
	{ 0 },
};
