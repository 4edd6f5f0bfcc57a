// SPDX-License-Identifier: MIT
/*
 * reclaim_pin.c - a page is given to a device, which takes a pin, while a task
 * reclaims its slot.  If the pin says "not mapped" too early, dirty lines stay
 * in a VIVT cache (I8), and later overwrite what the device has written.
 */
#include "scenario.h"

static int done;

static void mapper(void)
{
	uint32_t round;
	char *page;

	for (round = 0; round < rounds(); round++) {
		page = map(2);
		store(page, 0x31);
		unmap(page);
		unmap(map(1));
	}
}

static void driver(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);

	dma_start(&buf, PKMAP_DMA_FROM_DEVICE, 0xd1, done);
}

static void handler(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);
	char *page;

	dma_finish(&buf, PKMAP_DMA_FROM_DEVICE);
	page = pin(0);
	if (!page)
		return;
	load(page);
	store(page, 0x12);
	unpin(page);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("mapper", 0, mapper);
	machine_task("driver", cpu_or_last(1), driver);
	done = machine_interrupt("interrupt", cpu_or_last(1), 1, handler);
}

const struct scenario scenario_reclaim_pin = {
	.name = "reclaim-pin",
	.about = "a page is pinned while its slot is taken back",
	.prepare = prepare,
};
