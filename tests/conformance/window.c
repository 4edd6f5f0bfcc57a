// SPDX-License-Identifier: MIT
/*
 * window.c - conformance: flush, forget, look-ups, statistics, misuse, the end.
 */
#include "conformance_priv.h"

CONFORMANCE_TEST(test_flush_unused)
{
	void *addrs[4];
	uint32_t i;

	CHECK(conf, pkmap_flush_unused(win) == 0);
	CHECK(conf, conf_map(conf, win, 0, 4, addrs));
	for (i = 0; i < 4; i++)
		conf_write(conf, addrs[i], page(conf, i), 1);
	CHECK(conf, conf_unmap(conf, win, 3, addrs));

	CHECK(conf, pkmap_flush_unused(win) == 3);
	for (i = 0; i < 3; i++) {
		CHECK(conf, !pkmap_pin(win, page(conf, i)));
		CHECK(conf, conf_is_torn_down(conf, addrs[i]));
	}
	CHECK(conf, conf_shows(conf, addrs[3], page(conf, 3), 1));
	CHECK(conf, !pkmap_unmap(win, addrs[3]));

	CHECK(conf, conf_map(conf, win, 0, 4, addrs));
	for (i = 0; i < 4; i++)
		CHECK(conf, conf_shows(conf, addrs[i], page(conf, i), 1));
	CHECK(conf, conf_unmap(conf, win, 4, addrs));
	return true;
}

/* Bit n of @expected says whether page n is mapped, for pages 0 to 7. */
static bool mapped_are(struct conformance *conf, struct pkmap_window *win,
		       uint32_t expected)
{
	uint32_t i;

	for (i = 0; i < 8; i++)
		CHECK(conf, !pkmap_pfn_to_addr(win, page(conf, i)) ==
				    !(expected >> i & 1));
	return true;
}

CONFORMANCE_TEST(test_forget_idle)
{
	void *addrs[8];

	CHECK(conf, conf_map(conf, win, 0, 8, addrs));
	CHECK(conf, conf_unmap(conf, win, 8, addrs));

	CHECK(conf, !pkmap_forget(win, page(conf, 3), 0, PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0xff));
	CHECK(conf, !pkmap_forget(win, page(conf, 3), 1, PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0xf7));
	CHECK(conf, conf_is_torn_down(conf, addrs[3]));
	CHECK(conf, !pkmap_forget(win, page(conf, 2), 3 * conf->colours,
				  PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0xe3));
	CHECK(conf, !pkmap_forget(win, page(conf, 7),
				  PKMAP_NO_PFN - page(conf, 7), PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0x63));
	CHECK(conf, !pkmap_forget(win, 0, PKMAP_NO_PFN, PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0));
	return true;
}

CONFORMANCE_TEST(test_forget_busy)
{
	void *addrs[4];

	CHECK(conf, conf_map(conf, win, 0, 4, addrs));
	conf_write(conf, addrs[1], page(conf, 1), 1);
	CHECK(conf, !pkmap_unmap(win, addrs[0]));
	CHECK(conf, !pkmap_unmap(win, addrs[2]));
	CHECK(conf, !pkmap_unmap(win, addrs[3]));

	CHECK(conf, pkmap_forget(win, page(conf, 0), 2 * conf->colours,
				 PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(conf, mapped_are(conf, win, 0xf));
	CHECK(conf,
	      !pkmap_forget(win, page(conf, 2), conf->colours, PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0xb));

	CHECK(conf, conf_shows(conf, addrs[1], page(conf, 1), 1));
	CHECK(conf, !pkmap_unmap(win, addrs[1]));
	CHECK(conf, !pkmap_forget(win, page(conf, 0), 2 * conf->colours,
				  PKMAP_NOWAIT));
	CHECK(conf, mapped_are(conf, win, 0x8));
	/* Finding a page busy is not a misuse. */
	CHECK(conf, !conf_stats(win).misuses);
	return true;
}

CONFORMANCE_TEST(test_lookups)
{
	pkmap_pfn pfn = page(conf, 5);
	char *addr;
	void *map;

	CHECK(conf, !pkmap_pfn_to_addr(win, pfn));
	CHECK(conf, conf_map(conf, win, 5, 1, &map));
	addr = map;
	CHECK(conf, pkmap_pfn_to_addr(win, pfn) == addr);
	CHECK(conf, pkmap_addr_to_pfn(win, addr) == pfn);
	CHECK(conf, pkmap_addr_to_pfn(win, addr + conf->page_size - 1) == pfn);
	CHECK(conf, pkmap_addr_to_pfn(win, &pfn) == PKMAP_NO_PFN);

	/* A look-up does not hold the page. */
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, pkmap_pfn_to_addr(win, pfn) == addr);
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));
	CHECK(conf, !pkmap_pfn_to_addr(win, pfn));
	CHECK(conf, pkmap_addr_to_pfn(win, addr) == PKMAP_NO_PFN);
	return true;
}

CONFORMANCE_TEST(test_stats)
{
	struct pkmap_stats stats = conf_stats(win);
	uint32_t i;
	void *addr;

	CHECK(conf, !stats.hits && !stats.misses && !stats.pins &&
			    !stats.pin_misses && !stats.reclaims &&
			    !stats.reclaimed && !stats.waits && !stats.misuses);
	CHECK(conf, !pkmap_pin(win, page(conf, 0)));
	for (i = 0; i < 8; i++) {
		CHECK(conf, conf_map(conf, win, i, 1, &addr));
		CHECK(conf, pkmap_pin(win, page(conf, i)) == addr);
		CHECK(conf, !pkmap_unmap(win, addr));
		CHECK(conf, conf_map(conf, win, i, 1, &addr));
		CHECK(conf, !pkmap_unmap(win, addr));
		CHECK(conf, !pkmap_unmap(win, addr));
	}
	stats = conf_stats(win);
	CHECK(conf, stats.hits == 8);
	CHECK(conf, stats.misses == 8);
	CHECK(conf, stats.pins == 8);
	CHECK(conf, stats.pin_misses == 1);
	CHECK(conf, stats.reclaims >= 1);
	CHECK(conf, stats.tlb_flushes == stats.reclaims || !stats.tlb_flushes);

	/* Each page that got a slot was reclaimed, or is still idle. */
	CHECK(conf, pkmap_flush_unused(win) == stats.misses - stats.reclaimed);
	CHECK(conf, conf_stats(win).reclaimed == stats.misses);
	CHECK(conf, conf_stats(win).reclaims == stats.reclaims);
	CHECK(conf, !conf_stats(win).misuses);
	return true;
}

/* Whether @n refusals were reported, the last one as @what. */
static bool reported(struct conformance *conf, struct pkmap_window *win,
		     uint32_t n, enum pkmap_misuse what, const void *addr,
		     pkmap_pfn pfn)
{
	CHECK(conf, pkmap_a32_load_acquire(&conf->nreports) == n);
	CHECK(conf, conf_stats(win).misuses == n);
	CHECK(conf, conf->report.what == what);
	CHECK(conf, conf->report.addr == addr);
	CHECK(conf, conf->report.pfn == pfn);
	CHECK(conf, conf->report.call);
	return true;
}

CONFORMANCE_TEST(test_misuse_unmap)
{
	pkmap_pfn pfn = page(conf, 0);
	void *addr;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, pkmap_unmap(win, addr) == PKMAP_EINVAL);
	CHECK(conf, reported(conf, win, 1, PKMAP_MISUSE_IDLE, addr, pfn));
	CHECK(conf, pkmap_pfn_to_addr(win, pfn) == addr);

	CHECK(conf, pkmap_flush_unused(win) == 1);
	CHECK(conf, pkmap_unmap(win, addr) == PKMAP_EINVAL);
	CHECK(conf,
	      reported(conf, win, 2, PKMAP_MISUSE_FREE, addr, PKMAP_NO_PFN));
	CHECK(conf, !pkmap_pin(win, pfn));
	return true;
}

CONFORMANCE_TEST(test_misuse_address)
{
	pkmap_pfn pfn = page(conf, 0);
	char *addr;
	void *map;

	CHECK(conf, conf_map(conf, win, 0, 1, &map));
	addr = map;
	CHECK(conf, pkmap_unmap(win, addr + 1) == PKMAP_EINVAL);
	CHECK(conf,
	      reported(conf, win, 1, PKMAP_MISUSE_UNALIGNED, addr + 1, pfn));
	CHECK(conf, pkmap_unmap(win, &pfn) == PKMAP_ERANGE);
	CHECK(conf,
	      reported(conf, win, 2, PKMAP_MISUSE_FOREIGN, &pfn, PKMAP_NO_PFN));
	CHECK(conf, pkmap_unmap(win, NULL) == PKMAP_ERANGE);
	CHECK(conf,
	      reported(conf, win, 3, PKMAP_MISUSE_FOREIGN, NULL, PKMAP_NO_PFN));

	/* None of these calls ended the map. */
	CHECK(conf, pkmap_forget(win, pfn, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));
	return true;
}

CONFORMANCE_TEST(test_misuse_pfn)
{
	const pkmap_pfn pfns[] = { page(conf, 0), PKMAP_NO_PFN };
	void *addrs[2] = { NULL, NULL };

	CHECK(conf, pkmap_map(win, PKMAP_NO_PFN, NULL, addrs) == PKMAP_ERANGE);
	CHECK(conf,
	      reported(conf, win, 1, PKMAP_MISUSE_PFN, NULL, PKMAP_NO_PFN));
	CHECK(conf, pkmap_map_pages(win, pfns, 2, NULL, addrs) == PKMAP_ERANGE);
	CHECK(conf,
	      reported(conf, win, 2, PKMAP_MISUSE_PFN, NULL, PKMAP_NO_PFN));
	CHECK(conf, !addrs[0]);
	CHECK(conf, !pkmap_pin(win, PKMAP_NO_PFN));
	CHECK(conf,
	      reported(conf, win, 3, PKMAP_MISUSE_PFN, NULL, PKMAP_NO_PFN));
	CHECK(conf, pkmap_local_map(win, PKMAP_NO_PFN, addrs) == PKMAP_ERANGE);
	CHECK(conf,
	      reported(conf, win, 4, PKMAP_MISUSE_PFN, NULL, PKMAP_NO_PFN));
	CHECK(conf, !addrs[0]);
	return true;
}

CONFORMANCE_TEST(test_misuse_impossible)
{
	const pkmap_pfn pfns[] = { page(conf, 0), page(conf, 1),
				   page(conf, 2) };
	void *addrs[3] = { NULL, NULL, NULL };
	struct pkmap_stats stats;

	CHECK(conf, pkmap_map_pages(win, pfns, 3, NULL, addrs) == PKMAP_EINVAL);
	stats = conf_stats(win);
	CHECK(conf, stats.misuses == 1 && !stats.misses);
	CHECK(conf, pkmap_a32_load_acquire(&conf->nreports) == 1);
	CHECK(conf, conf->report.what == PKMAP_MISUSE_IMPOSSIBLE);
	CHECK(conf, !addrs[0]);
	CHECK(conf, pkmap_map_pages(win, pfns, 0, NULL, addrs) == PKMAP_EINVAL);
	return true;
}

CONFORMANCE_TEST(test_fini_busy)
{
	pkmap_pfn pfn = page(conf, 0);
	void *addr;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	conf_write(conf, addr, pfn, 1);
	CHECK(conf, conf->close(conf, win) == PKMAP_EBUSY);
	CHECK(conf, reported(conf, win, 1, PKMAP_MISUSE_IN_USE, addr, pfn));
	CHECK(conf, conf->report.users == 1);
	CHECK(conf, conf_shows(conf, addr, pfn, 1));
	CHECK(conf, pkmap_pin(win, pfn) == addr);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_unmap(win, addr));
	return true;
}

/* Windows are independent of each other. */
CONFORMANCE_TEST(test_two_windows)
{
	struct pkmap_window *other = conf->open(conf, 2 * conf->colours, false);
	void *here[2];
	void *there[2];
	uint32_t i;

	CHECK(conf, other);
	CHECK(conf, conf_map(conf, win, 0, 2, here));
	CHECK(conf, conf_map(conf, other, 2, 2, there));
	for (i = 0; i < 2; i++) {
		conf_write(conf, here[i], page(conf, i), 1);
		conf_write(conf, there[i], page(conf, i + 2), 1);
	}
	CHECK(conf, !pkmap_pin(other, page(conf, 0)));
	CHECK(conf, pkmap_unmap(other, here[0]) == PKMAP_ERANGE);
	for (i = 0; i < 2; i++) {
		CHECK(conf, conf_shows(conf, here[i], page(conf, i), 1));
		CHECK(conf, conf_shows(conf, there[i], page(conf, i + 2), 1));
	}
	CHECK(conf, conf_unmap(conf, win, 2, here));
	CHECK(conf, conf_unmap(conf, other, 2, there));
	CHECK(conf, !conf->close(conf, other));
	return true;
}
