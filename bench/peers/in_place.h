/* SPDX-License-Identifier: MIT */
/*
 * in_place.h - the peer "in-place": one mmap(MAP_FIXED) for each access, over
 * the previous mapping.  This is the minimum cost of a map that misses.
 */
#include "file.h"

static inline void *peer_map(uint32_t pfn)
{
	return map_at(ring_next(), MAP_FIXED, pfn);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	(void)addr;
	return true;
}
