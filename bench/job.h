/* SPDX-License-Identifier: MIT */
/*
 * job.h - what "pkmap bench" asks a worker, and what that answers.
 *
 * A worker is a process that has one peer linked in: pkmap, Linux's
 * mm/highmem.c, mmap() and so on (peers/).  It reads jobs from its standard
 * input and writes an answer to each to its standard output, both as these
 * structures; it ends when its input does.  All workers are built from the same
 * worker.c, so that the loops around the peers' calls are the same.
 */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stdint.h>

#define JOB_THREADS_MAX 64
#define JOB_PATH_MAX	256
#define JOB_WHY_MAX	512

/*
 * Buckets of nanoseconds: 16 for each power of two, so that a bucket is at most
 * 1/16 of its values wide.
 */
#define JOB_BUCKETS_LOG 4
#define JOB_BUCKETS	(32 << JOB_BUCKETS_LOG)

enum job_work {
	WORK_PIN,	/* pin a page that is mapped, unmap it */
	WORK_PIN_MISS,	/* pin a page that is not mapped */
	WORK_MAP,	/* map a page, unmap it */
	WORK_MAP_TOUCH, /* the same, and look at each system page of it */
	WORK_COPY,	/* map two pages, copy one to the other, unmap both */
	WORK_LATENCY,	/* as WORK_PIN, each timed, while others map */
};

enum job_pattern {
	PATTERN_SAME,	 /* the first page */
	PATTERN_TURN,	 /* each thread goes round in pages of its own */
	PATTERN_CYCLE,	 /* all pages, in one random order, over and over */
	PATTERN_UNIFORM, /* a random page each time */
	PATTERN_ZIPF,	 /* the same; page k with a weight of 1 / k^0.99 */
	PATTERN_TRACE,	 /* the pages of a file, see scripts/record-traces */
};

struct job {
	enum job_work work;
	enum job_pattern pattern;
	uint32_t first;	  /* page */
	uint32_t pages;	  /* from there on: the working set */
	uint32_t prepare; /* pages from 0 on to map once before */
	uint32_t hold;	  /* pages from 0 on to keep mapped from then on */
	/*
	 * Not 0: the numbers above stand for pages that are chosen at random
	 * from so many, the same in each job.
	 */
	uint32_t scattered;
	uint32_t threads;
	uint32_t irq_hz;  /* interrupts a second and thread, which pin @first */
	uint64_t lead_in; /* operations of each thread that are not timed */
	uint64_t ops;	  /* of each thread; 0 with a trace: all of it */
	char path[JOB_PATH_MAX]; /* of the trace */
};

struct answer {
	char why[JOB_WHY_MAX]; /* not "": it failed, and this is why */
	/*
	 * Of an operation: nanoseconds, from the first start to the last end
	 * (or, from count.c, instructions).
	 */
	double cost;
	uint64_t ops;
	uint64_t misses;  /* maps that needed a slot */
	uint64_t flushes; /* of TLBs, all CPUs */
	uint64_t slowest; /* WORK_LATENCY: nanoseconds */
	uint64_t buckets[JOB_BUCKETS];
};

static inline uint32_t job_bucket(uint64_t ns)
{
	uint32_t shift = 0;

	if (ns >= 2u << JOB_BUCKETS_LOG)
		shift = 63u - (uint32_t)__builtin_clzll(ns) - JOB_BUCKETS_LOG;
	ns = (ns >> shift) + (shift << JOB_BUCKETS_LOG);
	return ns < JOB_BUCKETS ? (uint32_t)ns : JOB_BUCKETS - 1;
}

/* The lowest value of a bucket. */
static inline uint64_t job_bucket_start(uint32_t bucket)
{
	uint32_t shift = 0;

	if (bucket >= 2u << JOB_BUCKETS_LOG)
		shift = (bucket >> JOB_BUCKETS_LOG) - 1;
	return (uint64_t)(bucket - (shift << JOB_BUCKETS_LOG)) << shift;
}

/* What the @n-th 4096 bytes of the pages' file begin with. */
static inline uint64_t job_mark(uint64_t n)
{
	return n * 0x9e3779b97f4a7c15u + 1;
}

#endif /* BENCH_JOB_H */
