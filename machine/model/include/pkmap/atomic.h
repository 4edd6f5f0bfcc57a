/* SPDX-License-Identifier: MIT */
/*
 * pkmap/atomic.h - for the model machine: each operation is a scheduling point,
 * and the machine's memory decides what a load returns (memory.c).
 */
#ifndef PKMAP_ATOMIC_H
#define PKMAP_ATOMIC_H

#include <pkmap/types.h>

typedef struct {
	uint32_t v;
} pkmap_a32;

typedef struct {
	unsigned long v;
} pkmap_along;

enum machine_order {
	MACHINE_RELAXED,
	MACHINE_ACQUIRE,
	MACHINE_RELEASE,
	MACHINE_SEQ_CST,
};

unsigned long machine_atomic_load(const void *var, size_t bytes,
				  enum machine_order order);
void machine_atomic_store(void *var, size_t bytes, unsigned long value,
			  enum machine_order order);
bool machine_atomic_cas(uint32_t *var, uint32_t *old, uint32_t new_value,
			enum machine_order order);
unsigned long machine_atomic_add(void *var, size_t bytes, unsigned long n,
				 enum machine_order order);
void machine_fence(enum machine_order order);

static inline uint32_t pkmap_a32_load_relaxed(const pkmap_a32 *a)
{
	return (uint32_t)machine_atomic_load(a, sizeof(*a), MACHINE_RELAXED);
}

static inline uint32_t pkmap_a32_load_acquire(const pkmap_a32 *a)
{
	return (uint32_t)machine_atomic_load(a, sizeof(*a), MACHINE_ACQUIRE);
}

static inline uint32_t pkmap_a32_load_seq_cst(const pkmap_a32 *a)
{
	return (uint32_t)machine_atomic_load(a, sizeof(*a), MACHINE_SEQ_CST);
}

static inline void pkmap_a32_store_relaxed(pkmap_a32 *a, uint32_t v)
{
	machine_atomic_store(a, sizeof(*a), v, MACHINE_RELAXED);
}

static inline void pkmap_a32_store_release(pkmap_a32 *a, uint32_t v)
{
	machine_atomic_store(a, sizeof(*a), v, MACHINE_RELEASE);
}

static inline bool pkmap_a32_cas_acquire(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return machine_atomic_cas(&a->v, old, new_value, MACHINE_ACQUIRE);
}

static inline bool pkmap_a32_cas_release(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return machine_atomic_cas(&a->v, old, new_value, MACHINE_RELEASE);
}

static inline bool pkmap_a32_cas_seq_cst(pkmap_a32 *a, uint32_t *old,
					 uint32_t new_value)
{
	return machine_atomic_cas(&a->v, old, new_value, MACHINE_SEQ_CST);
}

static inline uint32_t pkmap_a32_add_acquire(pkmap_a32 *a, uint32_t n)
{
	return (uint32_t)machine_atomic_add(a, sizeof(*a), n, MACHINE_ACQUIRE);
}

static inline uint32_t pkmap_a32_add_release(pkmap_a32 *a, uint32_t n)
{
	return (uint32_t)machine_atomic_add(a, sizeof(*a), n, MACHINE_RELEASE);
}

static inline uint32_t pkmap_a32_add_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return (uint32_t)machine_atomic_add(a, sizeof(*a), n, MACHINE_SEQ_CST);
}

static inline uint32_t pkmap_a32_sub_seq_cst(pkmap_a32 *a, uint32_t n)
{
	return (uint32_t)machine_atomic_add(a, sizeof(*a), (uint32_t)-n,
					    MACHINE_SEQ_CST);
}

static inline unsigned long pkmap_along_load_relaxed(const pkmap_along *a)
{
	return machine_atomic_load(a, sizeof(*a), MACHINE_RELAXED);
}

static inline void pkmap_along_store_relaxed(pkmap_along *a, unsigned long v)
{
	machine_atomic_store(a, sizeof(*a), v, MACHINE_RELAXED);
}

static inline void pkmap_along_store_release(pkmap_along *a, unsigned long v)
{
	machine_atomic_store(a, sizeof(*a), v, MACHINE_RELEASE);
}

static inline void pkmap_along_add_relaxed(pkmap_along *a, unsigned long n)
{
	machine_atomic_add(a, sizeof(*a), n, MACHINE_RELAXED);
}

static inline void pkmap_fence_acquire(void)
{
	machine_fence(MACHINE_ACQUIRE);
}

static inline void pkmap_fence_seq_cst(void)
{
	machine_fence(MACHINE_SEQ_CST);
}

/* On the model, an interrupt sees all that its CPU did before, in order. */
static inline void pkmap_fence_interrupt(void)
{
	__asm__ __volatile__("" ::: "memory");
}

/* One copy of the counters, to keep the explored state small. */
#define PKMAP_CPU_HINTS 1u

static inline uint32_t pkmap_cpu_hint(void)
{
	return 0;
}

#define PKMAP_WORD_BYTES 4u

#endif /* PKMAP_ATOMIC_H */
