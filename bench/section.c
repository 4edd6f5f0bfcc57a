// SPDX-License-Identifier: MIT
/* section.c - a section's runs, items and comparisons; its rounds. */
#include "bench.h"

#include "tools/common/stop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The index of a new element; there is room for @max. */
static int next_index(int *n, int max, const char *what)
{
	if (*n < max)
		return (*n)++;
	fprintf(stderr, "pkmap bench: a section with more than %d %s\n", max,
		what);
	abort();
}

void leave_out(struct bench_section *s, const char *why)
{
	if (!s->broken)
		snprintf(s->left_out, sizeof(s->left_out), "%s", why);
}

void leave_out_broken(struct bench_section *s, const char *format, ...)
{
	va_list args;

	if (s->broken)
		return;
	s->broken = true;
	va_start(args, format);
	vsnprintf(s->left_out, sizeof(s->left_out), format, args);
	va_end(args);
	fprintf(stderr, "pkmap bench: %s: %s\n", s->name, s->left_out);
}

int add_worker(struct bench_section *s, const char *peer, uint32_t nslots,
	       uint32_t npages, int fd)
{
	char path[WORKER_PATH];
	int i;

	if (!worker_exists(peer, path)) {
		if (!strncmp(peer, "linux", 5))
			leave_out(s, "Linux's mm/highmem.c is not built: "
				     "\"make bench\" does it");
		else
			leave_out_broken(s, "a worker is missing: %s: %s", path,
					 strerror(errno));
		return -1;
	}
	i = next_index(&s->nworkers, BENCH_WORKERS_MAX, "workers");

	s->workers[i] = (struct bench_worker){
		.nslots = nslots,
		.npages = npages,
		.page_shift = 12,
		.fd = fd,
	};
	snprintf(s->workers[i].peer, sizeof(s->workers[i].peer), "%s", peer);
	return i;
}

int add_run(struct bench_section *s, int worker, const struct job *job)
{
	int i;

	if (worker < 0)
		return -1;
	i = next_index(&s->nruns, BENCH_RUNS_MAX, "runs");
	s->runs[i] = (struct bench_run){ .worker = worker, .job = *job };
	return i;
}

int add_item(struct bench_section *s, int run, enum bench_field field,
	     const char *format, ...)
{
	struct bench_item *item;
	va_list args;
	int i;

	if (run < 0)
		return -1;
	i = next_index(&s->nitems, BENCH_ITEMS_MAX, "items");
	item = &s->items[i];
	item->run = run;
	item->field = field;
	va_start(args, format);
	vsnprintf(item->name, sizeof(item->name), format, args);
	va_end(args);
	return i;
}

void add_comparison(struct bench_section *s, int item, int base,
		    enum bench_target kind, double target, const char *format,
		    ...)
{
	struct bench_comparison *c;
	va_list args;

	if (item < 0 || base < 0)
		return;
	c = &s->comparisons[next_index(&s->ncomparisons, BENCH_COMPARISONS_MAX,
				       "comparisons")];
	c->item = item;
	c->base = base;
	c->kind = kind;
	c->target = target;
	va_start(args, format);
	vsnprintf(c->name, sizeof(c->name), format, args);
	va_end(args);
}

void add_to_plot(struct bench_section *s, int item, const char *plot,
		 const char *series, double x)
{
	if (item < 0)
		return;
	s->items[item].plot = plot;
	s->items[item].series = series;
	s->items[item].x = x;
}

void add_to_table(struct bench_section *s, int item, const char *table,
		  const char *series, double x)
{
	if (item < 0)
		return;
	s->items[item].table = table;
	s->items[item].series = series;
	s->items[item].x = x;
}

const char *field_unit(enum bench_field field)
{
	switch (field) {
	case FIELD_INSTRUCTIONS:
		return "instructions";
	case FIELD_MISSES:
		return "misses in 1,000 maps";
	case FIELD_FLUSHES:
		return "flushes in 1,000 maps";
	case FIELD_TRANSFERS:
		return "transfers";
	case FIELD_INVALIDATIONS:
		return "invalidations";
	default:
		return "ns";
	}
}

static double value_of(const struct answer *a, enum bench_field field)
{
	switch (field) {
	case FIELD_NS:
	case FIELD_INSTRUCTIONS:
		return a->cost;
	case FIELD_MISSES:
		return 1000 * (double)a->misses / (double)a->ops;
	case FIELD_FLUSHES:
		return 1000 * (double)a->flushes / (double)a->ops;
	case FIELD_TRANSFERS:
		return (double)a->transfers / (double)a->ops;
	case FIELD_INVALIDATIONS:
		return (double)a->invalidations / (double)a->ops;
	case FIELD_P50:
		return buckets_quantile(a->buckets, 0.5);
	case FIELD_P99:
		return buckets_quantile(a->buckets, 0.99);
	case FIELD_P999:
		return buckets_quantile(a->buckets, 0.999);
	case FIELD_P9999:
		return buckets_quantile(a->buckets, 0.9999);
	case FIELD_SLOWEST:
		return (double)a->slowest;
	}
	return 0;
}

static void ask(struct bench_section *s, struct bench_run *r,
		struct answer *answer)
{
	if (r->other)
		r->other(r->arg, answer);
	else if (r->functions)
		count_instructions(&s->workers[r->worker], &r->job,
				   r->functions, answer);
	else
		worker_ask(&s->workers[r->worker], &r->job, answer);
}

/* Does one run, and adds up the buckets of all rounds. */
static void do_run(struct bench_section *s, int run, int round)
{
	static struct answer answer;
	struct bench_run *r = &s->runs[run];
	int i;

	if (r->failed)
		return;
	ask(s, r, &answer);
	for (i = 0; i < s->nitems; i++) {
		if (s->items[i].run == run)
			s->items[i].samples[round] =
				value_of(&answer, s->items[i].field);
	}
	for (i = 0; i < JOB_BUCKETS; i++)
		answer.buckets[i] += r->answer.buckets[i];
	if (answer.slowest < r->answer.slowest)
		answer.slowest = r->answer.slowest;
	r->answer = answer;
	r->failed = answer.why[0];
}

/* Each round starts with another run, so that the order varies. */
static void do_round(struct bench *b, struct bench_section *s, int round)
{
	int i;

	for (i = 0; i < s->nruns && !b->stopped; i++) {
		if (progress_due(&b->progress))
			progress_show(&b->progress, "%s: round %d of %d",
				      s->name, round + 1, s->rounds);
		do_run(s, (round + i) % s->nruns, round);
		b->stopped = stop_requested();
	}
}

const char *run_name(const struct bench_section *s, const struct bench_run *r)
{
	return r->other ? s->name : s->workers[r->worker].peer;
}

/* Prints the first failure only: the others may have the same cause. */
static void say_failures(const struct bench_section *s)
{
	const struct bench_run *first = NULL;
	int n = 0;
	int i;

	for (i = s->nruns - 1; i >= 0; i--) {
		if (!s->runs[i].failed)
			continue;
		first = &s->runs[i];
		n++;
	}
	if (n)
		fprintf(stderr, "pkmap bench: %s: %d of %d failed: %s: %s\n",
			s->name, n, s->nruns, run_name(s, first),
			first->answer.why);
}

static int allocate_samples(struct bench_section *s)
{
	int i;

	for (i = 0; i < s->nitems; i++) {
		s->items[i].samples =
			calloc((size_t)s->rounds, sizeof(*s->items[i].samples));
		if (!s->items[i].samples)
			return -1;
	}
	return 0;
}

int section_measure(struct bench *b, struct bench_section *s)
{
	int round;
	int i;

	if (allocate_samples(s))
		return bench_error(s->name);
	for (round = 0; round < s->rounds && !b->stopped; round++)
		do_round(b, s, round);
	for (i = 0; i < s->nworkers; i++)
		worker_stop(&s->workers[i]);
	progress_clear(&b->progress);
	if (b->stopped)
		return -1;
	b->failed |= s->broken;
	for (i = 0; i < s->nruns; i++)
		b->failed |= s->runs[i].failed;
	say_failures(s);
	return section_summarise(s) ? bench_error(s->name) : 0;
}

void section_free(struct bench_section *s)
{
	int i;

	for (i = 0; i < s->nitems; i++)
		free(s->items[i].samples);
}
