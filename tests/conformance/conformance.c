// SPDX-License-Identifier: MIT
/*
 * conformance.c - the list of tests, how one is run, and what they share.
 */
#include "conformance_priv.h"

const struct conformance_test conformance_tests[] = {
	{ "map", 4, test_map },
	{ "map_nested", 2, test_map_nested },
	{ "unmap_is_lazy", 4, test_unmap_is_lazy },
	{ "content_follows_page", 4, test_content_follows_page },
	{ "content_other_route", 2, test_content_other_route },
	{ "pin_unmapped", 2, test_pin_unmapped },
	{ "pin_holds", 2, test_pin_holds },
	{ "pin_in_interrupt", 2, test_pin_in_interrupt },
	{ "unmap_in_interrupt", 2, test_unmap_in_interrupt },
	{ "unmap_pfn", 2, test_unmap_pfn },
	{ "map_pages", 4, test_map_pages },
	{ "map_pages_all_or_none", 3, test_map_pages_all_or_none },
	{ "read_only", 4, test_read_only },
	{ "nowait_full", 2, test_nowait_full },
	{ "deadline", 2, test_deadline },
	{ "woken_by_task", 2, test_woken_by_task },
	{ "woken_by_interrupt", 2, test_woken_by_interrupt },
	{ "woken_pages", 3, test_woken_pages },
	{ "wait_disturbed", 2, test_wait_disturbed },
	{ "wait_not_interruptible", 2, test_wait_not_interruptible },
	{ "flush_unused", 4, test_flush_unused },
	{ "forget_idle", 8, test_forget_idle },
	{ "forget_busy", 4, test_forget_busy },
	{ "lookups", 2, test_lookups },
	{ "stats", 4, test_stats },
	{ "misuse_unmap", 2, test_misuse_unmap },
	{ "misuse_address", 2, test_misuse_address },
	{ "misuse_pfn", 2, test_misuse_pfn },
	{ "misuse_impossible", 2, test_misuse_impossible },
	{ "fini_busy", 2, test_fini_busy },
	{ "two_windows", 2, test_two_windows },
	{ "local", 2, test_local },
	{ "local_of_mapped", 2, test_local_of_mapped },
	{ "local_reuses_address", 2, test_local_reuses_address },
	{ "local_nested", 2, test_local_nested },
	{ "local_order", 2, test_local_order },
	{ "local_in_interrupt", 2, test_local_in_interrupt },
	{ "dma", 4, test_dma },
	{ "dma_in_interrupt", 4, test_dma_in_interrupt },
	{ "dma_interrupted", 4, test_dma_interrupted },
	{ "dma_with_local_maps", 4, test_dma_with_local_maps },
	{ "dma_transfer", 2, test_dma_transfer },
};

const unsigned int conformance_ntests =
	sizeof(conformance_tests) / sizeof(conformance_tests[0]);

bool conformance_run(struct conformance *conf,
		     const struct conformance_test *test)
{
	struct pkmap_window *win;

	pkmap_a32_store_relaxed(&conf->nreports, 0);
	win = conf->open(conf, test->nslots * conf->colours, false);
	CHECK(conf, win);
	CHECK(conf, test->run(conf, win));
	CHECK(conf, !conf->close(conf, win));
	return true;
}

void conformance_report(struct conformance *conf,
			const struct pkmap_report *report)
{
	conf->report = *report;
	pkmap_a32_add_release(&conf->nreports, 1);
}

uint32_t conf_stamp(const struct conformance *conf, pkmap_pfn pfn,
		    uint32_t version, size_t offset)
{
	uint32_t i = (uint32_t)(pfn - conf->first_pfn);

	return (i * 64 + version) * 0x9e3779b1u + (uint32_t)offset;
}

void conf_write(const struct conformance *conf, void *addr, pkmap_pfn pfn,
		uint32_t version)
{
	volatile uint32_t *word = addr;
	size_t i;

	for (i = 0; i < conf->page_size / sizeof(*word); i++)
		word[i] = conf_stamp(conf, pfn, version, i * sizeof(*word));
}

bool conf_shows(const struct conformance *conf, const void *addr, pkmap_pfn pfn,
		uint32_t version)
{
	const volatile uint32_t *word = addr;
	size_t i;

	for (i = 0; i < conf->page_size / sizeof(*word); i++)
		if (word[i] !=
		    conf_stamp(conf, pfn, version, i * sizeof(*word)))
			return false;
	return true;
}

bool conf_map(struct conformance *conf, struct pkmap_window *win,
	      uint32_t first, uint32_t n, void **addrs)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		CHECK(conf, !pkmap_map(win, page(conf, first + i), PKMAP_NOWAIT,
				       &addrs[i]));
	return true;
}

bool conf_unmap(struct conformance *conf, struct pkmap_window *win, uint32_t n,
		void *const *addrs)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		CHECK(conf, !pkmap_unmap(win, addrs[i]));
	return true;
}

bool conf_is_torn_down(struct conformance *conf, void *addr)
{
	if (!conf->strict || !conf->faults)
		return true;
	return conf->faults(conf, addr, false);
}

struct pkmap_stats conf_stats(struct pkmap_window *win)
{
	struct pkmap_stats stats;

	pkmap_read_stats(win, &stats);
	return stats;
}
