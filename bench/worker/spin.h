/* SPDX-License-Identifier: MIT */
/*
 * spin.h - the spinlock of all peers that need one.
 *
 * Without contention it takes one atomic operation and one store, like a
 * kernel's spinlock.  There are two kinds, and each section in which Linux may
 * have to wait is measured with the one that is better for Linux:
 *
 *   The default takes waiters in any order.  Throughput is better: the CPU that
 *   released the lock often takes it again before others notice.
 *   SPIN_TICKETS takes them in order of arrival, as on 32-bit ARM.  The longest
 *   wait is shorter.
 *
 * In a kernel, the holder of a spinlock is not preempted, but a thread may be.
 * So a waiter yields its CPU after a while instead of using up its time slice,
 * which makes it faster than one that only spins.
 */
#ifndef BENCH_WORKER_SPIN_H
#define BENCH_WORKER_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define SPINS_BEFORE_YIELD 2000

struct spin {
	atomic_uint next;  /* 1: locked; with tickets, the next free ticket */
	atomic_uint owner; /* the ticket that holds the lock */
};

static inline void spin_pause(int *spins)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
	if (++*spins > SPINS_BEFORE_YIELD)
		sched_yield();
}

#ifdef SPIN_TICKETS

static inline void spin_take(struct spin *lock)
{
	const unsigned int ticket =
		atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
	int spins = 0;

	while (atomic_load_explicit(&lock->owner, memory_order_acquire) !=
	       ticket)
		spin_pause(&spins);
}

static inline void spin_drop(struct spin *lock)
{
	const unsigned int owner =
		atomic_load_explicit(&lock->owner, memory_order_relaxed);

	atomic_store_explicit(&lock->owner, owner + 1, memory_order_release);
}

#else

static inline bool spin_try(struct spin *lock)
{
	return !atomic_exchange_explicit(&lock->next, 1, memory_order_acquire);
}

static inline void spin_take(struct spin *lock)
{
	int spins = 0;

	while (!spin_try(lock)) {
		while (atomic_load_explicit(&lock->next, memory_order_relaxed))
			spin_pause(&spins);
	}
}

static inline void spin_drop(struct spin *lock)
{
	atomic_store_explicit(&lock->next, 0, memory_order_release);
}

#endif

#endif /* BENCH_WORKER_SPIN_H */
