/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what pkmap-bench measures, and how.
 *
 * An item is a loop that is timed; a comparison is the ratio of two items'
 * times.  Items run in turn, one sample each in a round, so that whatever else
 * happens on the machine meets all of them alike; a comparison takes its ratio
 * round by round, and the median of those is the figure.
 */
#ifndef PKMAP_BENCH_H
#define PKMAP_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define BENCH_MAX	 48
#define BENCH_NAME_MAX	 96
#define BENCH_ROUNDS_MIN 21 /* for figures to quote */

struct bench_spread {
	double min;
	double q1;
	double median;
	double q3;
};

struct bench_item {
	char name[BENCH_NAME_MAX];
	/*
	 * Does @ops operations and says how long they took; 0, or -1 after
	 * saying on stderr why they could not be done.
	 */
	int (*run)(void *arg, uint64_t ops, uint64_t *ns);
	void *arg;
	uint64_t ops;
	bool failed;
	double *samples; /* nanoseconds an operation, one a round */
	struct bench_spread ns;
};

enum bench_target {
	BENCH_NO_TARGET,
	BENCH_AT_MOST,
	BENCH_AT_LEAST,
};

struct bench_comparison {
	char name[BENCH_NAME_MAX];
	int item; /* this one's time ... */
	int base; /* ... divided by this one's */
	enum bench_target kind;
	double target;
	struct bench_spread ratio;
};

struct bench {
	struct bench_item items[BENCH_MAX];
	int nitems;
	struct bench_comparison comparisons[BENCH_MAX];
	int ncomparisons;
	int rounds;
	bool failed; /* something could not be measured */
	int cpus[2]; /* where the threads run; the second may be -1 */
};

/* main.c: returns the index of the new item, for bench_compare(). */
int bench_add(struct bench *b,
	      int (*run)(void *arg, uint64_t ops, uint64_t *ns), void *arg,
	      uint64_t ops, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void bench_compare(struct bench *b, int item, int base, enum bench_target kind,
		   double target, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/*
 * Nanoseconds.  What is reported is CLOCK_THREAD_CPUTIME_ID, which stands still
 * while another process has the CPU.
 */
uint64_t bench_now(clockid_t clock);

/* fast.c: calls that never leave the process.  miss.c: those that do. */
struct fast;
struct fast *fast_setup(struct bench *b);
void fast_teardown(struct fast *fast);
struct miss;
struct miss *miss_setup(struct bench *b);
void miss_teardown(struct miss *miss);

/* summary.c: fills in the spreads; a comparison's needs both its items. */
int bench_summarise(struct bench *b);
bool bench_measured(const struct bench *b, const struct bench_comparison *c);
bool bench_met(const struct bench_comparison *c);

/* report.c */
void report_text(const struct bench *b, FILE *out);
int report_json(const struct bench *b, FILE *out);

#endif /* PKMAP_BENCH_H */
