/* SPDX-License-Identifier: MIT */
/*
 * fake_dma.h - a DMA layer over the fake port, and devices.
 *
 * A line is as long as a page, as the fake port's are.  The devices see memory
 * behind an offset, and store and check what the fake port says a page holds.
 */
#ifndef FAKE_DMA_H
#define FAKE_DMA_H

#include <pkmap/dma.h>

#include "fake_port.h"

#define FAKE_DEVICES	 3
#define FAKE_DMA_REPORTS 16

struct fake_dma {
	struct fake *f;
	struct pkmap_dma *dma;
	_Alignas(PKMAP_ALIGN) unsigned char mem[1024];

	/* Calls of fake_from_device() and the like that were refused. */
	unsigned long nrefused;
	/* The tracker's, until whoever looks at them sets @nreports back. */
	struct pkmap_dma_report report[FAKE_DMA_REPORTS];
	uint32_t nreports;
	unsigned long nreported;
};

/* The last one is coherent. */
extern const struct pkmap_dma_device fake_devices[FAKE_DEVICES];

/* Makes the layer of an open window, with so many entries of a tracker. */
void fake_dma_init(struct fake_dma *d, struct fake *f,
		   uint32_t tracker_entries);

/*
 * What a driver does with a page, or with a buffer that is a part of one: it
 * gives it to a device, which stores a new value in it, or checks that it finds
 * what was stored last; and takes it back.  Returns the first call's error.
 */
int fake_from_device(struct fake_dma *d, pkmap_pfn pfn, bool part);
int fake_to_device(struct fake_dma *d, pkmap_pfn pfn);

#endif /* FAKE_DMA_H */
