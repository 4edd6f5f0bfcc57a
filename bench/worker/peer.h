/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what a peer provides for worker.c to measure.
 *
 * A peer is a header in bench/peers/ with the functions below.  worker.c
 * includes it, so that the compiler can inline the peer's calls into the
 * loops.  @pfn is always less than the setup's npages.
 */
#ifndef BENCH_WORKER_PEER_H
#define BENCH_WORKER_PEER_H

#include "setup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counts {
	uint64_t misses;
	uint64_t flushes;
};

/* Returns NULL, or a text that says what failed. */
static const char *peer_open(const struct setup *setup);

/* Waits for a slot if there is none.  Returns NULL if it failed. */
static inline void *peer_map(uint32_t pfn);

/* Returns NULL if the page is not mapped, or if the peer cannot pin. */
static inline void *peer_pin(uint32_t pfn);

/* Ends a map or pin of page @pfn that returned @addr. */
static inline bool peer_unmap(uint32_t pfn, void *addr);

/* The counts since peer_open(). */
static void peer_count(struct counts *counts);

/*
 * The interrupts of a worker's thread are signals.  A peer disables them by
 * setting irqs_off, as in the "soft" masking of some kernels: an interrupt that
 * comes meanwhile is pending until the peer enables them again.  Each thread is
 * a CPU.
 */
struct cpu {
	volatile int irqs_off;
	volatile int pending;
};

extern _Thread_local struct cpu this_cpu;

/* The worker takes a pending interrupt. */
void take_pending(void);

/*
 * Sleeps until *@word is not @value, or somebody wakes those who sleep on it;
 * may return early.
 */
void sleep_on(_Atomic uint32_t *word, uint32_t value);
void wake_sleepers(_Atomic uint32_t *word);

#endif /* BENCH_WORKER_PEER_H */
