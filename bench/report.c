// SPDX-License-Identifier: MIT
/* report.c - the figures as Markdown that is readable as it is. */
#include "bench.h"

void report_host(FILE *out)
{
	struct host host;

	read_host(&host);
	fprintf(out,
		"%ld CPUs (%s; %s), Linux %s, clock source %s, frequency "
		"governor %s; %s, build %s.\n",
		host.ncpus, host.cpu, host.cores, host.kernel,
		host.clock_source, host.governor, host.compiler, host.build);
}

static void print_target(FILE *out, const struct bench_comparison *c)
{
	char text[32] = "";

	if (c->kind != NO_TARGET)
		snprintf(text, sizeof(text), "%s %.4g%s",
			 c->kind == AT_MOST ? "at most" : "at least", c->target,
			 comparison_met(c) ? "" : " MISSED");
	fprintf(out, "%-20s", text);
}

static const char *figure_text(char text[16], double figure)
{
	snprintf(text, 16, figure < 1000 ? "%.3g" : "%.0f", figure);
	return text;
}

/* The two medians.  Their ratio is near the median of the ratios. */
static void print_figures(const struct bench_section *s,
			  const struct bench_comparison *c, FILE *out)
{
	const struct bench_item *item = &s->items[c->item];
	char text[64];
	char one[16];
	char two[16];

	snprintf(text, sizeof(text), "%s / %s %s",
		 figure_text(one, item->spread.median),
		 figure_text(two, s->items[c->base].spread.median),
		 field_unit(item->field));
	fprintf(out, "%-30s", text);
}

static void print_ratio(const struct bench_section *s,
			const struct bench_comparison *c, FILE *out)
{
	if (!comparison_measured(s, c)) {
		fprintf(out, "| - |%s | | %s |\n", s->repeatable ? "" : " |",
			c->name);
		return;
	}
	fprintf(out, "| %6.3g | ", c->ratio.median);
	if (!s->repeatable)
		fprintf(out, "%6.3g - %-6.3g | ", c->ratio.q1, c->ratio.q3);
	print_target(out, c);
	fputs(" | ", out);
	print_figures(s, c, out);
	fprintf(out, " | %s |\n", c->name);
}

static void print_ratios(const struct bench_section *s, FILE *out)
{
	const char *quartiles[2] = { " quartiles       |",
				     "-----------------|" };
	int i;

	if (s->repeatable)
		quartiles[0] = quartiles[1] = "";
	fprintf(out,
		"| ratio  |%s target               | figures"
		"                        | what |\n"
		"|-------:|%s----------------------|---------------------"
		"-----------|------|\n",
		quartiles[0], quartiles[1]);
	for (i = 0; i < s->ncomparisons; i++)
		print_ratio(s, &s->comparisons[i], out);
}

static void print_failures(const struct bench_section *s, FILE *out)
{
	const struct bench_run *r;
	int i;

	for (i = 0; i < s->nruns; i++) {
		r = &s->runs[i];
		if (r->failed)
			fprintf(out, "\nFAILED: %s: %s\n", run_name(s, r),
				r->answer.why);
	}
}

void report_section(const struct bench_section *s, FILE *out)
{
	fprintf(out, "\n## %s: %s\n\n", s->name, s->title);
	if (s->left_out[0])
		fprintf(out, "Left out: %s.\n\n", s->left_out);
	if (!s->nruns)
		return;
	if (s->repeatable)
		fputs("Counts, the same in each run.\n\n", out);
	else
		fprintf(out, "Medians of %d interleaved rounds%s.\n\n",
			s->rounds,
			s->rounds < BENCH_ROUNDS_MIN ? " (few)" : "");
	if (s->ncomparisons)
		print_ratios(s, out);
	report_tables(s, out);
	print_failures(s, out);
}
