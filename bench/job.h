/* SPDX-License-Identifier: MIT */
/*
 * job.h - the jobs that "pkmap bench" gives to its workers, and their answers.
 *
 * A worker is a process with one peer linked in: pkmap, Linux's mm/highmem.c,
 * mmap() and so on (peers/).  It reads jobs from standard input and writes the
 * answer to each to standard output, as these structures; at the end of its
 * input it exits.  All workers are built from the same worker/worker.c, so that
 * the loops around the peers' calls are the same.
 */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stdint.h>

#define JOB_THREADS_MAX 64
#define JOB_PATH_MAX	256
#define JOB_WHY_MAX	512

/*
 * Buckets of nanoseconds: 16 for each power of two, so that the width of a
 * bucket is at most 1/16 of its values.
 */
#define JOB_BUCKETS_LOG 4
#define JOB_BUCKETS	(32 << JOB_BUCKETS_LOG)

enum job_work {
	WORK_PIN,	/* pin a page that is mapped, unmap it */
	WORK_PIN_MISS,	/* pin a page that is not mapped */
	WORK_MAP,	/* map a page, unmap it */
	WORK_MAP_TOUCH, /* the same, and read from each 4 KiB of it */
	WORK_COPY,	/* map two pages, copy one to the other, unmap both */
	WORK_LATENCY,	/* as WORK_PIN, each timed, while other threads map */
};

enum job_pattern {
	PATTERN_SAME,	 /* the first page */
	PATTERN_TURN,	 /* each thread cycles through pages of its own */
	PATTERN_OWN,	 /* a random one of these each time */
	PATTERN_CYCLE,	 /* all pages, in one random order, over and over */
	PATTERN_UNIFORM, /* a random page each time */
	PATTERN_ZIPF,	 /* the same, page k with a weight of 1 / k^0.99 */
	PATTERN_TRACE,	 /* from a file; see scripts/record-traces */
};

struct job {
	enum job_work work;
	enum job_pattern pattern;
	uint32_t first;	  /* the first page of the working set */
	uint32_t pages;	  /* the size of the working set */
	uint32_t prepare; /* map so many pages, from page 0, once before */
	uint32_t hold;	  /* keep so many pages, from page 0, mapped */
	/* Unmap so many of those again, evenly spread over them. */
	uint32_t release;
	/*
	 * Not 0: before, so many other threads, one on each CPU, map @mix pages
	 * each, Zipf over ten windows, and then the working set's pages.  A
	 * page that thread T will use is mapped by thread T + @shift of them.
	 * They take turns: the order of all maps is the same in each run.
	 */
	uint32_t mixers;
	uint32_t mix; /* worker/cpus.c: so many maps of all threads together */
	uint32_t shift;
	/*
	 * Not 0: the page numbers above stand for pages chosen at random from
	 * so many, always the same ones.
	 */
	uint32_t scattered;
	uint32_t draws; /* until a random pattern repeats; 0: many */
	uint32_t threads;
	uint32_t irq_hz;  /* interrupts per thread and second, to pin @first */
	uint64_t lead_in; /* untimed operations of each thread before */
	uint64_t ops;	  /* of each thread; 0: the whole trace */
	char path[JOB_PATH_MAX]; /* of the trace */
};

struct answer {
	char why[JOB_WHY_MAX]; /* not empty: the job failed, and why */
	/*
	 * Nanoseconds per operation, from the first start to the last end (or
	 * instructions, from count.c).
	 */
	double cost;
	uint64_t ops;
	uint64_t misses;  /* maps that needed a slot */
	uint64_t flushes; /* of the TLBs of all CPUs */
	/* worker/cpus.c: of cache lines, as in struct mesi_counts */
	uint64_t transfers;
	uint64_t invalidations;
	uint64_t slowest; /* WORK_LATENCY: the longest, in nanoseconds */
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

/* The first word of the @n-th 4 KiB in the file of pages. */
static inline uint64_t job_mark(uint64_t n)
{
	return n * 0x9e3779b97f4a7c15u + 1;
}

#endif /* BENCH_JOB_H */
