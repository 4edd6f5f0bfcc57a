// SPDX-License-Identifier: MIT
/*
 * test_stats.c - each counter, exactly, as one thread sees it.
 */
#include "tests/fake/fake_port.h"
#include "unit_test.h"

/* Compares all of them; those that a test does not name are zero. */
static void check_stats(struct fake *f, struct pkmap_stats expected)
{
	const struct pkmap_stats s = fake_stats(f);

	CHECK(s.hits == expected.hits);
	CHECK(s.misses == expected.misses);
	CHECK(s.pins == expected.pins);
	CHECK(s.pin_misses == expected.pin_misses);
	CHECK(s.local_maps == expected.local_maps);
	CHECK(s.reclaims == expected.reclaims);
	CHECK(s.reclaimed == expected.reclaimed);
	CHECK(s.tlb_flushes == expected.tlb_flushes);
	CHECK(s.waits == expected.waits);
	CHECK(s.misuses == expected.misuses);
}

static void maps_and_pins(void)
{
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	check_stats(&f, (struct pkmap_stats){ 0 });
	CHECK(!fake_pin(&f, 1));
	fake_touch(&f, 1);
	fake_touch(&f, 1);
	fake_touch(&f, 1);
	fake_unmap(&f, fake_pin(&f, 1));
	CHECK(!fake_pin(&f, 2));
	check_stats(&f, (struct pkmap_stats){
				.misses = 1,
				.hits = 2,
				.pins = 1,
				.pin_misses = 2,
			});
	fake_close(&f);
}

static void several_pages(void)
{
	const pkmap_pfn pfns[] = { 1, 2, 1, 3 };
	void *addrs[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	fake_open(&f);
	fake_touch(&f, 1);
	CHECK(!pkmap_map_pages(f.win, pfns, 4, NULL, addrs));
	check_stats(&f, (struct pkmap_stats){ .misses = 3, .hits = 2 });
	for (i = 0; i < 4; i++)
		fake_unmap(&f, addrs[i]);
	fake_close(&f);
}

static void reclaims(void)
{
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fake_touch_range(&f, 0, 4);
	check_stats(&f, (struct pkmap_stats){ .misses = 4 });
	fake_touch(&f, 4);
	check_stats(&f, (struct pkmap_stats){
				.misses = 5,
				.reclaims = 1,
				.reclaimed = 2,
				.tlb_flushes = 1,
			});
	fake_touch_range(&f, 5, 2);
	check_stats(&f, (struct pkmap_stats){
				.misses = 7,
				.reclaims = 2,
				.reclaimed = 4,
				.tlb_flushes = 2,
			});

	/* A flush and a forget free slots, but are not counted as reclaims. */
	CHECK(!pkmap_forget(f.win, 6, 1, PKMAP_NOWAIT));
	check_stats(&f, (struct pkmap_stats){
				.misses = 7,
				.reclaims = 2,
				.reclaimed = 5,
				.tlb_flushes = 3,
			});
	CHECK(pkmap_flush_unused(f.win) == 2);
	check_stats(&f, (struct pkmap_stats){
				.misses = 7,
				.reclaims = 2,
				.reclaimed = 7,
				.tlb_flushes = 4,
			});
	CHECK(pkmap_flush_unused(f.win) == 0);
	check_stats(&f, (struct pkmap_stats){
				.misses = 7,
				.reclaims = 2,
				.reclaimed = 7,
				.tlb_flushes = 4,
			});
	fake_close(&f);
}

static void waits(void)
{
	const struct pkmap_wait wait = { .deadline = 1 };
	void *held;
	void *addr;
	struct fake f;

	fake_init(&f);
	f.config.nslots = 1;
	fake_open(&f);
	held = fake_map(&f, 1);
	CHECK(pkmap_map(f.win, 2, &wait, &addr) == PKMAP_ETIMEDOUT);
	check_stats(&f, (struct pkmap_stats){ .misses = 1, .waits = 1 });
	CHECK(pkmap_map(f.win, 2, PKMAP_NOWAIT, &addr) == PKMAP_EAGAIN);
	check_stats(&f, (struct pkmap_stats){ .misses = 1, .waits = 1 });
	fake_unmap(&f, held);
	fake_close(&f);
}

static void failed_map_is_no_miss(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	f.set_error = PKMAP_EIO;
	CHECK(pkmap_map(f.win, 1, NULL, &addr) == PKMAP_EIO);
	CHECK(pkmap_map(f.win, FAKE_NPAGES, NULL, &addr) == PKMAP_ERANGE);
	check_stats(&f, (struct pkmap_stats){ .misuses = 1 });
	fake_close(&f);
}

/*
 * Local maps that pin count as pins, the others as local maps and pin misses.
 */
static void local_maps(void)
{
	void *outer;
	void *inner;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	outer = fake_local_map(&f, 1);
	inner = fake_local_map(&f, 1);
	check_stats(&f, (struct pkmap_stats){
				.local_maps = 1,
				.pin_misses = 2,
			});
	fake_local_unmap(&f, inner);
	fake_local_unmap(&f, outer);
	fake_touch(&f, 1);
	fake_local_unmap(&f, fake_local_map(&f, 1));
	check_stats(&f, (struct pkmap_stats){
				.local_maps = 1,
				.pin_misses = 2,
				.pins = 1,
				.misses = 1,
			});
	fake_close(&f);
}

static void misuses(void)
{
	struct fake f;
	uint32_t i;

	fake_init(&f);
	fake_open(&f);
	for (i = 1; i <= 5; i++) {
		CHECK(pkmap_unmap(f.win, fake_addr(&f, 0)) == PKMAP_EINVAL);
		check_stats(&f, (struct pkmap_stats){ .misuses = i });
	}
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(maps_and_pins),
	UNIT_TEST(several_pages),
	UNIT_TEST(reclaims),
	UNIT_TEST(waits),
	UNIT_TEST(failed_map_is_no_miss),
	UNIT_TEST(local_maps),
	UNIT_TEST(misuses),
	{ 0 },
};
