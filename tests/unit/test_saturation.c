// SPDX-License-Identifier: MIT
/*
 * test_saturation.c - a count that reaches its limit.  That takes too many maps
 * for a test, so the word is set to just below the limit.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

/* The slot really has one user, of page 7. */
static pkmap_a32 *near_the_limit(struct fake *f, void **addr)
{
	pkmap_a32 *word;
	uint32_t slot;

	fake_init(f);
	f->config.cache.kind = PKMAP_CACHE_VIVT;
	f->config.batch = 1;
	fake_open(f);
	*addr = fake_map(f, 7);
	slot = (uint32_t)(((uintptr_t)*addr - FAKE_BASE) / FAKE_PAGE);
	word = slot_word(f->win, slot);
	pkmap_a32_store_relaxed(word, (WORD_SATURATED - 2 * WORD_USER) |
					      WORD_MAPPED | WORD_REFERENCED);
	return word;
}

/* The test is over: back to one user, so that the window can end. */
static void back_to_normal(struct fake *f, pkmap_a32 *word, void *addr)
{
	pkmap_a32_store_relaxed(word, WORD_USER | WORD_MAPPED);
	fake_unmap(f, addr);
	fake_close(f);
}

static void below_the_limit(void)
{
	pkmap_a32 *word;
	struct fake f;
	uint32_t before;
	void *addr;

	word = near_the_limit(&f, &addr);
	before = pkmap_a32_load_relaxed(word);
	CHECK(fake_pin(&f, 7) == addr);
	CHECK(pkmap_a32_load_relaxed(word) == before + WORD_USER);
	fake_unmap(&f, addr);
	CHECK(pkmap_a32_load_relaxed(word) == before);
	CHECK(!fake_stats(&f).misuses);
	back_to_normal(&f, word, addr);
}

/* Gets succeed, puts do not count down, and there is one report. */
static void at_the_limit(void)
{
	pkmap_a32 *word;
	struct fake f;
	uint32_t stuck;
	uint32_t i;
	void *addr;

	word = near_the_limit(&f, &addr);
	for (i = 0; i < 10; i++) {
		CHECK(fake_pin(&f, 7) == addr);
		CHECK(fake_map(&f, 7) == addr);
	}
	CHECK(f.count[FAKE_REPORT] == 1);
	CHECK(f.report.what == PKMAP_MISUSE_SATURATED);
	CHECK(f.report.addr == addr && f.report.pfn == 7);
	CHECK(fake_stats(&f).misuses == 1);

	stuck = pkmap_a32_load_relaxed(word);
	CHECK(stuck & WORD_SATURATED);
	for (i = 0; i < 30; i++) {
		fake_unmap(&f, addr);
		CHECK(!pkmap_unmap_pfn(f.win, 7));
	}
	CHECK(fake_pin(&f, 7) == addr);
	CHECK(pkmap_a32_load_relaxed(word) == stuck);
	CHECK(f.count[FAKE_REPORT] == 1);
	CHECK(fake_stats(&f).pins == 11 && fake_stats(&f).hits == 10);
	back_to_normal(&f, word, addr);
}

/*
 * The get that reaches the limit is an ordinary one; its put takes no user off.
 */
static void just_at_the_limit(void)
{
	pkmap_a32 *word;
	struct fake f;
	uint32_t limit;
	void *addr;

	word = near_the_limit(&f, &addr);
	fake_pin(&f, 7);
	fake_pin(&f, 7);
	limit = WORD_SATURATED | WORD_MAPPED | WORD_REFERENCED;
	CHECK(pkmap_a32_load_relaxed(word) == limit);
	fake_unmap(&f, addr);
	CHECK(pkmap_a32_load_relaxed(word) == limit);
	CHECK(!f.count[FAKE_REPORT]);
	back_to_normal(&f, word, addr);
}

/*
 * Gets that were under way took their users off after the first one's report.
 */
static void a_little_below_for_good(void)
{
	pkmap_a32 *word;
	struct fake f;
	uint32_t below;
	void *addr;

	word = near_the_limit(&f, &addr);
	below = (WORD_SATURATED_FAR - 9 * WORD_USER) | WORD_MAPPED;
	pkmap_a32_store_relaxed(word, below);
	fake_pin(&f, 7);
	CHECK(pkmap_a32_load_relaxed(word) == below);
	CHECK(!f.count[FAKE_REPORT]);
	back_to_normal(&f, word, addr);
}

/*
 * The slot keeps its page whoever needs a slot; other pages share the others.
 */
static void never_recycled(void)
{
	pkmap_a32 *word;
	struct fake f;
	uint32_t i;
	void *addr;

	word = near_the_limit(&f, &addr);
	for (i = 0; i < 4; i++)
		CHECK(fake_pin(&f, 7) == addr);
	for (i = 0; i < 8; i++)
		fake_unmap(&f, addr);
	fake_touch_range(&f, 100, 20);
	CHECK(pkmap_flush_unused(f.win) == 3);
	CHECK(pkmap_forget(f.win, 7, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(pkmap_forget(f.win, 7, 1, NULL) == PKMAP_EBUSY);
	CHECK(!f.count[FAKE_WAIT]);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	CHECK(pkmap_pfn_to_addr(f.win, 7) == addr);
	CHECK(fake_pin(&f, 7) == addr);
	back_to_normal(&f, word, addr);
}

/* Gets by local maps and by map_pages() are gets like others. */
static void by_any_route(void)
{
	const pkmap_pfn pfns[] = { 7, 7, 7, 7 };
	pkmap_a32 *word;
	struct fake f;
	void *addr;
	void *addrs[4];

	word = near_the_limit(&f, &addr);
	CHECK(!pkmap_map_pages(f.win, pfns, 4, NULL, addrs));
	CHECK(addrs[3] == addr);
	CHECK(f.count[FAKE_REPORT] == 1);
	CHECK(fake_local_map(&f, 7) == addr);
	fake_local_unmap(&f, addr);
	CHECK(pkmap_a32_load_relaxed(word) & WORD_SATURATED);
	CHECK(f.count[FAKE_REPORT] == 1);
	back_to_normal(&f, word, addr);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(below_the_limit),
	UNIT_TEST(at_the_limit),
	UNIT_TEST(just_at_the_limit),
	UNIT_TEST(a_little_below_for_good),
	UNIT_TEST(never_recycled),
	UNIT_TEST(by_any_route),
	{ 0 },
};
