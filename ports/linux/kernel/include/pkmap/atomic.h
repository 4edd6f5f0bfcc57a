/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pkmap/atomic.h - the atomic operations, made of the Linux kernel's.
 *
 * They are no weaker than C11's of the same name.  Linux's read-modify-write
 * operations without a suffix are full barriers, so the sequentially consistent
 * load can be a plain one.  On a CPU without compare-and-swap (ARMv5) the
 * kernel masks interrupts for the few instructions that an operation takes;
 * such a CPU has no NMI.
 */
#ifndef PKMAP_ATOMIC_H
#define PKMAP_ATOMIC_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/smp.h>
#include <linux/threads.h>
#include <pkmap/types.h>

typedef struct {
	atomic_t v;
} pkmap_a32;

typedef struct {
	atomic_long_t v;
} pkmap_along;

static inline uint32_t pkmap_a32_load_relaxed(const pkmap_a32 *a)
{
	return atomic_read(&a->v);
}

static inline uint32_t pkmap_a32_load_acquire(const pkmap_a32 *a)
{
	return atomic_read_acquire(&a->v);
}

static inline uint32_t pkmap_a32_load_seq_cst(const pkmap_a32 *a)
{
	return atomic_read(&a->v);
}

static inline void pkmap_a32_store_relaxed(pkmap_a32 *a, uint32_t v)
{
	atomic_set(&a->v, v);
}

static inline void pkmap_a32_store_release(pkmap_a32 *a, uint32_t v)
{
	atomic_set_release(&a->v, v);
}

static inline bool pkmap_a32_cas_acquire(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_try_cmpxchg_acquire(&a->v, (int *)old, new_value);
}

static inline bool pkmap_a32_cas_release(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_try_cmpxchg_release(&a->v, (int *)old, new_value);
}

static inline bool pkmap_a32_cas_seq_cst(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return atomic_try_cmpxchg(&a->v, (int *)old, new_value);
}

static inline uint32_t pkmap_a32_add_acquire(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add_acquire(n, &a->v);
}

static inline uint32_t pkmap_a32_add_release(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add_release(n, &a->v);
}

static inline uint32_t pkmap_a32_add_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_add(n, &a->v);
}

static inline uint32_t pkmap_a32_sub_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return atomic_fetch_sub(n, &a->v);
}

static inline unsigned long pkmap_along_load_relaxed(const pkmap_along *a)
{
	return atomic_long_read(&a->v);
}

static inline void pkmap_along_store_relaxed(pkmap_along *a, unsigned long v)
{
	atomic_long_set(&a->v, v);
}

static inline void pkmap_along_store_release(pkmap_along *a, unsigned long v)
{
	atomic_long_set_release(&a->v, v);
}

static inline void pkmap_along_add_relaxed(pkmap_along *a, unsigned long n)
{
	atomic_long_add(n, &a->v);
}

/* smp_rmb() would not keep later stores behind earlier loads. */
static inline void pkmap_fence_acquire(void)
{
	smp_mb();
}

static inline void pkmap_fence_seq_cst(void)
{
	smp_mb();
}

static inline void pkmap_fence_interrupt(void)
{
	barrier();
}

/* One copy of the counters for each CPU. */
#define PKMAP_CPU_HINTS NR_CPUS

static inline uint32_t pkmap_cpu_hint(void)
{
	return raw_smp_processor_id();
}

/* With one CPU, nobody else pulls at the cache lines of words. */
#define PKMAP_WORD_BYTES (NR_CPUS == 1 ? sizeof(pkmap_a32) : L1_CACHE_BYTES)

#endif /* PKMAP_ATOMIC_H */
