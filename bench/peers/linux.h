/* SPDX-License-Identifier: MIT */
/*
 * linux.h - the peer "linux": the unchanged mm/highmem.c of Linux 6.1, built by
 * bench/linux/build on top of bench/linux/kernel.h.
 */
#include "bench/linux/shim.h"

static const char *peer_open(const struct setup *setup)
{
	return shim_open(setup);
}

static inline void *peer_map(uint32_t pfn)
{
	return kmap_high(&shim_pages[pfn]);
}

static inline void *peer_pin(uint32_t pfn)
{
	return kmap_high_get(&shim_pages[pfn]);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)addr;
	kunmap_high(&shim_pages[pfn]);
	return true;
}

static void peer_count(struct counts *counts)
{
	shim_count(counts);
}
