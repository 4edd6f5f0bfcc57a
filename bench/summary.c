// SPDX-License-Identifier: MIT
/* summary.c - computes medians and quartiles of samples. */
#include "bench.h"

#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which a @part of the sorted values lies, interpolated. */
static double quantile(const double *sorted, int n, double part)
{
	double place = part * (n - 1);
	int below = (int)place;

	if (below == n - 1)
		return sorted[below];
	return sorted[below] +
	       (place - below) * (sorted[below + 1] - sorted[below]);
}

double buckets_quantile(const uint64_t *buckets, double part)
{
	uint64_t all = 0;
	uint64_t below = 0;
	uint32_t i;

	for (i = 0; i < JOB_BUCKETS; i++)
		all += buckets[i];
	for (i = 0; i < JOB_BUCKETS - 1; i++) {
		below += buckets[i];
		if ((double)below >= part * (double)all)
			break;
	}
	return (double)job_bucket_start(i + 1);
}

/* Sorts @values. */
static struct bench_spread spread_of(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare_doubles);
	return (struct bench_spread){
		.min = values[0],
		.q1 = quantile(values, n, 0.25),
		.median = quantile(values, n, 0.5),
		.q3 = quantile(values, n, 0.75),
	};
}

/* Ratios of samples from the same round. */
static void summarise_comparison(const struct bench_section *s,
				 struct bench_comparison *c, double *ratios)
{
	const double *item = s->items[c->item].samples;
	const double *base = s->items[c->base].samples;
	int i;

	for (i = 0; i < s->rounds; i++)
		ratios[i] = item[i] / base[i];
	c->ratio = spread_of(ratios, s->rounds);
}

int section_summarise(struct bench_section *s)
{
	double *ratios = calloc((size_t)s->rounds, sizeof(*ratios));
	int i;

	if (!ratios)
		return -1;
	for (i = 0; i < s->ncomparisons; i++) {
		if (comparison_measured(s, &s->comparisons[i]))
			summarise_comparison(s, &s->comparisons[i], ratios);
	}
	free(ratios);
	/* This sorts the samples: they are no longer in the order of rounds. */
	for (i = 0; i < s->nitems; i++)
		s->items[i].spread = spread_of(s->items[i].samples, s->rounds);
	return 0;
}

bool item_measured(const struct bench_section *s, int item)
{
	return !s->runs[s->items[item].run].failed;
}

bool comparison_measured(const struct bench_section *s,
			 const struct bench_comparison *c)
{
	/* No division by 0. */
	return item_measured(s, c->item) && item_measured(s, c->base) &&
	       s->items[c->base].samples[0] > 0;
}

bool comparison_met(const struct bench_comparison *c)
{
	if (c->kind == AT_MOST)
		return c->ratio.median <= c->target;
	return c->ratio.median >= c->target;
}
