// SPDX-License-Identifier: MIT
/*
 * No thread waits for ever: more threads than slots, with every kind of
 * request.
 *
 * usage: stress_waiters [ROUNDS]
 *
 * While threads come and go all the time, a lost wake is made up for by the
 * next one.  In the hand-overs there is no next one.
 */
#include "stress.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SHORT_NS 20000u

static struct stress_window window;

static int map(struct worker *me, pkmap_pfn pfn, const struct pkmap_wait *wait,
	       void **addr)
{
	int err = pkmap_map(window.win, pfn, wait, addr);

	if (!err)
		stress_use(me, &window, *addr, pfn, false);
	return err;
}

static void unmap(struct worker *me, pkmap_pfn pfn, void *addr)
{
	stress_use(me, &window, addr, pfn, false);
	stress_must(pkmap_unmap(window.win, addr));
}

static void next_round(struct worker *me)
{
	atomic_fetch_add(&me->done, 1);
	sched_yield();
}

static void interrupt(struct worker *me)
{
	stress_pin(me, &window, stress_some_page(me, &window, true), true);
}

static void plain(struct worker *me)
{
	pkmap_pfn pfn;
	void *addr;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		pfn = stress_some_page(me, &window, false);
		atomic_store(&me->doing, "pkmap_map");
		stress_must(map(me, pfn, NULL, &addr));
		sched_yield();
		unmap(me, pfn, addr);
		next_round(me);
	}
}

/*
 * Holds a page and waits for another.  If fewer threads do this than there are
 * slots, one of them always gets its second page.
 */
static void nested(struct worker *me)
{
	pkmap_pfn outer;
	pkmap_pfn inner;
	void *outer_addr;
	void *inner_addr;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		outer = stress_some_page(me, &window, false);
		inner = stress_some_page(me, &window, false);
		atomic_store(&me->doing, "the outer pkmap_map");
		stress_must(map(me, outer, NULL, &outer_addr));
		atomic_store(&me->doing, "the inner pkmap_map");
		stress_must(map(me, inner, NULL, &inner_addr));
		sched_yield();
		unmap(me, inner, inner_addr);
		unmap(me, outer, outer_addr);
		next_round(me);
	}
}

static void limited(struct worker *me, const char *doing, uint64_t ns,
		    uint32_t flags, int expected)
{
	struct pkmap_wait wait = { .flags = flags };
	pkmap_pfn pfn = stress_some_page(me, &window, false);
	void *addr;
	int err;

	wait.deadline = ns ? pkmap_posix_deadline(ns) : PKMAP_NO_DEADLINE;
	atomic_store(&me->doing, doing);
	err = map(me, pfn, &wait, &addr);
	if (!err) {
		sched_yield();
		unmap(me, pfn, addr);
	} else if (err != expected) {
		stress_must(err);
	}
	next_round(me);
}

static void with_deadline(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++)
		limited(me, "pkmap_map with a deadline", SHORT_NS, 0,
			PKMAP_ETIMEDOUT);
}

/* Its own timer interrupts it. */
static void interruptible(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++)
		limited(me, "an interruptible pkmap_map", 0,
			PKMAP_WAIT_INTERRUPTIBLE, PKMAP_EINTR);
}

static void never_waiting(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++)
		limited(me, "pkmap_map that never waits", 0, PKMAP_WAIT_NEVER,
			PKMAP_EAGAIN);
}

static void two_pages(struct worker *me)
{
	pkmap_pfn pfns[2];
	void *addrs[2];
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		pfns[0] = stress_some_page(me, &window, false);
		pfns[1] = stress_some_page(me, &window, false);
		atomic_store(&me->doing, "pkmap_map_pages");
		stress_must(pkmap_map_pages(window.win, pfns, 2, NULL, addrs));
		stress_use(me, &window, addrs[0], pfns[0], false);
		stress_use(me, &window, addrs[1], pfns[1], false);
		sched_yield();
		unmap(me, pfns[0], addrs[0]);
		unmap(me, pfns[1], addrs[1]);
		next_round(me);
	}
}

static void flush(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "pkmap_flush_unused");
		pkmap_flush_unused(window.win);
		next_round(me);
	}
}

static void add(struct worker *workers, unsigned int *n, const char *role,
		void (*run)(struct worker *me), unsigned int how_many,
		unsigned long rounds)
{
	while (how_many--)
		workers[(*n)++] = (struct worker){
			.role = role,
			.run = run,
			.interrupt = interrupt,
			.rounds = rounds,
		};
}

static void test_all_kinds(unsigned long rounds)
{
	struct worker w[STRESS_WORKERS];
	unsigned int n = 0;

	stress_open(&window, 4, 16);
	add(w, &n, "nested", nested, 3, rounds);
	add(w, &n, "plain", plain, 2, rounds);
	add(w, &n, "deadline", with_deadline, 2, rounds);
	add(w, &n, "interruptible", interruptible, 2, rounds);
	add(w, &n, "never waiting", never_waiting, 2, rounds);
	add(w, &n, "two pages", two_pages, 3, rounds);
	add(w, &n, "flush", flush, 1, rounds);
	stress_run(w, n);
	stress_close(&window);
}

static void test_two_slots(unsigned long rounds)
{
	struct worker w[STRESS_WORKERS];
	unsigned int n = 0;

	stress_open(&window, 2, 8);
	add(w, &n, "two pages", two_pages, 6, rounds);
	add(w, &n, "plain", plain, 2, rounds);
	stress_run(w, n);
	stress_close(&window);
}

static void test_one_slot(unsigned long rounds)
{
	struct worker w[STRESS_WORKERS];
	unsigned int n = 0;

	stress_open(&window, 1, 8);
	add(w, &n, "plain", plain, 6, rounds);
	add(w, &n, "interruptible", interruptible, 2, rounds);
	stress_run(w, n);
	stress_close(&window);
}

/* One giver and two takers meet before and after each hand-over. */
#define PARTIES 3u

static atomic_ulong arrived;
static atomic_ulong taken;

static void meet(void)
{
	unsigned long mine = atomic_fetch_add(&arrived, 1);
	unsigned long all = (mine / PARTIES + 1) * PARTIES;

	while (atomic_load(&arrived) < all)
		sched_yield();
}

/* So that the others are asleep, or about to sleep, or not there yet. */
static void hesitate(struct worker *me)
{
	uint32_t r = stress_random(me, false);
	uint32_t i;

	for (i = r % 4; i > 0; i--)
		sched_yield();
	for (i = (r >> 8) % 1024; i > 0; i--)
		atomic_signal_fence(memory_order_seq_cst);
}

static void hand_over(uint32_t nslots, void (*give)(struct worker *me),
		      void (*take)(struct worker *me),
		      void (*take_too)(struct worker *me), unsigned long rounds)
{
	struct worker w[STRESS_WORKERS];
	unsigned int n = 0;
	unsigned int i;

	atomic_store(&arrived, 0);
	atomic_store(&taken, 0);
	stress_open(&window, nslots, 8);
	add(w, &n, "giver", give, 1, rounds);
	add(w, &n, "taker", take, 1, rounds);
	add(w, &n, "other taker", take_too, 1, rounds);
	/* A signal that ends a sleep would hide a lost wake. */
	for (i = 0; i < n; i++)
		w[i].interrupt = NULL;
	stress_run(w, n);
	stress_close(&window);
}

/*
 * A window of one slot.  The giver unmaps its page just when the takers map;
 * both map the same page and hold it until both have got it.
 */
static void give_one(struct worker *me)
{
	void *addr;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "the giver's pkmap_map");
		stress_must(map(me, 0, NULL, &addr));
		meet();
		hesitate(me);
		unmap(me, 0, addr);
		atomic_store(&me->doing, "waiting for the takers");
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

static void take_same(struct worker *me)
{
	void *addr;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		meet();
		atomic_store(&me->doing, "the taker's pkmap_map");
		stress_must(map(me, 1, NULL, &addr));
		atomic_store(&me->doing, "waiting for the other taker");
		atomic_fetch_add(&taken, 1);
		while (atomic_load(&taken) < (i + 1) * 2)
			sched_yield();
		unmap(me, 1, addr);
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

/*
 * A window of two slots, one of which the giver frees.  The taker that needs
 * two cannot use it, so the other taker, which needs one, must be woken too.
 */
static void give_one_then_other(struct worker *me)
{
	void *first;
	void *second;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "the giver's pkmap_map");
		stress_must(map(me, 0, NULL, &first));
		stress_must(map(me, 1, NULL, &second));
		meet();
		hesitate(me);
		unmap(me, 0, first);
		atomic_store(&me->doing, "waiting for the taker of one");
		while (atomic_load(&taken) <= i)
			sched_yield();
		unmap(me, 1, second);
		atomic_store(&me->doing, "waiting for the taker of two");
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

static void take_one(struct worker *me)
{
	void *addr;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		meet();
		atomic_store(&me->doing, "the taker's pkmap_map");
		stress_must(map(me, 2, NULL, &addr));
		unmap(me, 2, addr);
		atomic_fetch_add(&taken, 1);
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

static void take_two(struct worker *me)
{
	const pkmap_pfn pfns[] = { 3, 4 };
	void *addrs[2];
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		meet();
		atomic_store(&me->doing, "the taker's pkmap_map_pages");
		stress_must(pkmap_map_pages(window.win, pfns, 2, NULL, addrs));
		unmap(me, 3, addrs[0]);
		unmap(me, 4, addrs[1]);
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

static unsigned long waits(void)
{
	struct pkmap_stats stats;

	pkmap_read_stats(window.win, &stats);
	return stats.waits;
}

/*
 * A window of two slots, one of which the giver keeps for a while.  The takers
 * need two each, and must sleep only once each.  If they took the other slot
 * and put it back, they would keep waking each other.
 */
static void keep_one(struct worker *me)
{
	unsigned long before;
	void *addr;
	unsigned long i;
	int k;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "the giver's pkmap_map");
		stress_must(map(me, 0, NULL, &addr));
		before = waits();
		meet();
		for (k = 0; k < 16; k++)
			sched_yield();
		if (waits() - before > PARTIES - 1)
			stress_fail("two takers slept %lu times",
				    waits() - before);
		unmap(me, 0, addr);
		atomic_store(&me->doing, "waiting for the takers");
		meet();
		atomic_fetch_add(&me->done, 1);
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("1..6");
	test_all_kinds(rounds);
	puts("ok 1 - 15 threads wait for 4 slots in every way");
	test_two_slots(rounds);
	puts("ok 2 - 6 threads map two pages at once through 2 slots");
	test_one_slot(rounds);
	puts("ok 3 - 8 threads wait for 1 slot");
	hand_over(1, give_one, take_same, take_same, rounds);
	puts("ok 4 - a slot handed over wakes all who wait for its page");
	hand_over(2, give_one_then_other, take_two, take_one, rounds);
	puts("ok 5 - a slot that one waiter cannot use wakes the other");
	hand_over(2, keep_one, take_two, take_two, rounds);
	puts("ok 6 - waiters for two pages let each other sleep");
	return 0;
}
