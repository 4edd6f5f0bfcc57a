/* SPDX-License-Identifier: MIT */
/* mmap.h - the peer "mmap": mmap() and munmap() for each access. */
#include "file.h"

static inline void *peer_map(uint32_t pfn)
{
	return map_at(NULL, 0, pfn);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	return !munmap(addr, page_bytes());
}
