/* SPDX-License-Identifier: MIT */
/*
 * driver.h - the part of the harness that does DMA: drivers, what the tracker
 * should report about them, and who owns each page.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "tests/fake/fake_dma.h"

/* Makes the DMA layer of a new window; no buffer is mapped. */
void driver_start(void);

/* Unmaps all buffers. */
void driver_end(void);

/* Whether a buffer in this page is mapped, and what the CPU may do to it. */
bool driver_has(pkmap_pfn pfn);
bool driver_may_read(pkmap_pfn pfn);
bool driver_may_write(pkmap_pfn pfn);

/*
 * Whether the tracker knows of a buffer in one of the pages; and whether the
 * attempt to forget them was reported for each such buffer, and for no other.
 */
bool driver_keeps(pkmap_pfn first, pkmap_pfn npages);
void driver_check_forgotten(pkmap_pfn first, pkmap_pfn npages, bool keeps);

/* What has to hold between the calls. */
void driver_check(void);
void driver_check_stats(const struct pkmap_dma_stats *stats);

/* What the input may call; the first in an interrupt. */
void driver_interrupt(void);
void driver_map(void);
void driver_unmap(void);
void driver_sync(void);
void driver_leaks(void);

#endif /* DRIVER_H */
