/* SPDX-License-Identifier: MIT */
/*
 * scheme.h - a way to give pages slots and to pin them, as scenarios use it.
 *
 * pkmap is one; the others are what was tried before.  All run on the same
 * machine (machine.h), use it through struct pkmap_ops, and are given the same
 * struct pkmap_config.
 */
#ifndef MACHINE_SCHEMES_SCHEME_H
#define MACHINE_SCHEMES_SCHEME_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

struct scheme {
	const char *name;

	/* How much memory init() needs; it is aligned to PKMAP_ALIGN. */
	size_t (*size)(const struct pkmap_config *config);
	/* @mem is zeroed.  Every other call is given the same @mem. */
	void (*init)(void *mem, const struct pkmap_config *config);

	/*
	 * Maps @n pages, waits for slots if necessary, and returns 0 or one of
	 * pkmap's error codes; task context.  unmap() ends one page's map.
	 */
	int (*map)(void *mem, const pkmap_pfn *pfns, uint32_t n,
		   const struct pkmap_wait *wait, void **addrs);
	int (*unmap)(void *mem, void *addr);

	/* NULL: not mapped.  A scheme need not hold the page; any context. */
	void *(*pin)(void *mem, pkmap_pfn pfn);
	void (*unpin)(void *mem, void *addr);

	/* Local maps end last in, first out; any context. */
	int (*local_map)(void *mem, pkmap_pfn pfn, void **addr);
	int (*local_unmap)(void *mem, void *addr);

	/* Before and after a transfer, as in pkmap/dma.h; any context. */
	int (*dma_map)(void *mem, const struct pkmap_dma_buffer *buf,
		       enum pkmap_dma_dir dir);
	int (*dma_unmap)(void *mem, const struct pkmap_dma_buffer *buf,
			 enum pkmap_dma_dir dir);

	/* Tears down every unused mapping; task context. */
	void (*flush_unused)(void *mem);

	/* Unmaps by the page's number; or NULL. */
	int (*unmap_pfn)(void *mem, pkmap_pfn pfn);
	/* Waits until nobody uses the page, and tears it down; or NULL. */
	int (*forget)(void *mem, pkmap_pfn pfn);

	/*
	 * When nobody is in a call: NULL, or what is wrong, such as a slot in
	 * use or a waiter (I9).
	 */
	const char *(*check_end)(void *mem);
};

extern const struct scheme scheme_unpinned;
extern const struct scheme scheme_locked;
extern const struct scheme scheme_claim_first;
extern const struct scheme scheme_pkmap;

#endif /* MACHINE_SCHEMES_SCHEME_H */
