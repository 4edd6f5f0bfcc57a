// SPDX-License-Identifier: MIT
/*
 * test_free.c - the free slots of each colour: all of them can be had, and no
 * two share a cache line for their words.
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

/* The default, which this test is built with, keeps CPUs apart. */
static void words_apart(void)
{
	uintptr_t word;
	uintptr_t next;
	struct fake f;
	uint32_t i;

	open_full(&f, 0);
	for (i = 0; i + 1 < FAKE_NSLOTS; i++) {
		word = (uintptr_t)slot_word(f.win, i);
		next = (uintptr_t)slot_word(f.win, i + 1);
		CHECK(next / PKMAP_ALIGN > word / PKMAP_ALIGN);
		CHECK(next - word == PKMAP_WORD_BYTES);
	}
	CHECK(next + PKMAP_WORD_BYTES <= (uintptr_t)(f.win->next - 1));
	fake_close(&f);
}

/* Each colour has a stack of its own.  The fake port checks the colours. */
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

/* All free slots can be had. */
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
	UNIT_TEST(words_apart),
	UNIT_TEST(many_colours),
	UNIT_TEST(few_left),
	{ 0 },
};
