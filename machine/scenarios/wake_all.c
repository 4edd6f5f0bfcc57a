// SPDX-License-Identifier: MIT
/*
 * wake_all.c - two tasks wait for the slot that a third one gives back.  One of
 * them wants two slots, and cannot use it alone.
 */
#include "scenario.h"

static void *first;
static void *second;

static void greedy(void)
{
	void *addrs[2];

	if (map_two(0, 2, addrs))
		return;
	unmap(addrs[0]);
	unmap(addrs[1]);
}

static void modest(void)
{
	unmap(map(2));
	unmap(second);
}

static void owner(void)
{
	unmap(first);
}

static void prepare(void)
{
	first = map(0);
	second = map(1);
	machine_task("greedy", 0, greedy);
	machine_task("modest", cpu_or_last(1), modest);
	machine_task("owner", 0, owner);
}

const struct scenario scenario_wake_all = {
	.name = "wake-all",
	.about = "two tasks wait for one slot, and one of them wants two",
	.makes_sense = several_slots,
	.prepare = prepare,
};
