// SPDX-License-Identifier: MIT
/*
 * same_page.c - two tasks map one page at the same time, and one of them maps
 * it again, together with another page.  Before that, it maps one page twice in
 * a single call.
 */
#include "scenario.h"

static void *held;

static void mapper(void)
{
	char *page;
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		page = map(0);
		load(page);
		unmap(page);
	}
}

static void again(void)
{
	void *addrs[2];
	char *page;

	if (map_two(2, 2, addrs))
		return;
	unmap(addrs[0]);
	unmap(addrs[1]);
	unmap(held);
	page = map(0);
	load(page);
	if (map_two(0, 2, addrs))
		return;
	unmap(addrs[0]);
	unmap(addrs[1]);
	unmap(page);
}

static void prepare(void)
{
	held = map(1);
	machine_task("mapper", 0, mapper);
	machine_task("again", cpu_or_last(1), again);
}

const struct scenario scenario_same_page = {
	.name = "same-page",
	.about = "two tasks map one page, and one of them more than once",
	.makes_sense = several_slots,
	.prepare = prepare,
};
