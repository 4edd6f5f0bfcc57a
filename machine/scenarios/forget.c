// SPDX-License-Identifier: MIT
/*
 * forget.c - two pages are given away: one that a task has mapped locally and
 * will unmap soon, and one that is idle, but that an interrupt may be pinning.
 */
#include "scenario.h"

static struct note *mapped;

/* The page belongs to this task until its local map ends, then to nobody. */
static void user(void)
{
	char *page = local_map(0);

	store(page, 0x12);
	write_note(mapped);
	local_unmap(page);
}

static void owner(void)
{
	if (!note_is_written(mapped))
		return;
	forget(0);
}

static void handler(void)
{
	char *page = pin(1);

	if (page)
		unpin(page);
}

static void second_owner(void)
{
	forget(1);
}

static void prepare(void)
{
	share_local_maps();
	mapped = make_note();
	leave_mapped(1, 0x21);
	machine_task("user", 0, user);
	machine_task("owner", cpu_or_last(1), owner);
	machine_task("second owner", 0, second_owner);
	machine_raise(machine_interrupt("interrupt", 0, 1, handler));
}

const struct scenario scenario_forget = {
	.name = "forget",
	.about = "pages are given away beside a local map and a pin",
	.prepare = prepare,
};
