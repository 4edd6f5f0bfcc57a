// SPDX-License-Identifier: MIT
/*
 * recycle.c - a reader walks the index while a slot that it stands on moves to
 * another page's chain.  The page that it looks for is held all the while, and
 * must be found.
 */
#include "scenario.h"

static void *held;

/*
 * Pages 0 and 2 are in one chain (pfn_bucket() in src/window_priv.h): at first
 * page 2 comes after page 0, later before it.
 */
static void mapper(void)
{
	uint32_t round;

	for (round = 0; round < 2 * rounds(); round++) {
		unmap(map(1));
		unmap(map(2));
	}
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
	leave_mapped(2, 0x31);
	held = map(0);
	machine_task("mapper", 0, mapper);
	machine_task("reader", cpu_or_last(1), reader);
}

const struct scenario scenario_recycle = {
	.name = "recycle",
	.about = "a reader is carried off by a slot that moves",
	.makes_sense = several_slots,
	.prepare = prepare,
};
