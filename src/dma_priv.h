/* SPDX-License-Identifier: MIT */
/*
 * dma_priv.h - what the files of the DMA layer share.
 */
#ifndef PKMAP_DMA_PRIV_H
#define PKMAP_DMA_PRIV_H

#include "window_priv.h"
#include <pkmap/dma.h>

/* A mapping that the tracker knows of; see dma_tracker.c. */
struct pkmap_tracked {
	pkmap_a32 state;
	pkmap_a32 dir;
	pkmap_along pfn;
	pkmap_along offset;
	pkmap_along len;
	pkmap_along dev; /* a pointer */
};

/*
 * The counters, by their names in struct pkmap_dma_stats.  Those of lines are
 * an array.
 */
#define DMA_COUNTERS(X) \
	{ \
		X(maps); \
		X(unmaps); \
		X(syncs); \
		X(refused); \
		X(in_use); \
		X(idle); \
		X(not_mapped); \
		X(shared_lines); \
		X(misuses); \
	}

struct pkmap_dma {
	/* Constant after pkmap_dma_init(). */
	struct pkmap_window *win;
	const struct pkmap_dma_ops *ops;
	void *port;
	uint32_t line_shift;
	bool strict;
	uintptr_t low_base;
	pkmap_pfn low_first_pfn;
	pkmap_pfn low_npages;
	struct pkmap_tracked *tracked;
	uint32_t ntracked;

	/* On cache lines of their own: every call writes to some of them. */
	_Alignas(PKMAP_ALIGN) pkmap_a32 tracker_full;
	pkmap_a32 ntaken; /* of the tracker's entries */

	struct DMA_COUNTERS(DECLARE_COUNTER);
	pkmap_along lines[PKMAP_CACHE_CLEAN_INVAL + 1]; /* for each operation */
};

/* A call, as it was made. */
struct pkmap_dma_call {
	const char *name;
	const struct pkmap_dma_device *dev;
	const struct pkmap_dma_buffer *bufs;
	uint32_t nbufs;
	enum pkmap_dma_dir dir;
};

enum pkmap_moment {
	BEFORE, /* the transfer: the device is about to own the buffer */
	AFTER,	/* the CPU is about to */
};

/* Physical addresses; @end is the first that is not in the range. */
struct pkmap_range {
	uint64_t start;
	uint64_t end;
};

/* dma_lines.c; these return 0, or the error of a page that cannot be held */
int pkmap_maintain_lines(struct pkmap_dma *d, const struct pkmap_dma_call *call,
			 enum pkmap_moment moment);

/* Cleans and invalidates all lines of pages that nobody uses. */
int pkmap_clean_inval_pages(struct pkmap_dma *d, pkmap_pfn first,
			    pkmap_pfn npages);

/* dma_segments.c; returns how many segments there are, or an error */
int pkmap_cut_segments(const struct pkmap_dma *d,
		       const struct pkmap_dma_call *call,
		       struct pkmap_dma_segment *out, uint32_t max_segs);

/*
 * dma_tracker.c.  Those that return an int return 0; or they report what is
 * wrong, change nothing, and return PKMAP_EINVAL.
 */
#ifdef PKMAP_DMA_TRACKER

#define TRACKER_BUILT true

void pkmap_track_init(struct pkmap_dma *d);
void pkmap_track_map(struct pkmap_dma *d, const struct pkmap_dma_call *call);
int pkmap_track_begin_unmap(struct pkmap_dma *d,
			    const struct pkmap_dma_call *call);
/* After pkmap_track_begin_unmap(): whether the unmap is @done or failed. */
void pkmap_track_end_unmap(struct pkmap_dma *d,
			   const struct pkmap_dma_call *call, bool done);
int pkmap_track_sync(struct pkmap_dma *d, const struct pkmap_dma_call *call);
void pkmap_track_local_maps(struct pkmap_dma *d,
			    const struct pkmap_dma_call *call);
/* PKMAP_EBUSY: a device has one of the pages. */
int pkmap_track_forget(struct pkmap_dma *d, pkmap_pfn first, pkmap_pfn npages);

#else

#define TRACKER_BUILT false

static inline void pkmap_track_init(struct pkmap_dma *d)
{
	(void)d;
}

static inline void pkmap_track_map(struct pkmap_dma *d,
				   const struct pkmap_dma_call *call)
{
	(void)d;
	(void)call;
}

static inline int pkmap_track_begin_unmap(struct pkmap_dma *d,
					  const struct pkmap_dma_call *call)
{
	(void)d;
	(void)call;
	return 0;
}

static inline void pkmap_track_end_unmap(struct pkmap_dma *d,
					 const struct pkmap_dma_call *call,
					 bool done)
{
	(void)d;
	(void)call;
	(void)done;
}

static inline int pkmap_track_sync(struct pkmap_dma *d,
				   const struct pkmap_dma_call *call)
{
	(void)d;
	(void)call;
	return 0;
}

static inline void pkmap_track_local_maps(struct pkmap_dma *d,
					  const struct pkmap_dma_call *call)
{
	(void)d;
	(void)call;
}

static inline int pkmap_track_forget(struct pkmap_dma *d, pkmap_pfn first,
				     pkmap_pfn npages)
{
	(void)d;
	(void)first;
	(void)npages;
	return 0;
}

#endif

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t line_mask(const struct pkmap_dma *d)
{
	return ((uint64_t)1 << d->line_shift) - 1;
}

/* The range of a buffer that has been checked. */
static inline struct pkmap_range
buffer_range(const struct pkmap_dma *d, const struct pkmap_dma_buffer *buf)
{
	const uint64_t start =
		((uint64_t)buf->pfn << d->win->page_shift) + buf->offset;

	return (struct pkmap_range){ start, start + buf->len };
}

static inline bool pfn_is_low(const struct pkmap_dma *d, pkmap_pfn pfn)
{
	return pfn - d->low_first_pfn < d->low_npages;
}

#endif /* PKMAP_DMA_PRIV_H */
