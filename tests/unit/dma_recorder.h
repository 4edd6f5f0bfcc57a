/* SPDX-License-Identifier: MIT */
/*
 * dma_recorder.h - a DMA layer over the fake port, whose cache operations are
 * recorded, for tests of src/dma*.c.
 *
 * An operation by virtual address is recorded with the physical address that
 * the fake port's table shows there, and with how the page is held.  Each one
 * is checked against the rules of dma.h: it works on whole lines, by virtual
 * address on those of one page, and the page is held.  On VIVT it also works on
 * the fake port's lines.
 *
 * dma_call() checks that a call holds nothing when it returns, and that it
 * wrote no segments if it failed.
 */
#ifndef DMA_RECORDER_H
#define DMA_RECORDER_H

#include <pkmap/dma.h>

#include "tests/fake/fake_port.h"

#define DMA_PAGE_SHIFT 4
#define DMA_PAGE       ((size_t)1 << DMA_PAGE_SHIFT)
#define DMA_LINE       ((size_t)4)
#define DMA_FIRST      ((pkmap_pfn)100) /* the window's pages */
#define DMA_NPAGES     ((pkmap_pfn)20)
#define DMA_LOW_FIRST  ((pkmap_pfn)40) /* low memory */
#define DMA_LOW_NPAGES ((pkmap_pfn)8)
#define DMA_LOW_BASE   ((uintptr_t)0x30000000)
#define DMA_CPU	       1 /* on which the tests run */
#define DMA_LOG	       128
#define DMA_SEGMENTS   32

/* Where lines were worked on. */
enum dma_where {
	DMA_NOWHERE,
	DMA_AT_LOW,
	DMA_AT_PIN,
	DMA_AT_LOCAL_MAP,
	DMA_AT_DMA_SLOT,
	DMA_BY_PHYS,
	DMA_OUTER,
};

struct dma_record {
	enum pkmap_cache_op op;
	enum dma_where where;
	uint32_t level; /* which of the CPU's slots for DMA calls it is */
	uint64_t phys;
	uint64_t bytes;
};

enum dma_moment {
	DMA_MAP,
	DMA_SYNC_FOR_DEVICE,
	DMA_UNMAP,
	DMA_SYNC_FOR_CPU,
	DMA_NMOMENTS,
};

struct dma_recorder {
	struct fake f; /* first, so that its hooks find the recorder */

	/* For the test to change between dma_init() and dma_open(). */
	struct pkmap_dma_config config;
	bool has_phys;	/* operations by physical address */
	bool has_outer; /* an outer cache */

	struct pkmap_dma_ops ops;
	struct pkmap_dma *dma;
	void *mem;
	struct dma_record log[DMA_LOG];
	unsigned int nlog;

	/* Of the last dma_call() that was a map. */
	struct pkmap_dma_segment seg[DMA_SEGMENTS];
	int nsegs;

	/* Runs before each operation takes effect, not within itself. */
	void (*hook)(struct dma_recorder *r, const struct dma_record *rec);
};

/* A device that reaches all memory. */
extern const struct pkmap_dma_device dma_device;

/*
 * PIPT, pages of 16 bytes with 4 lines each, 4 slots, and 3 local slots and 2
 * for DMA calls on each of 2 CPUs.
 */
void dma_init(struct dma_recorder *r);
void dma_open(struct dma_recorder *r);
/*
 * Prepares the window and all that pkmap_dma_init() needs, but not the layer.
 */
void dma_open_window(struct dma_recorder *r);
void dma_close(struct dma_recorder *r);

/* Makes the call.  Returns its error, or 0. */
int dma_call(struct dma_recorder *r, enum dma_moment moment,
	     const struct pkmap_dma_device *dev,
	     const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
	     enum pkmap_dma_dir dir);

/* The same for one buffer and dma_device, checked: it succeeds. */
void dma_one(struct dma_recorder *r, enum dma_moment moment,
	     struct pkmap_dma_buffer buf, enum pkmap_dma_dir dir);

bool dma_is_before(enum dma_moment moment);
struct pkmap_dma_stats dma_stats(struct dma_recorder *r);
void dma_clear_log(struct dma_recorder *r);

#endif /* DMA_RECORDER_H */
