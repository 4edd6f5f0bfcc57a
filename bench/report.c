/* SPDX-License-Identifier: MIT */
/* report.c - the figures, as text and as JSON. */
#include "bench.h"

#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CLOCKSOURCE \
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

#if defined(__OPTIMIZE__) && !defined(PKMAP_DEBUG)
#define BUILD "optimised"
#else
#define BUILD "not to be quoted (checks on, or not optimised)"
#endif

struct machine {
	long ncpus;
	struct utsname uts;
	char clocksource[32];
};

static void read_machine(struct machine *m)
{
	FILE *file = fopen(CLOCKSOURCE, "r");

	m->ncpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (uname(&m->uts))
		strcpy(m->uts.release, "unknown");
	if (!file || fscanf(file, "%31s", m->clocksource) != 1)
		strcpy(m->clocksource, "unknown");
	if (file)
		fclose(file);
}

static void print_spread(FILE *out, const struct bench_spread *s)
{
	fprintf(out, "%9.2f %9.2f %9.2f %9.2f", s->median, s->min, s->q1,
		s->q3);
}

static void print_target(FILE *out, const struct bench_comparison *c)
{
	if (c->kind == BENCH_NO_TARGET)
		fprintf(out, "%17s", "");
	else
		fprintf(out, "  %s %.2f %-7s",
			c->kind == BENCH_AT_MOST ? "<=" : ">=", c->target,
			bench_met(c) ? "met" : "not met");
}

void report_text(const struct bench *b, FILE *out)
{
	const struct bench_comparison *c;
	struct machine m;
	int i;

	read_machine(&m);
	fprintf(out,
		"%ld CPUs, Linux %s %s, clock source %s\n"
		"%s, build %s\n"
		"%d rounds%s; what is compared runs side by side in each\n\n",
		m.ncpus, m.uts.release, m.uts.machine, m.clocksource, COMPILER,
		BUILD, b->rounds,
		b->rounds < BENCH_ROUNDS_MIN ? " (too few to quote)" : "");
	fprintf(out,
		"   ratio:\n   median       min  quartile  quartile  target\n");
	for (i = 0; i < b->ncomparisons; i++) {
		c = &b->comparisons[i];
		if (!bench_measured(b, c)) {
			fprintf(out, "%9s%49s%s\n", "-", "", c->name);
			continue;
		}
		print_spread(out, &c->ratio);
		print_target(out, c);
		fprintf(out, " %s\n", c->name);
	}
	fprintf(out, "\n   aside, nanoseconds an operation:\n"
		     "   median       min  quartile  quartile\n");
	for (i = 0; i < b->nitems; i++) {
		if (b->items[i].failed)
			continue;
		print_spread(out, &b->items[i].ns);
		fprintf(out, "  %s\n", b->items[i].name);
	}
}

static json_t *spread_json(const struct bench_spread *s)
{
	return json_pack("{s:f, s:f, s:f, s:f}", "min", s->min, "q1", s->q1,
			 "median", s->median, "q3", s->q3);
}

static json_t *comparison_json(const struct bench *b,
			       const struct bench_comparison *c)
{
	static const char *const kinds[] = {
		[BENCH_AT_MOST] = "at_most",
		[BENCH_AT_LEAST] = "at_least",
	};
	json_t *j = json_pack("{s:s, s:s, s:s}", "name", c->name, "item",
			      b->items[c->item].name, "base",
			      b->items[c->base].name);

	if (!bench_measured(b, c))
		return j;
	json_object_set_new(j, "ratio", spread_json(&c->ratio));
	if (c->kind == BENCH_NO_TARGET)
		return j;
	json_object_set_new(j, kinds[c->kind], json_real(c->target));
	json_object_set_new(j, "met", json_boolean(bench_met(c)));
	return j;
}

static json_t *item_json(const struct bench_item *item)
{
	json_t *j = json_pack("{s:s}", "name", item->name);

	if (!item->failed)
		json_object_set_new(j, "ns", spread_json(&item->ns));
	return j;
}

int report_json(const struct bench *b, FILE *out)
{
	json_t *comparisons = json_array();
	json_t *items = json_array();
	struct machine m;
	json_t *root;
	int error;
	int i;

	read_machine(&m);
	for (i = 0; i < b->ncomparisons; i++)
		json_array_append_new(comparisons,
				      comparison_json(b, &b->comparisons[i]));
	for (i = 0; i < b->nitems; i++)
		json_array_append_new(items, item_json(&b->items[i]));
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o}",
			 "cpus", (int)m.ncpus, "kernel", m.uts.release,
			 "machine", m.uts.machine, "clock_source",
			 m.clocksource, "compiler", COMPILER, "build", BUILD,
			 "rounds", b->rounds, "comparisons", comparisons,
			 "items", items);
	error = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	fputc('\n', out);
	json_decref(root);
	return error;
}
