// SPDX-License-Identifier: MIT
/*
 * second_look.c - a slot is given to another page and used twice while a pin is
 * about to get it.  Only a second look at the slot's page number shows that.
 */
#include "scenario.h"

static void *held;

static void mapper(void)
{
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		unmap(map(1));
		unmap(map(1));
	}
}

static void reader(void)
{
	char *page = pin(2);

	if (page)
		unpin(page);
	unmap(held);
}

static void prepare(void)
{
	held = map(0);
	leave_mapped(2, 0x31);
	machine_task("mapper", 0, mapper);
	machine_task("reader", cpu_or_last(1), reader);
}

const struct scenario scenario_second_look = {
	.name = "second-look",
	.about = "a slot is given to another page before a pin gets it",
	.makes_sense = several_slots,
	.prepare = prepare,
};
