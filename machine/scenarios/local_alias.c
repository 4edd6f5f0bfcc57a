// SPDX-License-Identifier: MIT
/*
 * local_alias.c - a page is mapped in the window and locally, by tasks and by
 * an interrupt: its lines must not get into a VIVT cache at two addresses.
 */
#include "scenario.h"

static void mapper(void)
{
	char *page;
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		page = map(0);
		store(page, 0x12);
		unmap(page);
		flush_unused();
	}
}

static void local(void)
{
	char *page;
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		page = local_map(0);
		load(page + machine_line_bytes());
		store(page + 1, 0x13);
		local_unmap(page);
	}
}

static void handler(void)
{
	char *page = local_map(0);

	store(page + 1, 0x14);
	local_unmap(page);
}

static void prepare(void)
{
	machine_task("mapper", 0, mapper);
	machine_task("local", cpu_or_last(1), local);
	machine_raise(
		machine_interrupt("interrupt", cpu_or_last(1), 1, handler));
}

const struct scenario scenario_local_alias = {
	.name = "local-alias",
	.about = "local maps and window maps of one page",
	.prepare = prepare,
};
