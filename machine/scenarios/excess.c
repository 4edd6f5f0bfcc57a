// SPDX-License-Identifier: MIT
/*
 * excess.c - a task and an interrupt each unmap a page that nobody has mapped.
 * Meanwhile a second interrupt, which cannot be masked, pins the page, uses it
 * and lets go, while idle slots are taken back.  It must not lose its user.
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

	if (!page)
		return;
	load(page);
	store(page, 0x12);
	unpin(page);
}

static void flusher(void)
{
	flush_unused();
}

static void prepare(void)
{
	left = leave_mapped(0, 0x11);
	machine_task("careless", 0, careless);
	machine_task("flusher", cpu_or_last(1), flusher);
	machine_raise(machine_interrupt("interrupt", 0, 1, careless));
	machine_raise(machine_interrupt("NMI", 0, MACHINE_NMI, handler));
}

const struct scenario scenario_excess = {
	.name = "excess",
	.about = "a pin interrupts unmaps of a page that nobody has mapped",
	.prepare = prepare,
};
