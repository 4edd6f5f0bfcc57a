// SPDX-License-Identifier: MIT
/*
 * local.c - conformance: local maps.  Nothing here sleeps while one is open.
 */
#include "conformance_priv.h"

CONFORMANCE_TEST(test_local)
{
	pkmap_pfn pfn = page(conf, 0);
	void *local;
	void *addr;

	CHECK(conf, !pkmap_local_map(win, pfn, &local));
	conf_write(conf, local, pfn, 1);
	CHECK(conf, conf_shows(conf, local, pfn, 1));
	CHECK(conf, pkmap_addr_to_pfn(win, local) == pfn);
	/* Only this CPU sees the page: the window does not show it. */
	CHECK(conf, !pkmap_pin(win, pfn));
	CHECK(conf, !pkmap_local_unmap(win, local));
	CHECK(conf, pkmap_addr_to_pfn(win, local) == PKMAP_NO_PFN);
	CHECK(conf, conf_is_torn_down(conf, local));

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	CHECK(conf, addr != local);
	CHECK(conf, conf_shows(conf, addr, pfn, 1));
	conf_write(conf, addr, pfn, 2);
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));

	CHECK(conf, !pkmap_local_map(win, pfn, &local));
	CHECK(conf, conf_shows(conf, local, pfn, 2));
	CHECK(conf, !pkmap_local_unmap(win, local));
	CHECK(conf, conf_stats(win).local_maps == 2);
	return true;
}

CONFORMANCE_TEST(test_local_of_mapped)
{
	pkmap_pfn pfn = page(conf, 0);
	void *addr;
	void *local;
	void *inner;

	CHECK(conf, conf_map(conf, win, 0, 1, &addr));
	conf_write(conf, addr, pfn, 1);
	CHECK(conf, !pkmap_local_map(win, pfn, &local));
	CHECK(conf, local == addr);
	CHECK(conf, !pkmap_local_map(win, pfn, &inner));
	CHECK(conf, inner == addr);
	CHECK(conf, !pkmap_local_unmap(win, inner));

	/* After the unmap the local map still holds the page. */
	CHECK(conf, !pkmap_unmap(win, addr));
	CHECK(conf, conf_shows(conf, local, pfn, 1));
	CHECK(conf, !pkmap_local_unmap(win, local));
	CHECK(conf, !pkmap_forget(win, pfn, 1, PKMAP_NOWAIT));
	CHECK(conf, !conf_stats(win).local_maps);
	return true;
}

CONFORMANCE_TEST(test_local_reuses_address)
{
	void *outer;
	void *other;
	void *inner;

	CHECK(conf, !pkmap_local_map(win, page(conf, 0), &outer));
	CHECK(conf, !pkmap_local_map(win, page(conf, 1), &other));
	CHECK(conf, !pkmap_local_map(win, page(conf, 0), &inner));
	CHECK(conf, inner == outer && other != outer);
	conf_write(conf, inner, page(conf, 0), 1);
	CHECK(conf, !pkmap_local_unmap(win, inner));
	CHECK(conf, !pkmap_local_unmap(win, other));
	CHECK(conf, conf_shows(conf, outer, page(conf, 0), 1));
	CHECK(conf, !pkmap_local_unmap(win, outer));
	CHECK(conf, conf_stats(win).local_maps == 2);
	return true;
}

/* As many local maps as the port promises, and not one more. */
CONFORMANCE_TEST(test_local_nested)
{
	void *addrs[CONFORMANCE_PAGES];
	void *addr = NULL;
	const uint32_t depth = conf->local_slots;
	uint32_t i;
	uint32_t j;

	CHECK(conf,
	      depth >= CONFORMANCE_LOCAL_SLOTS && depth < CONFORMANCE_PAGES);
	for (i = 0; i < depth; i++) {
		CHECK(conf, !pkmap_local_map(win, page(conf, i), &addrs[i]));
		conf_write(conf, addrs[i], page(conf, i), 1);
	}
	CHECK(conf, pkmap_local_map(win, page(conf, i), &addr) == PKMAP_EBUSY);
	CHECK(conf, !addr);
	CHECK(conf, conf->report.what == PKMAP_MISUSE_LOCAL_DEPTH);
	CHECK(conf, conf->report.pfn == page(conf, i));

	for (i = depth; i-- > 0;) {
		for (j = 0; j <= i; j++)
			CHECK(conf,
			      conf_shows(conf, addrs[j], page(conf, j), 1));
		CHECK(conf, !pkmap_local_unmap(win, addrs[i]));
	}
	CHECK(conf, conf_stats(win).misuses == 1);
	return true;
}

CONFORMANCE_TEST(test_local_order)
{
	void *outer;
	void *inner;

	CHECK(conf, !pkmap_local_map(win, page(conf, 0), &outer));
	CHECK(conf, !pkmap_local_map(win, page(conf, 1), &inner));
	conf_write(conf, outer, page(conf, 0), 1);
	conf_write(conf, inner, page(conf, 1), 1);
	CHECK(conf, pkmap_local_unmap(win, outer) == PKMAP_EINVAL);
	CHECK(conf, conf->report.what == PKMAP_MISUSE_LOCAL_ORDER);
	CHECK(conf, conf->report.addr == outer);
	/* Nor can a local map be ended with pkmap_unmap(). */
	CHECK(conf, pkmap_unmap(win, inner) == PKMAP_ERANGE);
	CHECK(conf, conf_shows(conf, outer, page(conf, 0), 1));
	CHECK(conf, conf_shows(conf, inner, page(conf, 1), 1));

	CHECK(conf, !pkmap_local_unmap(win, inner));
	CHECK(conf, !pkmap_local_unmap(win, outer));
	CHECK(conf, pkmap_local_unmap(win, outer) == PKMAP_EINVAL);
	CHECK(conf, conf_stats(win).misuses == 3);
	return true;
}

struct interrupt {
	struct conformance *conf;
	struct pkmap_window *win;
	void *outer; /* what the task has open, of page 0 */
	bool passed;
};

static bool local_check(struct conformance *conf, const struct interrupt *irq)
{
	void *same;
	void *other;

	CHECK(conf, !pkmap_local_map(irq->win, page(conf, 0), &same));
	CHECK(conf, same == irq->outer);
	CHECK(conf, !pkmap_local_map(irq->win, page(conf, 1), &other));
	CHECK(conf, other != same);
	conf_write(conf, same, page(conf, 0), 2);
	conf_write(conf, other, page(conf, 1), 2);
	CHECK(conf, conf_shows(conf, same, page(conf, 0), 2));
	CHECK(conf, !pkmap_local_unmap(irq->win, other));
	CHECK(conf, !pkmap_local_unmap(irq->win, same));
	return true;
}

static void local_handler(void *arg)
{
	struct interrupt *irq = arg;

	irq->passed = local_check(irq->conf, irq);
}

CONFORMANCE_TEST(test_local_in_interrupt)
{
	struct interrupt irq = { .conf = conf, .win = win };
	void *local;

	CHECK(conf, !pkmap_local_map(win, page(conf, 0), &irq.outer));
	conf->interrupt(conf, local_handler, &irq);
	CHECK(conf, irq.passed);
	CHECK(conf, conf_shows(conf, irq.outer, page(conf, 0), 2));
	CHECK(conf, !pkmap_local_unmap(win, irq.outer));

	CHECK(conf, !pkmap_local_map(win, page(conf, 1), &local));
	CHECK(conf, conf_shows(conf, local, page(conf, 1), 2));
	CHECK(conf, !pkmap_local_unmap(win, local));
	return true;
}
