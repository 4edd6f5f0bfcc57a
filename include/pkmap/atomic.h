/* SPDX-License-Identifier: MIT */
/*
 * pkmap/atomic.h - the few atomic operations that pkmap uses.
 *
 * This default uses C11's.  Where those cannot be used, a port puts a
 * <pkmap/atomic.h> of its own before this one on the include path: a kernel
 * with a memory model of its own, a CPU without compare-and-swap, the model
 * machine that puts a scheduling point before each operation.
 *
 * Two types: pkmap_a32 holds 32 bits (slot words, links, events), pkmap_along
 * an unsigned long (page frame numbers, counters).  No operation is wider than
 * a machine word, and none may take a lock: they run in interrupts.
 *
 * The compare-and-swaps are strong: they fail only if the value differs, and
 * then store what they found in *old, without ordering anything.
 */
#ifndef PKMAP_ATOMIC_H
#define PKMAP_ATOMIC_H

#include <pkmap/types.h>
#include <stdatomic.h>

typedef struct {
	_Atomic uint32_t v;
} pkmap_a32;

typedef struct {
	_Atomic unsigned long v;
} pkmap_along;

static inline uint32_t pkmap_a32_load_relaxed(const pkmap_a32 *a)
{
	return atomic_load_explicit(&a->v, memory_order_relaxed);
}

static inline uint32_t pkmap_a32_load_acquire(const pkmap_a32 *a)
{
	return atomic_load_explicit(&a->v, memory_order_acquire);
}

/* Where seq_cst read-modify-writes are full barriers, a plain load will do. */
static inline uint32_t pkmap_a32_load_seq_cst(const pkmap_a32 *a)
{
	return atomic_load_explicit(&a->v, memory_order_seq_cst);
}

static inline void pkmap_a32_store_relaxed(pkmap_a32 *a, uint32_t v)
{
	atomic_store_explicit(&a->v, v, memory_order_relaxed);
}

static inline void pkmap_a32_store_release(pkmap_a32 *a, uint32_t v)
{
	atomic_store_explicit(&a->v, v, memory_order_release);
}

static inline bool pkmap_a32_cas_acquire(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_compare_exchange_strong_explicit(&a->v, old, new_value,
						       memory_order_acquire,
						       memory_order_relaxed);
}

static inline bool pkmap_a32_cas_release(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_compare_exchange_strong_explicit(&a->v, old, new_value,
						       memory_order_release,
						       memory_order_relaxed);
}

static inline bool pkmap_a32_cas_seq_cst(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_compare_exchange_strong_explicit(&a->v, old, new_value,
						       memory_order_seq_cst,
						       memory_order_relaxed);
}

/* These return what the value was before. */
static inline uint32_t pkmap_a32_add_acquire(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add_explicit(&a->v, n, memory_order_acquire);
}

static inline uint32_t pkmap_a32_add_release(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add_explicit(&a->v, n, memory_order_release);
}

static inline uint32_t pkmap_a32_add_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add_explicit(&a->v, n, memory_order_seq_cst);
}

static inline uint32_t pkmap_a32_sub_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_sub_explicit(&a->v, n, memory_order_seq_cst);
}

static inline unsigned long pkmap_along_load_relaxed(const pkmap_along *a)
{
	return atomic_load_explicit(&a->v, memory_order_relaxed);
}

static inline void pkmap_along_store_relaxed(pkmap_along *a, unsigned long v)
{
	atomic_store_explicit(&a->v, v, memory_order_relaxed);
}

static inline void pkmap_along_store_release(pkmap_along *a, unsigned long v)
{
	atomic_store_explicit(&a->v, v, memory_order_release);
}

static inline void pkmap_along_add_relaxed(pkmap_along *a, unsigned long n)
{
	atomic_fetch_add_explicit(&a->v, n, memory_order_relaxed);
}

static inline void pkmap_fence_acquire(void)
{
	atomic_thread_fence(memory_order_acquire);
}

static inline void pkmap_fence_seq_cst(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* Orders a CPU's accesses against the interrupts that it takes itself. */
static inline void pkmap_fence_interrupt(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * A number below PKMAP_CPU_HINTS that is likely to differ between CPUs that run
 * at the same time: it picks which copy of the hit counters this CPU adds to,
 * so that CPUs do not pull one cache line back and forth.  Wrong numbers cost
 * only that.  A copy takes a cache line of each window.
 *
 * Without a cheap CPU number, the stack that we are on tells CPUs apart.
 */
#define PKMAP_CPU_HINTS 64u

static inline uint32_t pkmap_cpu_hint(void)
{
	char on_stack;

	return (uint32_t)((uintptr_t)&on_stack >> 12) * 0x9e3779b1u >> 26;
}

/*
 * How many bytes the word of a slot takes, a power of two from 4 on: so many
 * that CPUs that use different pages share no cache line.  Two lines, because
 * many CPUs fetch lines in pairs.  Where there is one CPU, 4 will do.
 */
#ifndef PKMAP_WORD_BYTES
#define PKMAP_WORD_BYTES 128u
#endif

#endif /* PKMAP_ATOMIC_H */
