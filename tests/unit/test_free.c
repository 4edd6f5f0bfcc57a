// SPDX-License-Identifier: MIT
/*
 * test_free.c - in which order free slots are handed out.
 *
 * They are on several stacks, so that CPUs that were given slots one after the
 * other do not pull one cache line of words back and forth.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

static void open_full(struct fake *f, uint32_t colours)
{
	fake_init(f);
	f->config.nslots = FAKE_NSLOTS;
	f->config.local_slots = 0;
	if (colours) {
		f->config.cache.kind = PKMAP_CACHE_VIPT;
		f->config.cache.colours = colours;
	}
	fake_open(f);
}

static uint32_t line_of(uint32_t slot)
{
	return slot / SLOTS_PER_LINE;
}

/* Holds all slots, page @first in the first that is handed out, and so on. */
static void hold_all(struct fake *f, pkmap_pfn first, uint32_t *slots)
{
	bool seen[FAKE_NSLOTS] = { false };
	uint32_t i;

	for (i = 0; i < FAKE_NSLOTS; i++) {
		slots[i] = (uint32_t)addr_slot(f->win, fake_map(f, first + i));
		CHECK(slots[i] < FAKE_NSLOTS);
		CHECK(!seen[slots[i]]);
		seen[slots[i]] = true;
	}
	fake_clear_log(f);
}

static void let_go(struct fake *f, uint32_t n, const uint32_t *slots)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		fake_unmap(f, fake_addr(f, slots[i]));
}

static void check_lines(const uint32_t *slots, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < n; i++)
		CHECK(line_of(slots[i]) != line_of(slots[i - 1]));
}

static void new_window(void)
{
	uint32_t slots[FAKE_NSLOTS];
	struct fake f;

	open_full(&f, 0);
	hold_all(&f, 0, slots);
	check_lines(slots, FAKE_NSLOTS);
	let_go(&f, FAKE_NSLOTS, slots);
	fake_close(&f);
}

static void after_a_flush(void)
{
	uint32_t slots[FAKE_NSLOTS];
	struct fake f;

	open_full(&f, 0);
	hold_all(&f, 0, slots);
	let_go(&f, FAKE_NSLOTS, slots);
	CHECK(pkmap_flush_unused(f.win) == FAKE_NSLOTS);
	hold_all(&f, 100, slots);
	check_lines(slots, FAKE_NSLOTS);
	let_go(&f, FAKE_NSLOTS, slots);
	fake_close(&f);
}

/* Also in each batch of reclaim, half the window. */
static void after_reclaim(void)
{
	uint32_t slots[FAKE_NSLOTS];
	struct fake f;

	open_full(&f, 0);
	hold_all(&f, 0, slots);
	let_go(&f, FAKE_NSLOTS, slots);
	hold_all(&f, 100, slots);
	check_lines(slots, FAKE_NSLOTS / 2);
	check_lines(slots + FAKE_NSLOTS / 2, FAKE_NSLOTS / 2);
	let_go(&f, FAKE_NSLOTS, slots);
	fake_close(&f);
}

/*
 * More colours than words in a line: each has one stack.  The fake port checks
 * the colours.
 */
static void many_colours(void)
{
	uint32_t slots[FAKE_NSLOTS];
	struct fake f;

	open_full(&f, 32);
	hold_all(&f, 0, slots);
	let_go(&f, FAKE_NSLOTS, slots);
	hold_all(&f, 100, slots);
	let_go(&f, FAKE_NSLOTS, slots);
	fake_close(&f);
}

/* All free slots can be had, on whichever stack they are. */
static void few_left(void)
{
	uint32_t slots[FAKE_NSLOTS];
	struct fake f;
	void *addr;

	open_full(&f, 0);
	hold_all(&f, 0, slots);
	let_go(&f, 3, slots + 20);
	CHECK(pkmap_flush_unused(f.win) == 3);
	CHECK(fake_map(&f, 100) != fake_map(&f, 101));
	fake_map(&f, 102);
	CHECK(pkmap_map(f.win, 103, PKMAP_NOWAIT, &addr) == PKMAP_EAGAIN);
	let_go(&f, FAKE_NSLOTS, slots);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(new_window),	  UNIT_TEST(after_a_flush),
	UNIT_TEST(after_reclaim), UNIT_TEST(many_colours),
	UNIT_TEST(few_left),	  { 0 },
};
