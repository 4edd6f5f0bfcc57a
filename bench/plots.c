// SPDX-License-Identifier: MIT
/*
 * plots.c - writes the data of the plots (plots/), a file for each plot.  It
 * has a block for each series, under a comment with its name, for gnuplot's
 * "index".
 */
#include "bench.h"

#include <string.h>

static bool first_of_plot(const struct bench_section *s, int i)
{
	int k;

	for (k = 0; k < i; k++) {
		if (s->items[k].plot &&
		    !strcmp(s->items[k].plot, s->items[i].plot))
			return false;
	}
	return true;
}

static bool same_series(const struct bench_item *a, const struct bench_item *b)
{
	return a->plot && b->plot && !strcmp(a->plot, b->plot) &&
	       !strcmp(a->series, b->series);
}

static bool first_of_series(const struct bench_section *s, int i)
{
	int k;

	for (k = 0; k < i; k++) {
		if (same_series(&s->items[k], &s->items[i]))
			return false;
	}
	return true;
}

/* For each time in nanoseconds, the part of the pins that took longer. */
static void write_tail(const struct bench_run *r, FILE *out)
{
	uint64_t all = 0;
	uint64_t above;
	uint32_t i;

	for (i = 0; i < JOB_BUCKETS; i++)
		all += r->answer.buckets[i];
	above = all;
	for (i = 0; i < JOB_BUCKETS && above; i++) {
		if (!r->answer.buckets[i])
			continue;
		above -= r->answer.buckets[i];
		fprintf(out, "%llu %.3g\n",
			(unsigned long long)job_bucket_start(i + 1),
			above ? (double)above / (double)all :
				0.5 / (double)all);
	}
}

static void write_series(const struct bench_section *s, int first, FILE *out)
{
	const struct bench_item *item = &s->items[first];
	int i;

	fprintf(out, "# %s\n", item->series);
	if (s->runs[item->run].job.work == WORK_LATENCY) {
		write_tail(&s->runs[item->run], out);
	} else {
		for (i = first; i < s->nitems; i++) {
			item = &s->items[i];
			if (same_series(item, &s->items[first]) &&
			    item_measured(s, i))
				fprintf(out, "%g %g %g %g\n", item->x,
					item->spread.median, item->spread.q1,
					item->spread.q3);
		}
	}
	fputs("\n\n", out);
}

struct plot {
	const struct bench_section *s;
	int first; /* item */
};

static int write_plot(const void *arg, FILE *out)
{
	const struct plot *plot = arg;
	const struct bench_section *s = plot->s;
	const char *name = s->items[plot->first].plot;
	int i;

	for (i = plot->first; i < s->nitems; i++) {
		if (s->items[i].plot && !strcmp(s->items[i].plot, name) &&
		    first_of_series(s, i))
			write_series(s, i, out);
	}
	return 0;
}

int plots_write(const struct bench_section *s, const char *dir)
{
	struct plot plot = { .s = s };
	char name[64];
	int err = 0;
	int i;

	for (i = 0; i < s->nitems; i++) {
		if (!s->items[i].plot || !first_of_plot(s, i))
			continue;
		plot.first = i;
		snprintf(name, sizeof(name), "%s.dat", s->items[i].plot);
		err |= file_write(dir, name, write_plot, &plot);
	}
	return err;
}
