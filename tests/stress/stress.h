/* SPDX-License-Identifier: MIT */
/*
 * stress.h - what the stress tests share: windows on the posix port whose pages
 * show which page they are, threads with timer signals on top of them, and a
 * watchdog that turns a hang into a failure.
 *
 * Each page has a stamp, derived from its number, in several words, and a
 * counter for each owner.  An owner is a thread or the interrupts on top of it.
 * Only the owner stores to its counters, and it remembers what it stored, which
 * reveals a store that is lost or reaches another page (I1).
 *
 * A wrong result ends the program.
 */
#ifndef STRESS_H
#define STRESS_H

#include <pkmap/posix.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#define STRESS_WORKERS 16u
#define STRESS_PAGES   256u
#define STRESS_WINDOWS 3u

struct stress_window {
	struct pkmap_posix *port;
	struct pkmap_window *win;
	pkmap_pfn npages;
	size_t words; /* 32-bit words in a page */
};

/* A thread that uses a window, and what the watchdog prints of it. */
struct worker {
	const char *role;
	void (*run)(struct worker *me);
	void (*interrupt)(struct worker *me); /* by its timer; may be NULL */
	unsigned long rounds;

	_Atomic(const char *) doing;
	atomic_ulong done;
	unsigned int nr;
	pthread_t thread;
	timer_t timer;
	uint64_t random[2]; /* of the task, and of its interrupts */
};

/**
 * stress_open() - opens a strict window onto a memfd of stamped pages.
 *
 * A reported misuse is a failure.  At most STRESS_WINDOWS can be open.
 */
void stress_open(struct stress_window *w, uint32_t nslots, pkmap_pfn npages);

/**
 * stress_close() - closes the window.
 *
 * It must be idle, its statistics must agree with the calls of the port's
 * operations, and each counter must have the value that its owner stored last.
 */
void stress_close(struct stress_window *w);

/**
 * stress_reclaims() - a sequence number, odd while translations of a window are
 * being torn down.
 *
 * Two loads tell whether a reclaim, a flush or a forget was in progress between
 * them.
 */
unsigned int stress_reclaims(void);

/* Runs the workers until they end, with the watchdog. */
void stress_run(struct worker *workers, unsigned int n);

/* Checks that @addr shows @pfn. */
void stress_check(const struct stress_window *w, const void *addr,
		  pkmap_pfn pfn);

/* Checks, and adds one to the counter of the task or of its interrupts. */
void stress_use(struct worker *me, struct stress_window *w, void *addr,
		pkmap_pfn pfn, bool in_interrupt);

/* Notes that a child has used the page in its parent's place. */
void stress_used_by_child(struct worker *me, struct stress_window *w,
			  pkmap_pfn pfn);

uint32_t stress_random(struct worker *me, bool in_interrupt);

pkmap_pfn stress_some_page(struct worker *me, const struct stress_window *w,
			   bool in_interrupt);

/* Pins a page, uses it and unmaps it.  Returns whether it was mapped. */
bool stress_pin(struct worker *me, struct stress_window *w, pkmap_pfn pfn,
		bool in_interrupt);

/* @call is an expression whose value must be 0. */
#define stress_must(call) \
	do { \
		int stress_err = (call); \
		if (stress_err) \
			stress_fail("%s: %s", #call, \
				    pkmap_strerror(stress_err)); \
	} while (0)

_Noreturn void stress_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif /* STRESS_H */
