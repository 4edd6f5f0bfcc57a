// SPDX-License-Identifier: MIT
/*
 * stray.c - a pin gets a slot that moves to another page at that moment.  Until
 * the pin undoes this, the slot looks used, while a task waits for it.
 */
#include "scenario.h"

static void *held;

static void mapper(void)
{
	unmap(map(2));
}

static void reader(void)
{
	char *page = pin(0);

	if (page)
		unpin(page);
}

static void waiter(void)
{
	unmap(map(0));
	unmap(held);
}

static void prepare(void)
{
	unmap(map(0));
	held = map(1);
	machine_task("mapper", 0, mapper);
	machine_task("reader", cpu_or_last(1), reader);
	machine_task("waiter", 0, waiter);
}

/* It shows the same on all machines, and has many states, so two must do. */
static bool makes_sense(const struct machine_config *config)
{
	if (config->ncpus == 1)
		return config->cache.kind == PKMAP_CACHE_VIVT;
	return config->cache.kind == PKMAP_CACHE_VIPT &&
	       config->cache.colours <= 1;
}

const struct scenario scenario_stray = {
	.name = "stray",
	.about = "a pin gets a slot that moves to another page",
	.makes_sense = makes_sense,
	.prepare = prepare,
};
