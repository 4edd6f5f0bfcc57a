// SPDX-License-Identifier: MIT
/*
 * flush_run.c - two adjacent slots, both idle and with dirty lines, are torn
 * down together, unless a task gets one of them again first.  Afterwards the
 * slots must show the right pages, and nothing written to them may be lost.
 */
#include "scenario.h"

static void look_at(pkmap_pfn pfn)
{
	char *page = map(pfn);

	load(page);
	unmap(page);
}

static void flusher(void)
{
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		flush_unused();
		look_at(2);
		look_at(1);
	}
}

static void user(void)
{
	use_page(0, 0x12);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("flusher", 0, flusher);
	machine_task("user", cpu_or_last(1), user);
}

const struct scenario scenario_flush_run = {
	.name = "flush-run",
	.about = "two adjacent slots are torn down together",
	.makes_sense = several_slots,
	.prepare = prepare,
};
