// SPDX-License-Identifier: MIT
/*
 * remap.c - a page loses its slot and gets the same one again while a task is
 * about to pin it there.  An interrupt pins the page, too, and must not miss it
 * once the task has written to it.
 */
#include "scenario.h"

static void mapper(void)
{
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		flush_unused();
		unmap(map(0));
	}
}

static void writer(void)
{
	char *page = pin(0);

	if (!page)
		return;
	store(page, 0x12);
	unpin(page);
}

static void handler(void)
{
	char *page = pin(0);

	if (page)
		unpin(page);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	machine_task("mapper", 0, mapper);
	machine_task("writer", cpu_or_last(1), writer);
	machine_raise(machine_interrupt("interrupt", 0, 1, handler));
}

const struct scenario scenario_remap = {
	.name = "remap",
	.about = "a page gets the slot again that it has just lost",
	.prepare = prepare,
};
