// SPDX-License-Identifier: MIT
/*
 * carried.c - a reader stands on a slot that leaves its chain and comes back at
 * the chain's head, before a slot that was the last.  A reader that follows the
 * new link of the first slot and the old link of the second has missed the page
 * that it looks for, although the page is held all the while.
 *
 * Pages 0, 2 and 5 are in one chain of a window of three slots (pfn_bucket() in
 * src/window_priv.h): 2, 0, 5 at first, and 2, 5, 0 at the end.
 */
#include "scenario.h"

static void *held;

static void mapper(void)
{
	void *last;

	unmap(map(1));
	last = map(5);
	unmap(map(2));
	unmap(last);
}

static void reader(void)
{
	char *page = pin(0);

	if (page)
		unpin(page);
	unmap(held);
}

static void prepare(void)
{
	leave_mapped(5, 0x61);
	held = map(0);
	leave_mapped(2, 0x31);
	machine_task("mapper", 0, mapper);
	machine_task("reader", cpu_or_last(1), reader);
}

/* Both idle slots are freed at once, so that each of them moves. */
static void configure(struct machine_config *config)
{
	config->nslots = 3;
	config->npages = 6;
	config->batch = 2;
}

static bool makes_sense(const struct machine_config *config)
{
	return config->nslots == 3 && config->npages == 6 &&
	       config->cache.colours <= 1;
}

const struct scenario scenario_carried = {
	.name = "carried",
	.about = "a reader is carried to the head of its own chain",
	.configure = configure,
	.makes_sense = makes_sense,
	.prepare = prepare,
};
