// SPDX-License-Identifier: MIT
/*
 * Pins against reclaim: threads and timer signals pin pages, while other
 * threads keep mapping four times as many pages as the window has slots.
 *
 * usage: stress_pins [PAIRS [OVERLAPPED]]
 *
 * Runs until a page was pinned and unpinned PAIRS times, and OVERLAPPED of
 * these pairs overlapped a reclaim: translations were being torn down at some
 * time between the begin and the end of the pair.  Only pins that found their
 * page count.
 */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>

#define NSLOTS	64
#define NPAGES	256
#define PINNERS 2u
#define MAPPERS 2u
#define BLOCK	1000 /* pages between two checks of the total */
#define STAY	16   /* pins of a page in a row, while it is mapped */
#define HELD	4

struct pins {
	atomic_ulong pairs;
	atomic_ulong overlapped;
	atomic_ulong misses;
};

static struct stress_window window;
static unsigned long wanted;
static unsigned long wanted_overlapped;
static struct pins by_tasks;
static struct pins by_interrupts;

/* The counts of one owner, added to the total now and then. */
struct count {
	unsigned long pairs;
	unsigned long overlapped;
	unsigned long misses;
};

static unsigned long pairs(void)
{
	return atomic_load(&by_tasks.pairs) + atomic_load(&by_interrupts.pairs);
}

static unsigned long overlapped(void)
{
	return atomic_load(&by_tasks.overlapped) +
	       atomic_load(&by_interrupts.overlapped);
}

static bool go_on(void)
{
	return pairs() < wanted || overlapped() < wanted_overlapped;
}

static void add_up(struct pins *all, const struct count *count)
{
	atomic_fetch_add(&all->pairs, count->pairs);
	atomic_fetch_add(&all->overlapped, count->overlapped);
	atomic_fetch_add(&all->misses, count->misses);
}

static bool pin(struct worker *me, pkmap_pfn pfn, struct count *count,
		bool in_interrupt)
{
	unsigned int before = stress_reclaims();
	unsigned int after;

	if (!stress_pin(me, &window, pfn, in_interrupt)) {
		count->misses++;
		return false;
	}
	after = stress_reclaims();
	count->pairs++;
	count->overlapped += before & 1 || after != before;
	return true;
}

/* Pins the same page several times, to meet its reclaim. */
static void pin_a_page(struct worker *me, struct count *count,
		       bool in_interrupt)
{
	pkmap_pfn pfn = stress_some_page(me, &window, in_interrupt);
	int i;

	for (i = 0; i < STAY; i++)
		if (!pin(me, pfn, count, in_interrupt))
			break;
}

static void interrupt(struct worker *me)
{
	struct count count = { 0 };
	int i;

	for (i = 0; i < 4; i++)
		pin_a_page(me, &count, true);
	add_up(&by_interrupts, &count);
}

/* A pin must find a page in use, whatever other slots do meanwhile (I3). */
static void pin_held_page(struct worker *me, pkmap_pfn pfn, struct count *count)
{
	int i;

	for (i = 0; i < STAY; i++)
		if (!pin(me, pfn, count, false))
			stress_fail("I3: page %lu is held, but a pin did not "
				    "find it",
				    pfn);
}

static void pin_pages(struct worker *me)
{
	struct count count;
	pkmap_pfn held;
	void *addr;
	int i;

	while (go_on()) {
		count = (struct count){ 0 };
		held = stress_some_page(me, &window, false);
		atomic_store(&me->doing, "the pinner's pkmap_map");
		stress_must(pkmap_map(window.win, held, NULL, &addr));
		atomic_store(&me->doing, "pkmap_pin, pkmap_unmap");
		for (i = 0; i < BLOCK; i++) {
			pin_a_page(me, &count, false);
			pin_held_page(me, held, &count);
		}
		stress_must(pkmap_unmap(window.win, addr));
		add_up(&by_tasks, &count);
		atomic_fetch_add(&me->done, 1);
	}
}

/* Holds a few pages, so that reclaim must skip slots in use. */
static void map_pages(struct worker *me)
{
	pkmap_pfn pfn[HELD] = { 0 };
	void *addr[HELD] = { NULL };
	int i;

	for (i = 0; go_on(); i = (i + 1) % HELD) {
		atomic_store(&me->doing, "pkmap_unmap");
		if (addr[i]) {
			stress_use(me, &window, addr[i], pfn[i], false);
			stress_must(pkmap_unmap(window.win, addr[i]));
		}
		atomic_store(&me->doing, "pkmap_map");
		pfn[i] = stress_some_page(me, &window, false);
		stress_must(pkmap_map(window.win, pfn[i], NULL, &addr[i]));
		stress_use(me, &window, addr[i], pfn[i], false);
		atomic_fetch_add(&me->done, 1);
	}
	for (i = 0; i < HELD; i++)
		if (addr[i])
			stress_must(pkmap_unmap(window.win, addr[i]));
}

static void print(const char *who, const struct pins *pins)
{
	printf("# by %s: %lu pairs, %lu of them overlapped a reclaim; %lu "
	       "pages were not mapped\n",
	       who, atomic_load(&pins->pairs), atomic_load(&pins->overlapped),
	       atomic_load(&pins->misses));
}

int main(int argc, char **argv)
{
	struct worker workers[PINNERS + MAPPERS] = { 0 };
	struct pkmap_stats stats;
	unsigned int i;

	wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	wanted_overlapped = argc > 2 ? strtoul(argv[2], NULL, 0) : 10000;
	puts("1..1");
	fflush(stdout);
	stress_open(&window, NSLOTS, NPAGES);
	for (i = 0; i < PINNERS + MAPPERS; i++) {
		workers[i].role = i < PINNERS ? "pinner" : "mapper";
		workers[i].run = i < PINNERS ? pin_pages : map_pages;
		workers[i].interrupt = interrupt;
	}
	stress_run(workers, PINNERS + MAPPERS);
	pkmap_read_stats(window.win, &stats);
	stress_close(&window);

	print("tasks", &by_tasks);
	print("interrupts", &by_interrupts);
	printf("# %lu maps missed, %lu reclaims took %lu slots back\n",
	       stats.misses, stats.reclaims, stats.reclaimed);
	printf("ok 1 - %lu pins showed their page until the unmap, %lu of "
	       "them in a reclaim\n",
	       pairs(), overlapped());
	return 0;
}
