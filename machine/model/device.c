// SPDX-License-Identifier: MIT
/*
 * device.c - a device that does DMA: it accesses memory behind the caches, one
 * line at a time, whenever the checker says.
 */
#include "model_priv.h"

#include <string.h>

void machine_device_start(const struct pkmap_dma_buffer *buf,
			  enum pkmap_dma_dir dir, uint8_t value, int irq)
{
	give_way_as(OP_STEP);
	if (m.hw.device.active)
		broken(10, VERDICT_BROKEN, "the device is busy");
	m.hw.device = (struct device){
		.active = true,
		.dir = (uint8_t)dir,
		.value = value,
		.irq = (uint8_t)irq,
		.page = (uint8_t)buf->pfn,
		.start = (uint8_t)buf->offset,
		.end = (uint8_t)(buf->offset + buf->len),
	};
	log_event(m.current, EVENT_NOTE, "starts the device");
}

static void transfer_byte(const struct device *d, uint32_t offset)
{
	uint8_t *byte = &m.hw.memory[d->page][offset];

	if (d->dir & PKMAP_DMA_TO_DEVICE)
		check_load(d->page, offset, *byte, "the device");
	if (!(d->dir & PKMAP_DMA_FROM_DEVICE))
		return;
	*byte = d->value;
	m.hw.written[d->page][offset] = d->value;
}

/* Transfers the bytes of the buffer that lie in one line. */
void device_step(void)
{
	struct device *d = &m.hw.device;
	const uint32_t line = d->start >> m.config.line_shift;
	uint32_t end = (line + 1) << m.config.line_shift;
	const int page = d->page;

	if (end > d->end)
		end = d->end;
	log_event(DEVICE_LANE, EVENT_NOTE, "%s page %u, line %u",
		  d->dir == PKMAP_DMA_TO_DEVICE	  ? "reads" :
		  d->dir == PKMAP_DMA_FROM_DEVICE ? "writes" :
						    "reads, then writes",
		  d->page, line);
	for (; d->start < end; d->start++)
		transfer_byte(d, d->start);
	if (d->start >= d->end) {
		m.hw.raised |= (uint8_t)(1u << d->irq);
		memset(d, 0, sizeof(*d));
		log_event(DEVICE_LANE, EVENT_NOTE, "is done");
	} else if (d->start >= page_bytes()) {
		d->page++;
		d->end = (uint8_t)(d->end - page_bytes());
		d->start = 0;
	}
	check_written(page);
}
