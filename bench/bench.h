/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the parts of "pkmap bench" tell each other.
 *
 * It asks workers (job.h) and other programs how long some work takes with this
 * peer and with that.  Work is done section by section:
 *
 *   A run is a job of a worker, or something else that is measured.  All runs
 *   of a section are done once in each round, so that whatever else happens on
 *   the machine meets all of them alike.
 *   An item is a figure that a run gives in each round.
 *   A comparison is the ratio of two items, taken round by round; the median of
 *   those is the figure to quote.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "command.h"
#include "job.h"

#include "tools/common/output.h"
#include "tools/common/progress.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BENCH_WORKERS_MAX     48
#define BENCH_RUNS_MAX	      96
#define BENCH_ITEMS_MAX	      192
#define BENCH_COMPARISONS_MAX 128
#define BENCH_NAME_MAX	      96

#define BENCH_ROUNDS_MIN      21 /* for figures to quote */

/* A process that has one peer linked in. */
struct bench_worker {
	char peer[32]; /* as in the name of its program */
	uint32_t nslots;
	uint32_t npages;
	uint32_t page_shift;
	int fd; /* the file with its pages, or -1 */
	bool strict;
	pid_t pid; /* 0: not running */
	int to;
	int from;
};

struct bench_run {
	int worker; /* of a job */
	struct job job;
	/*
	 * Not NULL: instead of a worker's time, its instructions in these
	 * functions (separated by spaces), counted by callgrind.
	 */
	const char *functions;
	/* Not NULL: this is done instead; it fills in the answer. */
	void (*other)(const void *arg, struct answer *answer);
	const void *arg;
	struct answer answer; /* the last round's; buckets of all rounds */
	bool failed;	      /* for why, see the answer */
};

enum bench_field {
	FIELD_NS,
	FIELD_INSTRUCTIONS,
	FIELD_MISSES,  /* in 1,000 maps */
	FIELD_FLUSHES, /* in 1,000 maps */
	FIELD_P50,     /* WORK_LATENCY: so many pins took no longer */
	FIELD_P99,
	FIELD_P999,
	FIELD_P9999,
	FIELD_SLOWEST,
};

struct bench_spread {
	double min;
	double q1;
	double median;
	double q3;
};

struct bench_item {
	char name[BENCH_NAME_MAX];
	int run;
	enum bench_field field;
	double *samples; /* one a round */
	struct bench_spread spread;
	/* Where it is in a plot, if it is in one. */
	const char *plot; /* the name of the plot's data */
	const char *series;
	double x;
};

enum bench_target {
	NO_TARGET,
	AT_MOST,
	AT_LEAST,
};

struct bench_comparison {
	char name[BENCH_NAME_MAX];
	int item; /* this one's samples ... */
	int base; /* ... divided by this one's */
	enum bench_target kind;
	double target;
	struct bench_spread ratio;
};

struct bench_section {
	const char *name;
	const char *title;
	bool repeatable; /* the same in each round: so there is one */
	int rounds;
	struct bench_worker workers[BENCH_WORKERS_MAX];
	int nworkers;
	struct bench_run runs[BENCH_RUNS_MAX];
	int nruns;
	struct bench_item items[BENCH_ITEMS_MAX];
	int nitems;
	struct bench_comparison comparisons[BENCH_COMPARISONS_MAX];
	int ncomparisons;
	char left_out[PATH_MAX + 160]; /* what is not, and why, or "" */
	bool broken;		       /* that should have been */
};

struct bench {
	int rounds;
	bool quick;
	const char *traces; /* directory, or NULL */
	uint32_t ncpus;	    /* that we may run on */
	int fd;		    /* pages, each with its marks (job.h) */
	int scratch_fd;	    /* as many, to be written to */
	bench_pump_fn *pump;
	struct progress progress;
	bool stopped;
	bool failed; /* something could not be measured */
};

/* Pages of the file that bench.fd is: a hundred windows of 512 slots. */
#define BENCH_FILE_PAGES 51200u

/* plans/plan.c: what is in each section. */
struct bench_plan {
	const char *name;
	const char *title;
	void (*plan)(const struct bench *b, struct bench_section *s);
	bool repeatable;
};

extern const struct bench_plan bench_plans[];
extern const int bench_nplans;

/*
 * section.c: to fill in a section.  Each returns an index, or -1 if what it
 * builds on is -1; it all begins with a worker whose program is missing.
 */
int add_worker(struct bench_section *s, const char *peer, uint32_t nslots,
	       uint32_t npages, int fd);
int add_run(struct bench_section *s, int worker, const struct job *job);
int add_item(struct bench_section *s, int run, enum bench_field field,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));
void add_comparison(struct bench_section *s, int item, int base,
		    enum bench_target kind, double target, const char *format,
		    ...) __attribute__((format(printf, 6, 7)));
void add_to_plot(struct bench_section *s, int item, const char *plot,
		 const char *series, double x);
void leave_out(struct bench_section *s, const char *why);
/* The same for what should have been measured: an error, which it says. */
void leave_out_broken(struct bench_section *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * section.c: does all rounds.  Returns 0, or -1 if there is nothing to report:
 * for want of memory, or since somebody wants us to stop (b->stopped).
 */
int section_measure(struct bench *b, struct bench_section *s);
/* Whose run it is. */
const char *run_name(const struct bench_section *s, const struct bench_run *r);
void section_free(struct bench_section *s);

/* worker.c's other end: workers.c.  A worker starts with its first job. */
void worker_ask(struct bench_worker *w, const struct job *job,
		struct answer *answer);
/* Returns how it ended, as waitpid() does. */
int worker_stop(struct bench_worker *w);
/* In a child, before it becomes another program. */
void unblock_signals(void);
/* Whether there is a program with that peer, and where. */
#define WORKER_PATH (PATH_MAX + 64)
bool worker_exists(const char *peer, char path[WORKER_PATH]);
/* Of a worker's command line: NULL behind the last. */
#define WORKER_ARGS 7
void worker_args(const struct bench_worker *w, char path[WORKER_PATH],
		 char numbers[5][16], char *args[WORKER_ARGS]);

/* count.c: instructions an operation, in @functions, instead of nanoseconds. */
void count_instructions(const struct bench_worker *w, const struct job *job,
			const char *functions, struct answer *answer);

/* summary.c: fills in the spreads; a comparison's needs both its items. */
int section_summarise(struct bench_section *s);
/* What a @part of the values do not exceed, to a bucket's width. */
double buckets_quantile(const uint64_t *buckets, double part);
bool item_measured(const struct bench_section *s, int item);
bool comparison_measured(const struct bench_section *s,
			 const struct bench_comparison *c);
bool comparison_met(const struct bench_comparison *c);

/* report.c: Markdown. */
void report_host(FILE *out);
void report_section(const struct bench_section *s, FILE *out);

/* json.c: a json_t of jansson's. */
struct json_t *json_of_host(void);
struct json_t *json_of_section(const struct bench_section *s);

/* host.c: what the figures depend on, as texts. */
struct host {
	long ncpus;
	char kernel[128];
	char clock_source[32];
	char governor[32];
	const char *compiler;
	const char *build;
};

void read_host(struct host *host);

/*
 * files.c: what is written into a directory.  Those that return int: 0, or -1
 * after they said why.
 */
int file_path(char path[PATH_MAX], const char *dir, const char *name);
int file_write(const char *dir, const char *name, output_write_fn *write,
	       const void *arg);

/* Says what failed, and errno.  Returns -1. */
int bench_error(const char *what);

/* plots.c: writes the data of the section's plots into a directory; 0 or -1. */
int plots_write(const struct bench_section *s, const char *dir);

const char *field_unit(enum bench_field field);

#endif /* BENCH_BENCH_H */
