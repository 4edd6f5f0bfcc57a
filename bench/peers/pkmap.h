/* SPDX-License-Identifier: MIT */
/*
 * pkmap.h - the peer "pkmap": the library on its posix port or, without a file
 * of pages, on the port in table.h.
 */
#include "window.h"

#include <pkmap/posix.h>

static const char *open_posix(const struct setup *setup)
{
	const struct pkmap_posix_config config = {
		.fd = setup->fd,
		.npages = setup->npages,
		.page_size = (size_t)1 << setup->page_shift,
		.nslots = setup->nslots,
		.strict = setup->strict,
	};
	struct pkmap_posix *port;
	int err = pkmap_posix_open(&config, &port);

	if (err)
		return pkmap_strerror(err);
	win = pkmap_posix_window(port);
	return NULL;
}

static const char *peer_open(const struct setup *setup)
{
	return setup->fd < 0 ? window_open(setup) : open_posix(setup);
}

static inline void *peer_map(uint32_t pfn)
{
	void *addr;

	return pkmap_map(win, pfn, NULL, &addr) ? NULL : addr;
}

static inline void *peer_pin(uint32_t pfn)
{
	return pkmap_pin(win, pfn);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	return !pkmap_unmap(win, addr);
}

/* mmap() flushes the TLBs itself: the posix port has no flushes to count. */
static void peer_count(struct counts *counts)
{
	struct pkmap_stats stats;

	pkmap_read_stats(win, &stats);
	counts->misses = stats.misses;
	counts->flushes = table.base ? table.flushes : stats.reclaims;
}
