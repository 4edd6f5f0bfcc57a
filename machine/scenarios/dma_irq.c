// SPDX-License-Identifier: MIT
/*
 * dma_irq.c - an interrupt gives a page to a device, at any point of the tasks'
 * maps, unmaps and reclaims; when the device is done, another interrupt reads
 * the page.
 */
#include "scenario.h"

static int done;

static void mapper_1(void)
{
	use_page(1, 0x21);
}

static void mapper_2(void)
{
	use_page(2, 0x31);
}

static void submit(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);

	dma_start(&buf, PKMAP_DMA_BIDIRECTIONAL, 0xd1, done);
}

static void complete(void)
{
	const struct pkmap_dma_buffer buf = whole_page(0);
	char *page;

	dma_finish(&buf, PKMAP_DMA_BIDIRECTIONAL);
	page = local_map(0);
	load(page);
	local_unmap(page);
}

static void prepare(void)
{
	leave_mapped(0, 0x11);
	machine_task("task 1", 0, mapper_1);
	machine_task("task 2", cpu_or_last(1), mapper_2);
	machine_raise(machine_interrupt("submit", 0, 1, submit));
	done = machine_interrupt("complete", 0, 1, complete);
}

const struct scenario scenario_dma_irq = {
	.name = "dma-irq",
	.about = "an interrupt maps a page for DMA, wherever it lands",
	.prepare = prepare,
};
