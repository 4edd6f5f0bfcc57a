/* SPDX-License-Identifier: MIT */
/*
 * pkmap/atomic.h - for test_interrupt.c and the like: an interrupt may come
 * before each atomic operation.  There is one thread, so plain memory is as
 * good as atomics.
 */
#ifndef PKMAP_ATOMIC_H
#define PKMAP_ATOMIC_H

#include <pkmap/types.h>

void interrupt_point(void);

typedef struct {
	uint32_t v;
} pkmap_a32;

typedef struct {
	unsigned long v;
} pkmap_along;

static inline uint32_t pkmap_a32_load_relaxed(const pkmap_a32 *a)
{
	interrupt_point();
	return a->v;
}

#define pkmap_a32_load_acquire pkmap_a32_load_relaxed
#define pkmap_a32_load_seq_cst pkmap_a32_load_relaxed

static inline void pkmap_a32_store_relaxed(pkmap_a32 *a, uint32_t v)
{
	interrupt_point();
	a->v = v;
}

#define pkmap_a32_store_release pkmap_a32_store_relaxed

static inline bool pkmap_a32_cas_acquire(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	interrupt_point();
	if (a->v != *old) {
		*old = a->v;
		return false;
	}
	a->v = new_value;
	return true;
}

#define pkmap_a32_cas_release pkmap_a32_cas_acquire
#define pkmap_a32_cas_seq_cst pkmap_a32_cas_acquire

static inline uint32_t pkmap_a32_add_seq_cst(pkmap_a32 *a, uint32_t n)
{
	interrupt_point();
	a->v += n;
	return a->v - n;
}

#define pkmap_a32_add_acquire pkmap_a32_add_seq_cst
#define pkmap_a32_add_release pkmap_a32_add_seq_cst

static inline uint32_t pkmap_a32_sub_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return pkmap_a32_add_seq_cst(a, 0u - n);
}

static inline unsigned long pkmap_along_load_relaxed(const pkmap_along *a)
{
	interrupt_point();
	return a->v;
}

static inline void pkmap_along_store_relaxed(pkmap_along *a, unsigned long v)
{
	interrupt_point();
	a->v = v;
}

#define pkmap_along_store_release pkmap_along_store_relaxed

static inline void pkmap_along_add_relaxed(pkmap_along *a, unsigned long n)
{
	interrupt_point();
	a->v += n;
}

static inline void pkmap_fence_acquire(void)
{
}

static inline void pkmap_fence_seq_cst(void)
{
}

static inline void pkmap_fence_interrupt(void)
{
	interrupt_point();
}

#define PKMAP_CPU_HINTS 1u

static inline uint32_t pkmap_cpu_hint(void)
{
	return 0;
}

#define PKMAP_WORD_BYTES 4u

#endif /* PKMAP_ATOMIC_H */
