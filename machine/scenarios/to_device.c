// SPDX-License-Identifier: MIT
/*
 * to_device.c - a task fills a buffer that spans two pages, a device reads it,
 * and then one of the pages is written to again.  Meanwhile an interrupt ends
 * another transfer.
 */
#include "scenario.h"

static int sent;

static struct pkmap_dma_buffer two_pages(void)
{
	struct pkmap_dma_buffer buf = whole_page(0);

	buf.offset = machine_line_bytes();
	return buf;
}

static void fill(pkmap_pfn pfn, uint32_t offset, uint8_t value)
{
	char *page = map(pfn);

	store(page + offset, value);
	unmap(page);
}

static void sender(void)
{
	const struct pkmap_dma_buffer buf = two_pages();

	fill(0, machine_line_bytes(), 0x12);
	fill(1, 0, 0x22);
	dma_start(&buf, PKMAP_DMA_TO_DEVICE, 0, sent);
}

static void handler(void)
{
	const struct pkmap_dma_buffer buf = two_pages();
	char *page;

	dma_finish(&buf, PKMAP_DMA_TO_DEVICE);
	page = local_map(1);
	load(page);
	store(page, 0x23);
	local_unmap(page);
}

/* Ends a transfer to page 2, whose first line the buffer shares. */
static void receiver(void)
{
	struct pkmap_dma_buffer buf = whole_page(2);

	buf.offset = 1;
	buf.len--;
	dma_finish(&buf, PKMAP_DMA_FROM_DEVICE);
}

static void mapper(void)
{
	uint32_t round;

	for (round = 0; round < rounds(); round++)
		unmap(map(2));
}

static void prepare(void)
{
	machine_task("sender", 0, sender);
	machine_task("mapper", cpu_or_last(1), mapper);
	machine_raise(machine_interrupt("receiver", 0, 2, receiver));
	sent = machine_interrupt("sent", 0, 1, handler);
}

const struct scenario scenario_to_device = {
	.name = "to-device",
	.about = "a buffer over two pages is filled, sent, and filled again",
	.prepare = prepare,
};
