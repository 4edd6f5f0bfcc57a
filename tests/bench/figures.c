// SPDX-License-Identifier: MIT
/* figures.c - from samples to the figures of "pkmap bench". */
#include "bench/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each value is in its bucket; buckets are narrow, and there are no gaps. */
static void buckets(void **state)
{
	uint64_t start;
	uint64_t end;
	uint64_t ns;
	uint32_t i;

	(void)state;
	for (i = 0; i < JOB_BUCKETS - 1; i++)
		assert_true(job_bucket_start(i) < job_bucket_start(i + 1));
	for (ns = 0; ns < 1u << 30; ns += 1 + ns / 1000) {
		i = job_bucket(ns);
		start = job_bucket_start(i);
		end = job_bucket_start(i + 1);
		assert_true(start <= ns && ns < end);
		assert_true(end - start <= 1 + ns / 16);
	}
	assert_int_equal(job_bucket(UINT64_MAX), JOB_BUCKETS - 1);
}

static void quantiles_of_buckets(void **state)
{
	uint64_t counts[JOB_BUCKETS] = { 0 };

	(void)state;
	counts[job_bucket(10)] = 9998;
	counts[job_bucket(20)] = 1;
	counts[job_bucket(30)] = 1;
	assert_true(buckets_quantile(counts, 0.5) == 11);
	assert_true(buckets_quantile(counts, 0.9998) == 11);
	assert_true(buckets_quantile(counts, 0.9999) == 21);
	assert_true(buckets_quantile(counts, 1) == 31);
}

/* Items 0 and 1 of @s, five rounds. */
static void fill(struct bench_section *s, const double one[5],
		 const double two[5])
{
	const double *values[2] = { one, two };
	int i;

	s->rounds = 5;
	s->nruns = 2;
	s->nitems = 2;
	for (i = 0; i < 2; i++) {
		s->items[i].run = i;
		s->items[i].samples = malloc(5 * sizeof(double));
		assert_non_null(s->items[i].samples);
		memcpy(s->items[i].samples, values[i], 5 * sizeof(double));
	}
	s->ncomparisons = 1;
	s->comparisons[0].item = 0;
	s->comparisons[0].base = 1;
}

/* The ratio is taken round by round; that of the medians would be 1. */
static void ratios_by_round(void **state)
{
	static const double one[5] = { 1, 2, 3, 4, 5 };
	static const double two[5] = { 2, 4, 5, 2, 3 };
	struct bench_section *s = calloc(1, sizeof(*s));
	struct bench_comparison *c = &s->comparisons[0];

	(void)state;
	fill(s, one, two);
	assert_int_equal(section_summarise(s), 0);
	assert_true(s->items[0].spread.median == 3);
	assert_true(s->items[1].spread.median == 3);
	assert_true(s->items[0].spread.min == 1);
	assert_true(s->items[0].spread.q1 == 2);
	assert_true(s->items[0].spread.q3 == 4);
	assert_true(c->ratio.median == 3.0 / 5);
	assert_true(c->ratio.min == 0.5);

	c->target = 0.6;
	c->kind = AT_MOST;
	assert_true(comparison_met(c));
	c->target = 0.59;
	assert_false(comparison_met(c));
	c->kind = AT_LEAST;
	assert_true(comparison_met(c));
	free(s->items[0].samples);
	free(s->items[1].samples);
	free(s);
}

/* A run that failed is not compared with any other. */
static void failed_runs(void **state)
{
	static const double values[5] = { 1, 1, 1, 1, 1 };
	struct bench_section *s = calloc(1, sizeof(*s));

	(void)state;
	fill(s, values, values);
	assert_true(comparison_measured(s, &s->comparisons[0]));
	s->runs[1].failed = true;
	assert_true(item_measured(s, 0));
	assert_false(item_measured(s, 1));
	assert_false(comparison_measured(s, &s->comparisons[0]));
	free(s->items[0].samples);
	free(s->items[1].samples);
	free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(quantiles_of_buckets),
		cmocka_unit_test(ratios_by_round),
		cmocka_unit_test(failed_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
