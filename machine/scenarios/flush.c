// SPDX-License-Identifier: MIT
/*
 * flush.c - a task tears down all unused mappings, while another waits for two
 * slots, and an interrupt pins a page.
 */
#include "scenario.h"

static void *held;

static void flusher(void)
{
	flush_unused();
	unmap(held);
	flush_unused();
	unmap(map(0));
}

static void both(void)
{
	void *addrs[2];
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		if (map_two(1, 2, addrs))
			return;
		unmap(addrs[0]);
		unmap(addrs[1]);
	}
}

static void handler(void)
{
	char *page = pin(0);

	if (page)
		unpin(page);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	held = map(1);
	machine_task("flusher", 0, flusher);
	machine_task("both", cpu_or_last(1), both);
	machine_raise(machine_interrupt("interrupt", 0, 1, handler));
}

const struct scenario scenario_flush = {
	.name = "flush",
	.about = "unused mappings are flushed beside a waiter and a pin",
	.prepare = prepare,
};
