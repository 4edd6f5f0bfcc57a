// SPDX-License-Identifier: MIT
/*
 * two_pages.c - two tasks want two pages each, in a window of two slots.  If
 * each takes one page and keeps it while it waits for the other, both wait for
 * ever.
 */
#include "scenario.h"

static void use_two(pkmap_pfn first, pkmap_pfn second)
{
	void *addrs[2];

	if (map_two(first, second, addrs))
		return;
	load(addrs[0]);
	load(addrs[1]);
	unmap(addrs[1]);
	unmap(addrs[0]);
}

static void task_1(void)
{
	use_two(0, 1);
}

static void task_2(void)
{
	use_two(2, 1);
}

/* It may pin a page whose slot a task has counted as idle. */
static void handler(void)
{
	char *page = pin(1);

	if (page)
		unpin(page);
}

static void prepare(void)
{
	machine_task("task 1", 0, task_1);
	machine_task("task 2", cpu_or_last(1), task_2);
	machine_raise(
		machine_interrupt("interrupt", cpu_or_last(1), 1, handler));
}

const struct scenario scenario_two_pages = {
	.name = "two-pages",
	.about = "two tasks want two pages each: all or nothing",
	.makes_sense = several_slots,
	.prepare = prepare,
};
