// SPDX-License-Identifier: MIT
/*
 * test_misuse.c - every misuse: refused, nothing changed, and each field of its
 * report (I10).
 */
#include "tests/fake/fake_port.h"
#include "unit_test.h"

#include <string.h>

/* One more report than before, which says this; and nothing changed. */
static void check_report(struct fake *f, unsigned int n,
			 struct pkmap_report expected)
{
	CHECK(f->count[FAKE_REPORT] == n);
	CHECK(fake_stats(f).misuses == n);
	CHECK(f->report.what == expected.what);
	CHECK(!strcmp(f->report.call, expected.call));
	CHECK(f->report.addr == expected.addr);
	CHECK(f->report.pfn == expected.pfn);
	CHECK(f->report.slot == expected.slot);
	CHECK(f->report.users == expected.users);
	fake_check_index(f);
}

static uint32_t slot_of_addr(const void *addr)
{
	return (uint32_t)(((uintptr_t)addr - FAKE_BASE) / FAKE_PAGE);
}

static void unmap_idle(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_map(&f, 5);
	fake_unmap(&f, addr);
	CHECK(pkmap_unmap(f.win, addr) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_IDLE,
			     .call = "pkmap_unmap",
			     .addr = addr,
			     .pfn = 5,
			     .slot = slot_of_addr(addr),
		     });
	/* The page can be used, and its slot reclaimed, as before. */
	fake_touch(&f, 5);
	CHECK(pkmap_flush_unused(f.win) == 1);
	fake_close(&f);
}

/*
 * By page number: the page is held no more, was never mapped, or does not
 * exist.
 */
static void unmap_by_pfn(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_map(&f, 5);
	CHECK(fake_map(&f, 5) == addr);
	CHECK(!pkmap_unmap_pfn(f.win, 5));
	CHECK(pkmap_forget(f.win, 5, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(!pkmap_unmap_pfn(f.win, 5));
	CHECK(pkmap_unmap_pfn(f.win, 5) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_IDLE,
			     .call = "pkmap_unmap_pfn",
			     .addr = addr,
			     .pfn = 5,
			     .slot = slot_of_addr(addr),
		     });
	CHECK(pkmap_flush_unused(f.win) == 1);
	CHECK(pkmap_unmap_pfn(f.win, 5) == PKMAP_EINVAL);
	check_report(&f, 2,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_FREE,
			     .call = "pkmap_unmap_pfn",
			     .pfn = 5,
			     .slot = PKMAP_NO_SLOT,
		     });
	CHECK(pkmap_unmap_pfn(f.win, FAKE_NPAGES) == PKMAP_ERANGE);
	check_report(&f, 3,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_PFN,
			     .call = "pkmap_unmap_pfn",
			     .pfn = FAKE_NPAGES,
			     .slot = PKMAP_NO_SLOT,
		     });
	fake_touch_range(&f, 0, 4);
	fake_close(&f);
}

static void unmap_free(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_addr(&f, 2);
	CHECK(pkmap_unmap(f.win, addr) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_FREE,
			     .call = "pkmap_unmap",
			     .addr = addr,
			     .pfn = PKMAP_NO_PFN,
			     .slot = 2,
		     });
	/* All four slots can be had. */
	fake_touch_range(&f, 0, 4);
	CHECK(!fake_stats(&f).reclaims);
	fake_close(&f);
}

static void unmap_foreign(void)
{
	void *const foreign[] = {
		NULL,
		(char *)FAKE_BASE - FAKE_PAGE,
		(char *)FAKE_BASE + 4 * FAKE_PAGE,
		(char *)FAKE_BASE - 1,
		(void *)UINTPTR_MAX,
	};
	struct fake f;
	uint32_t i;

	fake_init(&f);
	fake_open(&f);
	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		CHECK(pkmap_unmap(f.win, foreign[i]) == PKMAP_ERANGE);
		check_report(&f, i + 1,
			     (struct pkmap_report){
				     .what = PKMAP_MISUSE_FOREIGN,
				     .call = "pkmap_unmap",
				     .addr = foreign[i],
				     .pfn = PKMAP_NO_PFN,
				     .slot = PKMAP_NO_SLOT,
			     });
	}
	fake_close(&f);
}

static void unmap_unaligned(void)
{
	struct fake f;
	char *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_map(&f, 5);
	CHECK(pkmap_unmap(f.win, addr + 8) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_UNALIGNED,
			     .call = "pkmap_unmap",
			     .addr = addr + 8,
			     .pfn = 5,
			     .slot = slot_of_addr(addr),
		     });
	CHECK(pkmap_forget(f.win, 5, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	fake_unmap(&f, addr);
	fake_close(&f);
}

/* The address of a local map is not one of the window. */
static void unmap_local(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_local_map(&f, 5);
	CHECK(pkmap_unmap(f.win, addr) == PKMAP_ERANGE);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_FOREIGN,
			     .call = "pkmap_unmap",
			     .addr = addr,
			     .pfn = PKMAP_NO_PFN,
			     .slot = PKMAP_NO_SLOT,
		     });
	fake_local_unmap(&f, addr);
	fake_close(&f);
}

/* The port names a CPU that the window does not have. */
static void unknown_cpu(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	f.cpu = 2;
	CHECK(pkmap_local_map(f.win, 5, &addr) == PKMAP_EINVAL);
	CHECK(!f.entered[f.cpu]);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_CPU,
			     .call = "pkmap_local_map",
			     .pfn = 5,
			     .slot = PKMAP_NO_SLOT,
		     });
	f.entered[f.cpu] = 1;
	CHECK(pkmap_local_unmap(f.win, f.win) == PKMAP_EINVAL);
	f.entered[f.cpu] = 0;
	f.cpu = 0;
	fake_close(&f);
}

/* On VIVT a map of a page with an open local map would be a second address. */
static void map_of_local_map(void)
{
	const pkmap_pfn pfns[] = { 6, 5 };
	void *addrs[2];
	struct fake f;
	void *local;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&f);
	local = fake_local_map(&f, 5);
	CHECK(pkmap_map(f.win, 5, PKMAP_NOWAIT, addrs) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_LOCAL_OPEN,
			     .call = "pkmap_map",
			     .pfn = 5,
			     .slot = PKMAP_NO_SLOT,
		     });
	CHECK(pkmap_map_pages(f.win, pfns, 2, PKMAP_NOWAIT, addrs) ==
	      PKMAP_EINVAL);
	CHECK(!pkmap_map(f.win, 6, PKMAP_NOWAIT, addrs));
	fake_unmap(&f, addrs[0]);
	fake_local_unmap(&f, local);
	CHECK(!pkmap_map(f.win, 5, PKMAP_NOWAIT, addrs));
	fake_unmap(&f, addrs[0]);
	fake_close(&f);
}

static void pfn_out_of_range(void)
{
	const pkmap_pfn pfns[] = { 100, 99 };
	struct pkmap_report report = {
		.what = PKMAP_MISUSE_PFN,
		.slot = PKMAP_NO_SLOT,
		.pfn = 99,
	};
	void *addrs[2] = { NULL, NULL };
	struct fake f;

	fake_init(&f);
	f.config.first_pfn = 100;
	fake_open(&f);
	report.call = "pkmap_map";
	CHECK(pkmap_map(f.win, 99, NULL, addrs) == PKMAP_ERANGE);
	check_report(&f, 1, report);
	report.call = "pkmap_map_pages";
	CHECK(pkmap_map_pages(f.win, pfns, 2, NULL, addrs) == PKMAP_ERANGE);
	check_report(&f, 2, report);
	report.call = "pkmap_pin";
	CHECK(!pkmap_pin(f.win, 99));
	check_report(&f, 3, report);

	report.pfn = 100 + FAKE_NPAGES;
	CHECK(!pkmap_pin(f.win, report.pfn));
	check_report(&f, 4, report);
	report.call = "pkmap_local_map";
	CHECK(pkmap_local_map(f.win, report.pfn, addrs) == PKMAP_ERANGE);
	check_report(&f, 5, report);
	CHECK(!addrs[0] && !f.entered[f.cpu]);
	CHECK(!f.count[FAKE_LOCK] && !f.count[FAKE_SET]);
	fake_close(&f);
}

static void impossible_request(void)
{
	const pkmap_pfn pfns[] = { 1, 2, 3, 4, 5, 6 };
	void *addrs[6] = { NULL };
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	CHECK(pkmap_map_pages(f.win, pfns, 6, NULL, addrs) == PKMAP_EINVAL);
	CHECK(f.report.pfn >= 1 && f.report.pfn <= 6);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_IMPOSSIBLE,
			     .call = "pkmap_map_pages",
			     .pfn = f.report.pfn,
			     .slot = PKMAP_NO_SLOT,
		     });
	CHECK(!addrs[0] && !f.count[FAKE_LOCK]);
	CHECK(pkmap_map_pages(f.win, pfns, 0, NULL, addrs) == PKMAP_EINVAL);
	CHECK(f.count[FAKE_REPORT] == 1);
	fake_close(&f);
}

static void local_order(void)
{
	void *outer;
	void *inner;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	outer = fake_local_map(&f, 1);
	inner = fake_local_map(&f, 2);
	CHECK(pkmap_local_unmap(f.win, outer) == PKMAP_EINVAL);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_LOCAL_ORDER,
			     .call = "pkmap_local_unmap",
			     .addr = outer,
			     .pfn = PKMAP_NO_PFN,
			     .slot = PKMAP_NO_SLOT,
		     });
	fake_local_unmap(&f, inner);
	fake_local_unmap(&f, outer);
	fake_close(&f);
}

static void local_depth(void)
{
	void *addrs[5];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	fake_open(&f);
	for (i = 0; i < 4; i++)
		addrs[i] = fake_local_map(&f, i);
	CHECK(pkmap_local_map(f.win, 4, &addrs[4]) == PKMAP_EBUSY);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_LOCAL_DEPTH,
			     .call = "pkmap_local_map",
			     .pfn = 4,
			     .slot = PKMAP_NO_SLOT,
		     });
	for (i = 4; i-- > 0;)
		fake_local_unmap(&f, addrs[i]);
	fake_close(&f);
}

static void fini_in_use(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	addr = fake_map(&f, 1);
	CHECK(pkmap_fini(f.win) == PKMAP_EBUSY);
	check_report(&f, 1,
		     (struct pkmap_report){
			     .what = PKMAP_MISUSE_IN_USE,
			     .call = "pkmap_fini",
			     .addr = addr,
			     .pfn = 1,
			     .slot = slot_of_addr(addr),
			     .users = 1,
		     });
	CHECK(fake_read(&f, addr) == 0);
	fake_unmap(&f, addr);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(unmap_idle),	     UNIT_TEST(unmap_by_pfn),
	UNIT_TEST(unmap_free),	     UNIT_TEST(unmap_foreign),
	UNIT_TEST(unmap_unaligned),  UNIT_TEST(unmap_local),
	UNIT_TEST(unknown_cpu),	     UNIT_TEST(map_of_local_map),
	UNIT_TEST(pfn_out_of_range), UNIT_TEST(impossible_request),
	UNIT_TEST(local_order),	     UNIT_TEST(local_depth),
	UNIT_TEST(fini_in_use),	     { 0 },
};
