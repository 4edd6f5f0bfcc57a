// SPDX-License-Identifier: MIT
/*
 * prefetch.c - a CPU speculatively fills lines at any mapped address, even
 * while a device writes to the page.
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
	char *page;

	dma_finish(&buf, PKMAP_DMA_FROM_DEVICE);
	page = local_map(0);
	load(page);
	load(page + machine_line_bytes());
	local_unmap(page);
}

static void mapper(void)
{
	uint32_t round;

	for (round = 0; round < rounds(); round++) {
		unmap(map(2));
	}
}

static void configure(struct machine_config *config)
{
	config->cache.speculative = true;
}

/* pkmap_init() refuses a VIVT cache that speculates. */
static bool makes_sense(const struct machine_config *config)
{
	return config->cache.kind != PKMAP_CACHE_VIVT;
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	leave_mapped(1, 0x21);
	machine_task("driver", 0, driver);
	machine_task("mapper", cpu_or_last(1), mapper);
	done = machine_interrupt("interrupt", 0, 1, handler);
}

const struct scenario scenario_prefetch = {
	.name = "prefetch",
	.about = "speculative fills during a transfer",
	.configure = configure,
	.makes_sense = makes_sense,
	.prepare = prepare,
};
