// SPDX-License-Identifier: MIT
/*
 * matrix.c - tables with a row for each series and a column for each x, in at
 * most 80 columns of text.
 */
#include "bench.h"

#include <string.h>

static bool same_table(const struct bench_item *a, const struct bench_item *b)
{
	return a->table && b->table && !strcmp(a->table, b->table);
}

static bool same_row(const struct bench_item *a, const struct bench_item *b)
{
	return same_table(a, b) && !strcmp(a->series, b->series);
}

static bool first_of(const struct bench_section *s, int i,
		     bool (*same)(const struct bench_item *a,
				  const struct bench_item *b))
{
	int k;

	for (k = 0; k < i; k++) {
		if (same(&s->items[k], &s->items[i]))
			return false;
	}
	return s->items[i].table;
}

static void print_cell(const struct bench_section *s, int i, FILE *out)
{
	const double value = s->items[i].spread.median;

	if (!item_measured(s, i))
		fputs("    - |", out);
	else if (value < 0.005)
		fprintf(out, "%5s |", value > 0 ? "<.01" : "0");
	else
		fprintf(out, value < 10 ? "%5.2f |" : "%5.1f |", value);
}

static void print_row(const struct bench_section *s, int first, FILE *out)
{
	int i;

	fprintf(out, "| %-19s |", s->items[first].series);
	for (i = first; i < s->nitems; i++) {
		if (same_row(&s->items[i], &s->items[first]))
			print_cell(s, i, out);
	}
	fputc('\n', out);
}

/* All rows have the columns of the first one. */
static void print_head(const struct bench_section *s, int first, FILE *out)
{
	int i;

	fprintf(out, "%s:\n\n| %-19s |", s->items[first].table, s->columns);
	for (i = first; i < s->nitems; i++) {
		if (same_row(&s->items[i], &s->items[first]))
			fprintf(out, "%5g |", s->items[i].x);
	}
	fputs("\n|---------------------|", out);
	for (i = first; i < s->nitems; i++) {
		if (same_row(&s->items[i], &s->items[first]))
			fputs("-----:|", out);
	}
	fputc('\n', out);
}

void report_tables(const struct bench_section *s, FILE *out)
{
	bool any = s->ncomparisons;
	int first;
	int i;

	for (first = 0; first < s->nitems; first++) {
		if (!first_of(s, first, same_table))
			continue;
		if (any)
			fputc('\n', out);
		any = true;
		print_head(s, first, out);
		for (i = first; i < s->nitems; i++) {
			if (same_table(&s->items[i], &s->items[first]) &&
			    first_of(s, i, same_row))
				print_row(s, i, out);
		}
	}
}
