// SPDX-License-Identifier: MIT
/*
 * map.c - conformance: map, unmap and pin show the page that was asked for.
 */
#include "conformance_priv.h"

CONFORMANCE_TEST(test_map)
{
	void *addrs[4];
	uint32_t i;

	CHECK(conf, conf_map(conf, win, 0, 4, addrs));
	for (i = 0; i < 4; i++) {
		CHECK(conf, !((uintptr_t)addrs[i] & (conf->page_size - 1)));
		conf_write(conf, addrs[i], page(conf, i), 1);
	}
	for (i = 0; i < 4; i++)
		CHECK(conf, conf_shows(conf, addrs[i], page(conf, i), 1));
	CHECK(conf, conf_unmap(conf, win, 4, addrs));
	return true;
}

CONFORMANCE_TEST(test_map_nested)
{
	void *outer;
	void *inner;
	void *addr;

	CHECK(conf, conf_map(conf, win, 0, 1, &outer));
	CHECK(conf, conf_map(conf, win, 0, 1, &inner));
	CHECK(conf, inner == outer);
	CHECK(conf, !pkmap_unmap(win, inner));

	/* The outer map holds the page while other pages use the other slot. */
	conf_write(conf, outer, page(conf, 0), 1);
	CHECK(conf, conf_map(conf, win, 1, 1, &addr));
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, conf_map(conf, win, 2, 1, &addr));
	conf_write(conf, addr, page(conf, 2), 1);
	CHECK(conf, conf_shows(conf, outer, page(conf, 0), 1));
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_unmap(win, outer));
	return true;
}

CONFORMANCE_TEST(test_unmap_is_lazy)
{
	struct pkmap_stats before;
	struct pkmap_stats after;
	void *addr;
	void *again;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	conf_write(conf, addr, page(conf, 0), 1);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, pkmap_pfn_to_addr(win, page(conf, 0)) == addr);

	before = conf_stats(win);
	CHECK(conf, conf_map(conf, win, 0, 1, &again));
	after = conf_stats(win);
	CHECK(conf, again == addr);
	CHECK(conf, after.misses == before.misses);
	CHECK(conf, conf_shows(conf, again, page(conf, 0), 1));
	CHECK(conf, !pkmap_unmap(win, again));
	return true;
}

/* One round over all pages, @stride (odd) pages apart. */
static bool content_round(struct conformance *conf, struct pkmap_window *win,
			  uint32_t stride, uint32_t version)
{
	uint32_t i;
	uint32_t at;
	void *addr;

	for (i = 0; i < CONFORMANCE_PAGES; i++) {
		at = i * stride % CONFORMANCE_PAGES;
		CHECK(conf, conf_map(conf, win, at, 1, &addr));
		if (version)
			CHECK(conf, conf_shows(conf, addr, page(conf, at),
					       version - 1));
		conf_write(conf, addr, page(conf, at), version);
		CHECK(conf, !pkmap_unmap(win, addr));
	}
	return true;
}

CONFORMANCE_TEST(test_content_follows_page)
{
	CHECK(conf, content_round(conf, win, 1, 0));
	CHECK(conf, content_round(conf, win, 1, 1));
	CHECK(conf, content_round(conf, win, 5, 2));
	CHECK(conf, content_round(conf, win, CONFORMANCE_PAGES - 1, 3));
	CHECK(conf, conf_stats(win).reclaimed >= 3 * CONFORMANCE_PAGES);
	return true;
}

/* Each route reads what the other wrote, once the page is not mapped. */
CONFORMANCE_TEST(test_content_other_route)
{
	const size_t last = conf->page_size - sizeof(uint32_t);
	pkmap_pfn pfn = page(conf, 7);
	uint32_t *word;
	void *addr;

	if (!conf->peek) {
		conf->skipped(conf, "no other route to a page");
		return true;
	}
	CHECK(conf, conf_map(conf, win, 7, 1, &addr));
	conf_write(conf, addr, pfn, 1);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));
	CHECK(conf, conf->peek(conf, pfn, 0) == conf_stamp(conf, pfn, 1, 0));
	CHECK(conf,
	      conf->peek(conf, pfn, last) == conf_stamp(conf, pfn, 1, last));

	conf->poke(conf, pfn, last, 0x600d);
	CHECK(conf, conf_map(conf, win, 7, 1, &addr));
	word = addr;
	CHECK(conf, word[last / sizeof(*word)] == 0x600d);
	CHECK(conf, !pkmap_unmap(win, addr));
	return true;
}

CONFORMANCE_TEST(test_pin_unmapped)
{
	void *addr;

	CHECK(conf, !pkmap_pin(win, page(conf, 0)));
	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	CHECK(conf, !pkmap_pin(win, page(conf, 1)));
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_forget(win, page(conf, 0), 1, PKMAP_NOWAIT));
	CHECK(conf, !pkmap_pin(win, page(conf, 0)));
	return true;
}

CONFORMANCE_TEST(test_pin_holds)
{
	pkmap_pfn pfn = page(conf, 0);
	void *addr;
	void *pinned;
	uint32_t i;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	conf_write(conf, addr, pfn, 1);
	CHECK(conf, pkmap_pin(win, pfn) == addr);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_unmap(win, addr));

	/* The page is idle when it is pinned; others share the other slot. */
	pinned = pkmap_pin(win, pfn);
	CHECK(conf, pinned == addr);
	for (i = 1; i < 6; i++) {
		CHECK(conf, conf_map(conf, win, i, 1, &addr));
		CHECK(conf, addr != pinned);
		conf_write(conf, addr, page(conf, i), 1);
		CHECK(conf, !pkmap_unmap(win, addr));
	}
	CHECK(conf, conf_shows(conf, pinned, pfn, 1));
	CHECK(conf, !pkmap_unmap(win, pinned));

	/* Once the pin ends, the slot is recycled again. */
	CHECK(conf, pkmap_flush_unused(win) == 2);
	CHECK(conf, conf_is_torn_down(conf, pinned));
	return true;
}

struct interrupt {
	struct conformance *conf;
	struct pkmap_window *win;
	void *addr;
	bool passed;
};

static bool pin_check(struct conformance *conf, const struct interrupt *irq)
{
	void *addr = pkmap_pin(irq->win, page(conf, 0));

	CHECK(conf, addr == irq->addr);
	CHECK(conf, conf_shows(conf, addr, page(conf, 0), 1));
	CHECK(conf, !pkmap_unmap(irq->win, addr));
	CHECK(conf, !pkmap_pin(irq->win, page(conf, 1)));
	return true;
}

static void pin_handler(void *arg)
{
	struct interrupt *irq = arg;

	irq->passed = pin_check(irq->conf, irq);
}

CONFORMANCE_TEST(test_pin_in_interrupt)
{
	struct interrupt irq = { .conf = conf, .win = win };

	CHECK(conf, conf_map(conf, win, 0, 1, &irq.addr));
	conf_write(conf, irq.addr, page(conf, 0), 1);
	conf->interrupt(conf, pin_handler, &irq);
	CHECK(conf, irq.passed);

	/* The same with the page idle. */
	CHECK(conf, !pkmap_unmap(win, irq.addr));
	irq.passed = false;
	conf->interrupt(conf, pin_handler, &irq);
	CHECK(conf, irq.passed);
	return true;
}

static void unmap_handler(void *arg)
{
	struct interrupt *irq = arg;

	irq->passed = !pkmap_unmap(irq->win, irq->addr);
}

CONFORMANCE_TEST(test_unmap_pfn)
{
	pkmap_pfn pfn = page(conf, 0);
	void *addr;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	CHECK(conf, pkmap_pin(win, pfn) == addr);
	CHECK(conf, !pkmap_unmap_pfn(win, pfn));
	CHECK(conf, pkmap_forget(win, pfn, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(conf, !pkmap_unmap_pfn(win, pfn));
	CHECK(conf, pkmap_unmap_pfn(win, pfn) == PKMAP_EINVAL);
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));
	CHECK(conf, pkmap_unmap_pfn(win, pfn) == PKMAP_EINVAL);
	CHECK(conf, conf_stats(win).misuses == 2);
	return true;
}

CONFORMANCE_TEST(test_unmap_in_interrupt)
{
	struct interrupt irq = { .conf = conf, .win = win };

	CHECK(conf, conf_map(conf, win, 0, 1, &irq.addr));
	CHECK(conf,
	      pkmap_forget(win, page(conf, 0), 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	conf->interrupt(conf, unmap_handler, &irq);
	CHECK(conf, irq.passed);
	CHECK(conf, !pkmap_forget(win, page(conf, 0), 1, PKMAP_NOWAIT));
	return true;
}

CONFORMANCE_TEST(test_map_pages)
{
	/* Page 1 is mapped already; page 2 is asked for twice. */
	const pkmap_pfn pfns[] = {
		page(conf, 3),
		page(conf, 2),
		page(conf, 1),
		page(conf, 2),
	};
	void *addrs[4];
	void *addr;
	uint32_t i;

	CHECK(conf, conf_map(conf, win, 1, 1, &addr));
	CHECK(conf, !pkmap_map_pages(win, pfns, 4, PKMAP_NOWAIT, addrs));
	CHECK(conf, addrs[2] == addr);
	CHECK(conf, addrs[3] == addrs[1]);
	for (i = 0; i < 4; i++)
		conf_write(conf, addrs[i], pfns[i], 1);
	for (i = 0; i < 4; i++)
		CHECK(conf, conf_shows(conf, addrs[i], pfns[i], 1));
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, conf_unmap(conf, win, 4, addrs));
	CHECK(conf, !pkmap_forget(win, page(conf, 0), 4 * conf->colours,
				  PKMAP_NOWAIT));
	return true;
}

CONFORMANCE_TEST(test_map_pages_all_or_none)
{
	const pkmap_pfn pfns[] = { page(conf, 2), page(conf, 3) };
	void *held[2];
	void *addrs[2] = { NULL, NULL };

	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, pkmap_map_pages(win, pfns, 2, PKMAP_NOWAIT, addrs) ==
			    PKMAP_EAGAIN);
	CHECK(conf, !addrs[0] && !addrs[1]);
	/* None of the pages is in use. */
	CHECK(conf,
	      !pkmap_forget(win, pfns[0], conf->colours + 1, PKMAP_NOWAIT));

	CHECK(conf, !pkmap_unmap(win, held[0]));
	CHECK(conf, !pkmap_map_pages(win, pfns, 2, PKMAP_NOWAIT, addrs));
	CHECK(conf, conf_unmap(conf, win, 2, addrs));
	CHECK(conf, !pkmap_unmap(win, held[1]));
	return true;
}

static bool read_only_check(struct conformance *conf, struct pkmap_window *win)
{
	void *addr;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		CHECK(conf, conf_map(conf, win, i, 1, &addr));
		CHECK(conf, conf_shows(conf, addr, page(conf, i), 1));
		if (conf->faults) {
			CHECK(conf, !conf->faults(conf, addr, false));
			CHECK(conf, conf->faults(conf, addr, true));
		}
		CHECK(conf, !pkmap_unmap(win, addr));
	}
	return true;
}

/* A second window shows the same pages, and no store through it succeeds. */
CONFORMANCE_TEST(test_read_only)
{
	struct pkmap_window *read_only;
	void *addr;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		CHECK(conf, conf_map(conf, win, i, 1, &addr));
		if (conf->faults)
			CHECK(conf, !conf->faults(conf, addr, true));
		conf_write(conf, addr, page(conf, i), 1);
		CHECK(conf, !pkmap_unmap(win, addr));
	}
	pkmap_flush_unused(win);

	read_only = conf->open(conf, 4 * conf->colours, true);
	CHECK(conf, read_only);
	CHECK(conf, read_only_check(conf, read_only));
	CHECK(conf, !conf->close(conf, read_only));
	return true;
}
