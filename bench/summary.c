/* SPDX-License-Identifier: MIT */
/* summary.c - from samples to medians and quartiles. */
#include "bench.h"

#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which a @part of the sorted values lie, interpolated. */
static double quantile(const double *sorted, int n, double part)
{
	double place = part * (n - 1);
	int below = (int)place;

	if (below == n - 1)
		return sorted[below];
	return sorted[below] +
	       (place - below) * (sorted[below + 1] - sorted[below]);
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

/* Ratios of samples that were taken in the same round. */
static void summarise_comparison(const struct bench *b,
				 struct bench_comparison *c, double *ratios)
{
	const double *item = b->items[c->item].samples;
	const double *base = b->items[c->base].samples;
	int i;

	for (i = 0; i < b->rounds; i++)
		ratios[i] = item[i] / base[i];
	c->ratio = spread_of(ratios, b->rounds);
}

int bench_summarise(struct bench *b)
{
	double *ratios = calloc((size_t)b->rounds, sizeof(*ratios));
	int i;

	if (!ratios)
		return -1;
	for (i = 0; i < b->ncomparisons; i++) {
		if (bench_measured(b, &b->comparisons[i]))
			summarise_comparison(b, &b->comparisons[i], ratios);
	}
	free(ratios);
	/* From here on the samples are in order of size, not of rounds. */
	for (i = 0; i < b->nitems; i++)
		b->items[i].ns = spread_of(b->items[i].samples, b->rounds);
	return 0;
}

bool bench_measured(const struct bench *b, const struct bench_comparison *c)
{
	return !b->items[c->item].failed && !b->items[c->base].failed;
}

bool bench_met(const struct bench_comparison *c)
{
	if (c->kind == BENCH_AT_MOST)
		return c->ratio.median <= c->target;
	return c->ratio.median >= c->target;
}
