// SPDX-License-Identifier: MIT
/*
 * deadline.c - two tasks wait for the one slot that becomes free; one of them
 * may time out just as it is woken.
 */
#include "scenario.h"

static void *first;
static void *second;

static void hurried(void)
{
	char *page = map_in_time(2);

	if (page)
		unmap(page);
}

/* With two slots, nobody gives one back before its deadline passes. */
static void owner(void)
{
	hurried();
	unmap(first);
}

static void patient(void)
{
	unmap(map(2));
	unmap(second);
}

static void prepare(void)
{
	first = map(0);
	second = map(1);
	machine_task("owner", 0, owner);
	machine_task("hurried", 0, hurried);
	machine_task("patient", cpu_or_last(1), patient);
}

const struct scenario scenario_deadline = {
	.name = "deadline",
	.about = "a waiter leaves as it is woken",
	.prepare = prepare,
};
