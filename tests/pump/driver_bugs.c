// SPDX-License-Identifier: MIT
/*
 * Linked into "pkmap pump" to give its drivers a bug, or to make a DMA call
 * fail.  BUG in the environment says which.  It happens once, in the middle of
 * the copy.
 */
#include <pkmap/dma.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define WHEN 10 /* calls that succeed before */

int __real_pkmap_dma_map(struct pkmap_dma *dma,
			 const struct pkmap_dma_device *dev,
			 const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			 enum pkmap_dma_dir dir, struct pkmap_dma_segment *segs,
			 uint32_t max_segs);
int __wrap_pkmap_dma_map(struct pkmap_dma *dma,
			 const struct pkmap_dma_device *dev,
			 const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			 enum pkmap_dma_dir dir, struct pkmap_dma_segment *segs,
			 uint32_t max_segs);
int __real_pkmap_dma_unmap(struct pkmap_dma *dma,
			   const struct pkmap_dma_device *dev,
			   const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			   enum pkmap_dma_dir dir);
int __wrap_pkmap_dma_unmap(struct pkmap_dma *dma,
			   const struct pkmap_dma_device *dev,
			   const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			   enum pkmap_dma_dir dir);

/* Whether this bug happens now. */
static bool strikes(const char *bug, atomic_uint *calls)
{
	return !strcmp(getenv("BUG"), bug) &&
	       atomic_fetch_add(calls, 1) == WHEN;
}

int __wrap_pkmap_dma_map(struct pkmap_dma *dma,
			 const struct pkmap_dma_device *dev,
			 const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			 enum pkmap_dma_dir dir, struct pkmap_dma_segment *segs,
			 uint32_t max_segs)
{
	static atomic_uint calls;

	if (strikes("map-fails", &calls))
		return PKMAP_ENOMEM;
	return __real_pkmap_dma_map(dma, dev, bufs, nbufs, dir, segs, max_segs);
}

int __wrap_pkmap_dma_unmap(struct pkmap_dma *dma,
			   const struct pkmap_dma_device *dev,
			   const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			   enum pkmap_dma_dir dir)
{
	static atomic_uint calls;
	struct pkmap_dma_buffer shorter = *bufs;

	if (strikes("unmap-fails", &calls))
		return PKMAP_EIO;
	if (strikes("forgotten", &calls))
		return 0;
	if (strikes("twice", &calls))
		__real_pkmap_dma_unmap(dma, dev, bufs, nbufs, dir);
	if (strikes("shorter", &calls)) {
		shorter.len--;
		bufs = &shorter;
	}
	return __real_pkmap_dma_unmap(dma, dev, bufs, nbufs, dir);
}
