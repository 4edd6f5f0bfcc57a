// SPDX-License-Identifier: MIT
/*
 * misuse.c - one unmap too many, of a page that nobody has mapped, while its
 * slot is taken back; and local maps that end in the wrong order.
 */
#include "scenario.h"

static void *left;

static void careless(void)
{
	char *outer;
	char *inner;

	unmap_once_too_often(left);
	outer = local_map(0);
	inner = local_map(1);
	local_unmap_out_of_order(outer);
	local_unmap(inner);
	local_unmap(outer);
}

static void flusher(void)
{
	flush_unused();
}

static void prepare(void)
{
	left = leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("careless", 0, careless);
	machine_task("flusher", cpu_or_last(1), flusher);
}

const struct scenario scenario_misuse = {
	.name = "misuse",
	.about = "one unmap too many, and local maps out of order",
	.prepare = prepare,
};
