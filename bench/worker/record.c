// SPDX-License-Identifier: MIT
/*
 * record.c - the functions that code calls which is compiled with
 * -fsanitize=thread.  This file is not.
 *
 * A read-modify-write is a write, also a compare-and-swap that fails: CPUs take
 * the line for themselves before they compare.
 */
#include "record.h"

#include <stdbool.h>
#include <string.h>

#define NO_CPU MESI_CPUS_MAX

static uint32_t cpu = NO_CPU;
static struct mesi caches;

static void record(const volatile void *addr, size_t bytes, bool write)
{
	if (cpu != NO_CPU)
		mesi_access(&caches, cpu, (uintptr_t)addr, bytes, write);
}

void record_as(uint32_t this_cpu)
{
	cpu = this_cpu;
}

void record_nothing(void)
{
	cpu = NO_CPU;
}

struct mesi_counts record_counts(void)
{
	const struct mesi_counts counts = caches.counts;

	caches.counts = (struct mesi_counts){ 0 };
	return counts;
}

/* The compilers' names for these functions; no header declares them. */
#define HOOK(type, name, args) \
	type __tsan_##name args; \
	type __tsan_##name args

HOOK(void, init, (void))
{
}

HOOK(void, func_entry, (void *caller))
{
	(void)caller;
}

HOOK(void, func_exit, (void))
{
}

HOOK(void, read_range, (void *addr, unsigned long bytes))
{
	record(addr, bytes, false);
}

HOOK(void, write_range, (void *addr, unsigned long bytes))
{
	record(addr, bytes, true);
}

#define PLAIN(bytes) \
	HOOK(void, read##bytes, (void *addr)) \
	{ \
		record(addr, bytes, false); \
	} \
	HOOK(void, write##bytes, (void *addr)) \
	{ \
		record(addr, bytes, true); \
	} \
	HOOK(void, unaligned_read##bytes, (void *addr)) \
	{ \
		record(addr, bytes, false); \
	} \
	HOOK(void, unaligned_write##bytes, (void *addr)) \
	{ \
		record(addr, bytes, true); \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

/* Only one CPU runs at a time, so the order of memory does not matter here. */
#define SEQ_CST __ATOMIC_SEQ_CST

#define FETCH(bits, op) \
	HOOK(uint##bits##_t, atomic##bits##_fetch_##op, \
	     (volatile uint##bits##_t * a, uint##bits##_t v, int order)) \
	{ \
		(void)order; \
		record(a, sizeof(*a), true); \
		return __atomic_fetch_##op(a, v, SEQ_CST); \
	}

#define EXCHANGE(bits, strength) \
	HOOK(int, atomic##bits##_compare_exchange_##strength, \
	     (volatile uint##bits##_t * a, uint##bits##_t * old, \
	      uint##bits##_t v, int order, int failed)) \
	{ \
		(void)order; \
		(void)failed; \
		record(a, sizeof(*a), true); \
		return __atomic_compare_exchange_n(a, old, v, false, SEQ_CST, \
						   SEQ_CST); \
	}

#define ATOMIC(bits) \
	HOOK(uint##bits##_t, atomic##bits##_load, \
	     (const volatile uint##bits##_t *a, int order)) \
	{ \
		(void)order; \
		record(a, sizeof(*a), false); \
		return __atomic_load_n(a, SEQ_CST); \
	} \
	HOOK(void, atomic##bits##_store, \
	     (volatile uint##bits##_t * a, uint##bits##_t v, int order)) \
	{ \
		(void)order; \
		record(a, sizeof(*a), true); \
		__atomic_store_n(a, v, SEQ_CST); \
	} \
	HOOK(uint##bits##_t, atomic##bits##_exchange, \
	     (volatile uint##bits##_t * a, uint##bits##_t v, int order)) \
	{ \
		(void)order; \
		record(a, sizeof(*a), true); \
		return __atomic_exchange_n(a, v, SEQ_CST); \
	} \
	FETCH(bits, add) \
	FETCH(bits, sub) \
	FETCH(bits, and) \
	FETCH(bits, or) \
	FETCH(bits, xor) \
	EXCHANGE(bits, strong) \
	EXCHANGE(bits, weak)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)

HOOK(void, atomic_thread_fence, (int order))
{
	(void)order;
}

HOOK(void, atomic_signal_fence, (int order))
{
	(void)order;
}

/* The linker's --wrap=memset has the peers call this. */
void *__wrap_memset(void *addr, int c, size_t bytes);
void *__real_memset(void *addr, int c, size_t bytes);

void *__wrap_memset(void *addr, int c, size_t bytes)
{
	record(addr, bytes, true);
	return __real_memset(addr, c, bytes);
}
