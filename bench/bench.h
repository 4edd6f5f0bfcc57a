/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the parts of "pkmap bench" share.
 *
 * It measures how long the same work takes with pkmap and with other peers.
 * Workers (job.h) and other programs do the work, section by section:
 *
 *   A run is a job for a worker, or something else that is measured.  Each
 *   round does all runs of the section once, so that disturbances of the host
 *   affect all of them alike.
 *   An item is a figure that a run gives in each round.
 *   A comparison is the ratio of two items in the same round.  The median over
 *   all rounds is the figure to quote.
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
#define BENCH_RUNS_MAX	      192
#define BENCH_ITEMS_MAX	      384
#define BENCH_COMPARISONS_MAX 128
#define BENCH_NAME_MAX	      96

#define BENCH_ROUNDS_MIN      21 /* for figures that may be quoted */

/* A worker process, with one peer linked in. */
struct bench_worker {
	char peer[32]; /* as in the name of the program */
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
	int worker; /* that does @job */
	struct job job;
	/*
	 * Not NULL: do not measure the time, but count the instructions in
	 * these functions (separated by spaces), with callgrind.
	 */
	const char *functions;
	/* Not NULL: call this instead of a worker; it fills in the answer. */
	void (*other)(const void *arg, struct answer *answer);
	const void *arg;
	struct answer answer; /* of the last round; the buckets of all rounds */
	bool failed;	      /* @answer says why */
};

enum bench_field {
	FIELD_NS,
	FIELD_INSTRUCTIONS,
	FIELD_MISSES,	     /* per 1,000 maps */
	FIELD_FLUSHES,	     /* per 1,000 maps */
	FIELD_TRANSFERS,     /* of cache lines, per operation */
	FIELD_INVALIDATIONS, /* the same */
	FIELD_P50,	     /* WORK_LATENCY: quantiles of a pin's time */
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
	double *samples; /* one per round */
	struct bench_spread spread;
	/* Its place in a plot and in a table, if it is in one. */
	const char *plot;  /* the name of the plot's data, or NULL */
	const char *table; /* the table's title, or NULL */
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
	int item; /* the samples of this one ... */
	int base; /* ... are divided by those of this one */
	enum bench_target kind;
	double target;
	struct bench_spread ratio;
};

struct bench_section {
	const char *name;
	const char *title;
	bool repeatable;     /* counts: one round is enough */
	const char *columns; /* what the columns of its tables are */
	int rounds;
	struct bench_worker workers[BENCH_WORKERS_MAX];
	int nworkers;
	struct bench_run runs[BENCH_RUNS_MAX];
	int nruns;
	struct bench_item items[BENCH_ITEMS_MAX];
	int nitems;
	struct bench_comparison comparisons[BENCH_COMPARISONS_MAX];
	int ncomparisons;
	char left_out[PATH_MAX + 160]; /* what is left out and why; or empty */
	bool broken;		       /* what is left out is an error */
};

struct bench {
	int rounds;
	bool quick;
	const char *traces; /* directory, or NULL */
	uint32_t ncpus;	    /* CPUs that we may run on */
	int fd;		    /* a file of pages with their marks (job.h) */
	int scratch_fd;	    /* a file of as many pages to write to */
	bench_pump_fn *pump;
	struct progress progress;
	bool stopped;
	bool failed; /* something could not be measured */
};

/* Pages of the file bench.fd: a hundred windows of 512 slots. */
#define BENCH_FILE_PAGES 51200u

/* plans/plan.c: fills in each section. */
struct bench_plan {
	const char *name;
	const char *title;
	void (*plan)(const struct bench *b, struct bench_section *s);
	bool repeatable;
};

extern const struct bench_plan bench_plans[];
extern const int bench_nplans;

/*
 * section.c: these add to a section, and return the index of what they added.
 * If the program of a worker is missing, add_worker() returns -1, and so do the
 * others for what builds on it.
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
void add_to_table(struct bench_section *s, int item, const char *table,
		  const char *series, double x);
void leave_out(struct bench_section *s, const char *why);
/* The same for what should have been measured: it reports an error. */
void leave_out_broken(struct bench_section *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * section.c: does all rounds.  Returns 0, or -1 if there is nothing to report:
 * there is no memory, or a signal asked us to stop (b->stopped).
 */
int section_measure(struct bench *b, struct bench_section *s);
/* The name of the peer, or else of the section. */
const char *run_name(const struct bench_section *s, const struct bench_run *r);
void section_free(struct bench_section *s);

/*
 * workers.c: the other end of worker/worker.c.  The first job starts a worker.
 */
void worker_ask(struct bench_worker *w, const struct job *job,
		struct answer *answer);
/* Returns the status from waitpid(). */
int worker_stop(struct bench_worker *w);
/* Call this in a child before execve(). */
void unblock_signals(void);
/* Whether the program with that peer exists; @path is where. */
#define WORKER_PATH (PATH_MAX + 64)
bool worker_exists(const char *peer, char path[WORKER_PATH]);
/* The number of a worker's arguments, with the NULL at the end. */
#define WORKER_ARGS 7
void worker_args(const struct bench_worker *w, char path[WORKER_PATH],
		 char numbers[5][16], char *args[WORKER_ARGS]);

/* count.c: the instructions per operation in @functions. */
void count_instructions(const struct bench_worker *w, const struct job *job,
			const char *functions, struct answer *answer);

/* summary.c: fills in the spreads of all items and comparisons. */
int section_summarise(struct bench_section *s);
/*
 * The value that a @part of the values do not exceed, rounded up to a bucket.
 */
double buckets_quantile(const uint64_t *buckets, double part);
bool item_measured(const struct bench_section *s, int item);
bool comparison_measured(const struct bench_section *s,
			 const struct bench_comparison *c);
bool comparison_met(const struct bench_comparison *c);

/* report.c: Markdown. */
void report_host(FILE *out);
void report_section(const struct bench_section *s, FILE *out);

/* matrix.c: the tables of items, if there are any. */
void report_tables(const struct bench_section *s, FILE *out);

/* json.c: a json_t of jansson's. */
struct json_t *json_of_host(void);
struct json_t *json_of_section(const struct bench_section *s);

/* host.c: what the figures depend on, in words. */
struct host {
	long ncpus;
	char cpu[96];	/* its model */
	char cores[96]; /* whether CPUs that we may use share a core */
	char kernel[128];
	char clock_source[32];
	char governor[32];
	const char *compiler;
	const char *build;
};

void read_host(struct host *host);

/*
 * files.c: files in the directory of --out.  Both return 0, or -1 after they
 * reported an error.
 */
int file_path(char path[PATH_MAX], const char *dir, const char *name);
int file_write(const char *dir, const char *name, output_write_fn *write,
	       const void *arg);

/* Prints what failed, with errno.  Returns -1. */
int bench_error(const char *what);

/*
 * plots.c: writes the data of the section's plots into @dir.  Returns 0 or -1.
 */
int plots_write(const struct bench_section *s, const char *dir);

/* section.c: "ns", "instructions" and so on. */
const char *field_unit(enum bench_field field);

#endif /* BENCH_BENCH_H */
