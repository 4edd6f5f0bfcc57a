// SPDX-License-Identifier: MIT
/*
 * rfc.c - the sequence of Nicolas Pitre's message of March 2009 (section 14 of
 * docs/design.md): while a driver invalidates the lines of a page that is
 * mapped and unused, a task maps another page, which takes over the slot.
 */
#include "scenario.h"

static int done;

static void driver(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);

	dma_start(&buf, PKMAP_DMA_FROM_DEVICE, 0xd1, done);
}

static void handler(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);

	dma_finish(&buf, PKMAP_DMA_FROM_DEVICE);
}

static void other_task(void)
{
	char *page;
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		page = map(2);
		store(page, 0x31);
		store(page + machine_line_bytes(), 0x32);
		unmap(page);
	}
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("driver", 0, driver);
	machine_task("other task", cpu_or_last(1), other_task);
	done = machine_interrupt("interrupt", 0, 1, handler);
}

const struct scenario scenario_rfc = {
	.name = "rfc",
	.about = "a page's lines are invalidated while its slot is recycled",
	.prepare = prepare,
	.schedule = "driver lines 1\n"
		    "other task end\n"
		    "driver end\n"
		    "device end\n",
};
