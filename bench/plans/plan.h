/* SPDX-License-Identifier: MIT */
/* plan.h - what the plans of the sections share. */
#ifndef BENCH_PLANS_PLAN_H
#define BENCH_PLANS_PLAN_H

#include "bench/bench.h"

#define SLOTS	 512
#define LEAD_IN	 4096
#define FAST_OPS (1u << 18) /* operations that take nanoseconds */
#define SLOW_OPS 2048	    /* operations that take microseconds */

#define LINUX	 "linux-512"

/* plan.c */
/* @ops, or fewer with --quick. */
uint64_t ops_of(const struct bench *b, uint64_t ops);
/* Adds a worker with a window of SLOTS slots. */
int add_window(struct bench_section *s, const char *peer, int fd);
/* The same with a window of another size. */
int add_sized(struct bench_section *s, const char *peer, uint32_t nslots,
	      int fd);
/* Adds a run, and an item for its time. */
int add_time(struct bench_section *s, int worker, const struct job *job,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Working sets, and how pages are drawn from them. */
struct working_set {
	const char *name;
	double windows;
};

struct draw {
	const char *name;
	const char *plot;
	enum job_pattern pattern;
};

#define NSETS  4
#define NDRAWS 2

extern const struct working_set working_sets[NSETS];
extern const struct draw draws[NDRAWS];

/* mapped.c */
void plan_pin(const struct bench *b, struct bench_section *s);
void plan_threads(const struct bench *b, struct bench_section *s);
void plan_interrupts(const struct bench *b, struct bench_section *s);
void plan_reclaim(const struct bench *b, struct bench_section *s);

/* used.c */
void plan_mixed(const struct bench *b, struct bench_section *s);
void plan_full(const struct bench *b, struct bench_section *s);

/* policy.c */
void plan_policy(const struct bench *b, struct bench_section *s);
void plan_traces(const struct bench *b, struct bench_section *s);

/* mmu.c */
void plan_map(const struct bench *b, struct bench_section *s);
void plan_miss(const struct bench *b, struct bench_section *s);
void plan_copy(const struct bench *b, struct bench_section *s);

/* window.c */
void plan_window(const struct bench *b, struct bench_section *s);
void plan_instructions(const struct bench *b, struct bench_section *s);

/* cpus.c */
void plan_cpus(const struct bench *b, struct bench_section *s);

/* pump.c */
void plan_pump(const struct bench *b, struct bench_section *s);

#endif /* BENCH_PLANS_PLAN_H */
