/* SPDX-License-Identifier: MIT */
/*
 * file.h - what the peers share that make system calls on the file of pages for
 * each access, as a process would without a window.
 */
#ifndef BENCH_PEERS_FILE_H
#define BENCH_PEERS_FILE_H

#include "bench/worker/peer.h"

#include <sys/mman.h>
#include <unistd.h>

static struct setup file;
static char *ring; /* room for nslots pages, used in turn */
static uint32_t turn;

static inline size_t page_bytes(void)
{
	return (size_t)1 << file.page_shift;
}

static inline off_t offset_of(uint32_t pfn)
{
	return (off_t)pfn << file.page_shift;
}

/* Aligned to a page, as the kernel's fault-around prefers. */
static const char *peer_open(const struct setup *setup)
{
	uintptr_t addr;
	void *mem;

	file = *setup;
	if (file.fd < 0)
		return "there is no file to map";
	mem = mmap(NULL, (file.nslots + 1) * page_bytes(),
		   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return say_errno("mmap");
	addr = ((uintptr_t)mem + page_bytes() - 1) & -page_bytes();
	ring = (char *)addr;
	return NULL;
}

/* For one thread only. */
static inline void *ring_next(void)
{
	return ring + turn++ % file.nslots * page_bytes();
}

static inline void *map_at(void *addr, int flags, uint32_t pfn)
{
	addr = mmap(addr, page_bytes(), PROT_READ | PROT_WRITE,
		    MAP_SHARED | flags, file.fd, offset_of(pfn));
	return addr == MAP_FAILED ? NULL : addr;
}

static inline void *peer_pin(uint32_t pfn)
{
	(void)pfn;
	return NULL;
}

/* There are neither hits nor misses. */
static void peer_count(struct counts *counts)
{
	*counts = (struct counts){ 0 };
}

#endif /* BENCH_PEERS_FILE_H */
