/* SPDX-License-Identifier: MIT */
/* pkmap-bench - what pkmap's calls cost, as ratios measured side by side. */
#include "bench.h"

#include <argp.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX     10000
#define ROUNDS_DEFAULT 31
#define ROUNDS_QUICK   3

struct options {
	int rounds;
	bool json;
};

enum {
	KEY_ROUNDS = 'r',
	KEY_QUICK = 'q',
	KEY_JSON = 'j',
};

static const struct argp_option option_list[] = {
	{ "rounds", KEY_ROUNDS, "N", 0, "Rounds, at least 21 (default 31)", 0 },
	{ "quick", KEY_QUICK, NULL, 0,
	  "3 rounds: shows that it works, gives no figure to quote", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print the result as JSON", 0 },
	{ 0 },
};

static int parse_rounds(const char *text, struct argp_state *state)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < BENCH_ROUNDS_MIN ||
	    n > ROUNDS_MAX)
		argp_error(state,
			   "--rounds: \"%s\" is not a number from %d to %d",
			   text, BENCH_ROUNDS_MIN, ROUNDS_MAX);
	return (int)n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_ROUNDS:
		options->rounds = parse_rounds(arg, state);
		return 0;
	case KEY_QUICK:
		options->rounds = ROUNDS_QUICK;
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse_option,
	.doc = "Measures pkmap's calls against the cheapest thing that could "
	       "do instead.\vThe exit status says whether everything could be "
	       "measured, not whether it was fast.",
};

uint64_t bench_now(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int bench_add(struct bench *b,
	      int (*run)(void *arg, uint64_t ops, uint64_t *ns), void *arg,
	      uint64_t ops, const char *format, ...)
{
	struct bench_item *item = &b->items[b->nitems];
	va_list args;

	if (b->nitems == BENCH_MAX)
		errx(EXIT_FAILURE, "more than %d items", BENCH_MAX);
	va_start(args, format);
	vsnprintf(item->name, sizeof(item->name), format, args);
	va_end(args);
	item->run = run;
	item->arg = arg;
	item->ops = ops;
	item->samples = calloc((size_t)b->rounds, sizeof(*item->samples));
	if (!item->samples)
		err(EXIT_FAILURE, "samples");
	return b->nitems++;
}

void bench_compare(struct bench *b, int item, int base, enum bench_target kind,
		   double target, const char *format, ...)
{
	struct bench_comparison *c = &b->comparisons[b->ncomparisons];
	va_list args;

	if (b->ncomparisons == BENCH_MAX)
		errx(EXIT_FAILURE, "more than %d comparisons", BENCH_MAX);
	b->ncomparisons++;
	va_start(args, format);
	vsnprintf(c->name, sizeof(c->name), format, args);
	va_end(args);
	c->item = item;
	c->base = base;
	c->kind = kind;
	c->target = target;
}

static int take_sample(struct bench_item *item, double *sample)
{
	uint64_t ns;

	if (item->failed)
		return -1;
	if (item->run(item->arg, item->ops, &ns)) {
		item->failed = true;
		return -1;
	}
	*sample = (double)ns / (double)item->ops;
	return 0;
}

/* Each round starts with another item, so that none always follows another. */
static void run_round(struct bench *b, int round)
{
	int i;

	for (i = 0; i < b->nitems; i++) {
		struct bench_item *item = &b->items[(round + i) % b->nitems];

		if (take_sample(item, &item->samples[round]))
			b->failed = true;
	}
}

static void run_rounds(struct bench *b)
{
	bool tty = isatty(STDERR_FILENO);
	int round;

	/* Warms up; its samples are overwritten. */
	run_round(b, 0);
	for (round = 0; round < b->rounds; round++) {
		if (tty)
			fprintf(stderr, "\rround %d of %d", round + 1,
				b->rounds);
		run_round(b, round);
	}
	if (tty)
		fputs("\r\033[K", stderr);
}

static void choose_cpus(struct bench *b)
{
	cpu_set_t set;
	int found = 0;
	int cpu;

	b->cpus[1] = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		err(EXIT_FAILURE, "sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set))
			b->cpus[found++] = cpu;
	}
	CPU_ZERO(&set);
	CPU_SET((size_t)b->cpus[0], &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(EXIT_FAILURE, "sched_setaffinity");
}

int main(int argc, char **argv)
{
	struct options options = { .rounds = ROUNDS_DEFAULT };
	struct bench b = { 0 };
	struct fast *fast;
	struct miss *miss;
	int i;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	b.rounds = options.rounds;
	choose_cpus(&b);
	fast = fast_setup(&b);
	miss = miss_setup(&b);
	run_rounds(&b);
	fast_teardown(fast);
	miss_teardown(miss);

	if (bench_summarise(&b))
		err(EXIT_FAILURE, "summary");
	if (!options.json)
		report_text(&b, stdout);
	else if (report_json(&b, stdout))
		errx(EXIT_FAILURE, "the JSON cannot be written");
	for (i = 0; i < b.nitems; i++)
		free(b.items[i].samples);
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILURE, "standard output");
	return b.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
