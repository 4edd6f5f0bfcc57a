/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what a peer provides, so that worker.c can measure it.
 *
 * A peer is a header in peers/ with the functions below, which worker.c
 * includes: the compiler sees the peer's calls in the loops, not a table of
 * pointers.  @pfn is less than the setup's npages.
 */
#ifndef BENCH_WORKER_PEER_H
#define BENCH_WORKER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setup {
	uint32_t nslots;
	uint32_t npages;
	uint32_t page_shift;
	/*
	 * The file that the pages are in.  -1: there are none, and a slot's
	 * translation is a word in an array, as in a kernel.
	 */
	int fd;
	bool strict; /* pkmap: as in struct pkmap_posix_config */
};

struct counts {
	uint64_t misses;
	uint64_t flushes;
};

/* Returns NULL, or what cannot be done. */
static const char *peer_open(const struct setup *setup);

/* Waits for a slot if it must.  NULL: failed. */
static inline void *peer_map(uint32_t pfn);

/* NULL: not mapped, or the peer has no pin. */
static inline void *peer_pin(uint32_t pfn);

/* Ends a map or pin of page @pfn, which gave @addr. */
static inline bool peer_unmap(uint32_t pfn, void *addr);

/* Since peer_open(). */
static void peer_count(struct counts *counts);

/*
 * Interrupts of a worker's thread are signals.  A peer that wants none for a
 * moment says so here, as some kernels do it ("soft" masking): an interrupt
 * that comes meanwhile is put off until it says that they may come again.
 * Both are of the thread that is running.
 */
struct cpu {
	volatile int irqs_off;
	volatile int pending;
};

extern _Thread_local struct cpu this_cpu;

/* worker.c: takes the interrupts that were put off. */
void take_pending(void);

/* worker.c: "what: why", of errno; lasts until the next one. */
const char *say_errno(const char *what);

#endif /* BENCH_WORKER_PEER_H */
