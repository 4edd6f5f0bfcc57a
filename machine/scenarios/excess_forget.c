// SPDX-License-Identifier: MIT
/*
 * excess_forget.c - while a page that nobody has mapped is unmapped, it looks
 * used.  A task that wants to forget the page waits for it then, and must be
 * woken, also if a pin gets the page and another task flushes it meanwhile.
 */
#include "scenario.h"

static void *left;

static void careless(void)
{
	unmap_once_too_often(left);
}

static void handler(void)
{
	char *page = pin(0);

	if (page)
		unpin(page);
}

static void forgetter(void)
{
	forget(0);
}

static void flusher(void)
{
	flush_unused();
}

static void prepare(void)
{
	share_local_maps();
	left = leave_mapped(0, 0x11);
	machine_task("careless", 0, careless);
	machine_task("forgetter", cpu_or_last(1), forgetter);
	machine_task("flusher", cpu_or_last(1), flusher);
	machine_raise(machine_interrupt("interrupt", 0, 1, handler));
}

const struct scenario scenario_excess_forget = {
	.name = "excess-forget",
	.about = "a page is unmapped once too often, and is to be forgotten",
	.prepare = prepare,
};
