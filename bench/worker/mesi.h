/* SPDX-License-Identifier: MIT */
/*
 * mesi.h - which CPU's cache has which cache line, and in which state (MESI).
 *
 * Each CPU has a cache of its own, of unlimited size: it loses a line only when
 * another CPU writes to it.  A line is exclusive if one cache has it and memory
 * is up to date, so this state needs no field of its own.  A CPU's first access
 * to a line that nobody has modified is served from memory and counts nothing.
 */
#ifndef BENCH_WORKER_MESI_H
#define BENCH_WORKER_MESI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESI_LINE_BYTES 64u
#define MESI_CPUS_MAX	128u
#define MESI_WORDS	(MESI_CPUS_MAX / 64)

struct mesi_counts {
	/*
	 * Accesses that had to wait for another CPU's cache: it had modified
	 * the line, or a write had taken the line from this CPU's cache.
	 */
	uint64_t transfers;
	/* Copies in other caches that writes made invalid. */
	uint64_t invalidations;
};

struct mesi_line {
	uint64_t name; /* the address / MESI_LINE_BYTES, + 1; 0: unused */
	uint64_t have[MESI_WORDS]; /* a bit for each CPU that has the line */
	uint64_t lost[MESI_WORDS]; /* ... that had it until another's write */
	bool modified;		   /* in the only cache that has it */
};

struct mesi {
	struct mesi_line *lines; /* a hash table */
	size_t room;		 /* a power of two, or 0 */
	size_t used;
	struct mesi_counts counts;
};

/* Both begin with a struct that is all zero.  Running out of memory aborts. */
void mesi_access(struct mesi *m, uint32_t cpu, uintptr_t addr, size_t bytes,
		 bool write);
void mesi_free(struct mesi *m);

#endif /* BENCH_WORKER_MESI_H */
