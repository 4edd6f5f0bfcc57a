// SPDX-License-Identifier: MIT
/*
 * local_dma.c - an interrupt fills a page and gives it to a device, while the
 * interrupted task may have the same page mapped locally, even as the outer of
 * two local maps.
 */
#include "scenario.h"

static int sent;

static void task(void)
{
	char *outer = local_map(0);
	char *inner = local_map(1);

	store(outer, 0x11);
	store(inner, 0x21);
	local_unmap(inner);
	local_unmap(outer);
}

static void submit(void)
{
	struct pkmap_dma_buffer buf = whole_page(0);
	char *page = local_map(0);

	buf.offset = machine_line_bytes();
	buf.len -= buf.offset;
	store(page + buf.offset, 0x12);
	local_unmap(page);
	dma_start(&buf, PKMAP_DMA_TO_DEVICE, 0, sent);
}

static void complete(void)
{
	char *page = local_map(0);

	store(page + machine_line_bytes(), 0x13);
	local_unmap(page);
}

static void configure(struct machine_config *config)
{
	config->local_slots = 3;
}

static void prepare(void)
{
	machine_task("task", 0, task);
	machine_raise(machine_interrupt("submit", 0, 1, submit));
	sent = machine_interrupt("complete", 0, 1, complete);
}

const struct scenario scenario_local_dma = {
	.name = "local-dma",
	.about = "DMA of a page under a local map that was interrupted",
	.configure = configure,
	.prepare = prepare,
};
