// SPDX-License-Identifier: MIT
/*
 * edges.c - a buffer shares its first and its last line with other data, which
 * CPUs write before and after the transfer, and read during it.
 */
#include "scenario.h"

static int done;

static struct pkmap_dma_buffer middle(void)
{
	struct pkmap_dma_buffer buf = whole_page(0);

	buf.offset = 1;
	buf.len -= 2;
	return buf;
}

static void driver(void)
{
	const struct pkmap_dma_buffer buf = middle();
	char *page = map(0);

	store(page, 0x12);
	unmap(page);
	dma_start(&buf, PKMAP_DMA_FROM_DEVICE, 0xd1, done);
}

static void handler(void)
{
	const struct pkmap_dma_buffer buf = middle();
	char *page = local_map(0);

	/* The device is done, but dma_finish() has not been called. */
	store(page, 0x13);
	local_unmap(page);
	dma_finish(&buf, PKMAP_DMA_FROM_DEVICE);
	page = local_map(0);
	load(page + 1);
	load(page + buf.offset + buf.len - 1);
	local_unmap(page);
}

static void neighbour(void)
{
	char *page = map(0);

	load(page + 2 * machine_line_bytes() - 1);
	unmap(page);
	unmap(map(1));
	unmap(map(2));
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	machine_task("driver", 0, driver);
	machine_task("neighbour", cpu_or_last(1), neighbour);
	done = machine_interrupt("interrupt", 0, 1, handler);
}

const struct scenario scenario_edges = {
	.name = "edges",
	.about = "a buffer that shares its lines with neighbours",
	.prepare = prepare,
};
