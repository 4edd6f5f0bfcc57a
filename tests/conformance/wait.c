// SPDX-License-Identifier: MIT
/*
 * wait.c - conformance: what a map does when every slot is in use.
 *
 * The first task fills the window and lets a second one map another page.  The
 * count of waits tells it when that one sleeps, or is about to.
 */
#include "conformance_priv.h"

struct waiter {
	struct conformance *conf;
	struct pkmap_window *win;
	struct pkmap_wait wait;
	uint32_t npages; /* from page 8 on */
	pkmap_a32 done;
	int err;
	void *addrs[2];
	bool shown;
};

static void waiter_task(void *arg)
{
	struct waiter *w = arg;
	struct conformance *conf = w->conf;
	const pkmap_pfn pfns[] = { page(conf, 8), page(conf, 9) };
	uint32_t i;

	w->err = w->npages == 1 ?
			 pkmap_map(w->win, pfns[0], &w->wait, w->addrs) :
			 pkmap_map_pages(w->win, pfns, w->npages, &w->wait,
					 w->addrs);
	w->shown = !w->err;
	for (i = 0; !w->err && i < w->npages; i++) {
		conf_write(conf, w->addrs[i], pfns[i], 1);
		w->shown &= conf_shows(conf, w->addrs[i], pfns[i], 1);
		w->shown &= !pkmap_unmap(w->win, w->addrs[i]);
	}
	pkmap_a32_store_release(&w->done, 1);
}

static void waiter_init(struct waiter *w, struct conformance *conf,
			struct pkmap_window *win)
{
	*w = (struct waiter){
		.conf = conf,
		.win = win,
		.wait.deadline = conf->deadline(conf, LONG_NS),
		.npages = 1,
	};
	pkmap_a32_store_relaxed(&w->done, 0);
}

/* Starts the second task, and returns when it has begun to wait. */
static bool waiter_start(struct waiter *w)
{
	const unsigned long before = conf_stats(w->win).waits;
	struct conformance *conf = w->conf;

	CHECK(conf, conf->start(conf, waiter_task, w));
	while (conf_stats(w->win).waits == before &&
	       !pkmap_a32_load_acquire(&w->done))
		conf->relax(conf);
	if (!pkmap_a32_load_acquire(&w->done))
		return true;

	conf->join(conf);
	CHECK(conf, conf_stats(w->win).waits != before);
	return true;
}

static bool waiter_join(struct waiter *w, int err)
{
	struct conformance *conf = w->conf;

	conf->join(conf);
	CHECK(conf, w->err == err);
	CHECK(conf, w->err || w->shown);
	return true;
}

CONFORMANCE_TEST(test_nowait_full)
{
	void *held[2];
	void *addr = NULL;

	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, pkmap_map(win, page(conf, 2), PKMAP_NOWAIT, &addr) ==
			    PKMAP_EAGAIN);
	CHECK(conf, !addr);

	/* A hit needs no slot. */
	CHECK(conf, conf_map(conf, win, 1, 1, &addr));
	CHECK(conf, addr == held[1]);
	CHECK(conf, !pkmap_unmap(win, addr));

	CHECK(conf, !pkmap_unmap(win, held[0]));
	CHECK(conf, conf_map(conf, win, 2, 1, &held[0]));
	CHECK(conf, conf_unmap(conf, win, 2, held));
	CHECK(conf, !conf_stats(win).waits);
	return true;
}

CONFORMANCE_TEST(test_deadline)
{
	struct pkmap_wait wait = { 0 };
	void *held[2];
	void *addr = NULL;

	CHECK(conf, conf_map(conf, win, 0, 2, held));
	wait.deadline = conf->deadline(conf, SHORT_NS);
	CHECK(conf,
	      pkmap_map(win, page(conf, 2), &wait, &addr) == PKMAP_ETIMEDOUT);
	/* Now the deadline has passed before the call. */
	CHECK(conf,
	      pkmap_map(win, page(conf, 2), &wait, &addr) == PKMAP_ETIMEDOUT);
	CHECK(conf, !addr);

	/* A map that need not wait does not look at its deadline. */
	CHECK(conf, !pkmap_unmap(win, held[0]));
	CHECK(conf, !pkmap_map(win, page(conf, 2), &wait, &held[0]));
	CHECK(conf, conf_unmap(conf, win, 2, held));
	return true;
}

CONFORMANCE_TEST(test_woken_by_task)
{
	struct waiter w;
	void *held[2];

	waiter_init(&w, conf, win);
	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, waiter_start(&w));
	CHECK(conf, !pkmap_unmap(win, held[1]));
	CHECK(conf, waiter_join(&w, 0));
	CHECK(conf, !pkmap_unmap(win, held[0]));
	return true;
}

struct unmapper {
	struct pkmap_window *win;
	void *addr;
	int err;
};

static void unmap_handler(void *arg)
{
	struct unmapper *u = arg;

	u->err = pkmap_unmap(u->win, u->addr);
}

CONFORMANCE_TEST(test_woken_by_interrupt)
{
	struct unmapper u = { .win = win, .err = 1 };
	struct waiter w;
	void *held[2];

	waiter_init(&w, conf, win);
	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, waiter_start(&w));
	u.addr = held[1];
	conf->interrupt(conf, unmap_handler, &u);
	CHECK(conf, waiter_join(&w, 0));
	CHECK(conf, !u.err);
	CHECK(conf, !pkmap_unmap(win, held[0]));
	return true;
}

/* For two pages one slot is not enough, and the waiter sleeps again. */
CONFORMANCE_TEST(test_woken_pages)
{
	unsigned long waits;
	struct waiter w;
	void *held[3];

	waiter_init(&w, conf, win);
	w.npages = 2;
	CHECK(conf, conf_map(conf, win, 0, 3, held));
	CHECK(conf, waiter_start(&w));

	waits = conf_stats(win).waits;
	CHECK(conf, !pkmap_unmap(win, held[2]));
	while (conf_stats(win).waits == waits &&
	       !pkmap_a32_load_acquire(&w.done))
		conf->relax(conf);
	CHECK(conf, !pkmap_a32_load_acquire(&w.done));

	CHECK(conf, !pkmap_unmap(win, held[1]));
	CHECK(conf, waiter_join(&w, 0));
	CHECK(conf, !pkmap_unmap(win, held[0]));
	return true;
}

/* Disturbs it repeatedly, because it may not yet sleep the first time. */
CONFORMANCE_TEST(test_wait_disturbed)
{
	struct waiter w;
	void *held[2];

	if (!conf->disturb) {
		conf->skipped(conf, "no way to interrupt a wait");
		return true;
	}
	waiter_init(&w, conf, win);
	w.wait.flags = PKMAP_WAIT_INTERRUPTIBLE;
	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, waiter_start(&w));
	while (!pkmap_a32_load_acquire(&w.done)) {
		conf->disturb(conf);
		conf->relax(conf);
	}
	CHECK(conf, waiter_join(&w, PKMAP_EINTR));
	CHECK(conf, conf_unmap(conf, win, 2, held));
	return true;
}

CONFORMANCE_TEST(test_wait_not_interruptible)
{
	struct waiter w;
	void *held[2];
	uint32_t i;

	if (!conf->disturb) {
		conf->skipped(conf, "no way to interrupt a wait");
		return true;
	}
	waiter_init(&w, conf, win);
	CHECK(conf, conf_map(conf, win, 0, 2, held));
	CHECK(conf, waiter_start(&w));
	for (i = 0; i < 100; i++) {
		conf->disturb(conf);
		conf->relax(conf);
	}
	CHECK(conf, !pkmap_a32_load_acquire(&w.done));
	CHECK(conf, !pkmap_unmap(win, held[1]));
	CHECK(conf, waiter_join(&w, 0));
	CHECK(conf, !pkmap_unmap(win, held[0]));
	return true;
}
