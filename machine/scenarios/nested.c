// SPDX-License-Identifier: MIT
/*
 * nested.c - a task that holds a page maps another one, while a request for two
 * pages waits for a slot.
 */
#include "scenario.h"

static void nested(void)
{
	char *outer;
	char *inner;
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		outer = map(0);
		inner = map(1);
		store(outer, 0x11);
		store(inner, 0x21);
		unmap(inner);
		unmap(outer);
	}
}

static void both(void)
{
	void *addrs[2];

	if (map_two(1, 2, addrs))
		return;
	load(addrs[1]);
	unmap(addrs[0]);
	unmap(addrs[1]);
}

static void prepare(void)
{
	machine_task("nested", 0, nested);
	machine_task("both", cpu_or_last(1), both);
}

const struct scenario scenario_nested = {
	.name = "nested",
	.about = "a second map while a request for two pages waits",
	.prepare = prepare,
};
