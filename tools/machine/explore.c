// SPDX-License-Identifier: MIT
/* pkmap explore - explores all interleavings of a scenario. */
#include "machine/checker/explore.h"

#include "command.h"
#include "matrix.h"
#include "machine/checker/random.h"
#include "show.h"
#include "tools/common/args.h"
#include "tools/common/output.h"
#include "tools/common/progress.h"
#include "tools/common/stop.h"

#include <errno.h>
#include <stdlib.h>

#define MIB	       (1ull << 20)
#define NS_PER_SEC     1000000000u
#define MAX_NUMBER     4000000000u

#define MEBIBYTES      4096
#define DEEP_MEBIBYTES 10240

enum {
	KEY_SCENARIO = 256,
	KEY_SWITCHES,
	KEY_STATES,
	KEY_MAX_MEMORY,
	KEY_SECONDS,
	KEY_RANDOM,
	KEY_SEED,
	KEY_SCHEDULE,
	KEY_LIST,
	KEY_ALL,
	KEY_DEEP,
	KEY_JSON,
};

struct explore_options {
	struct machine_options machine;
	struct explore_limits limits;
	uint32_t mebibytes;
	uint32_t seconds;
	uint32_t runs; /* at random; 0: explore all */
	uint32_t seed;
	const char *schedule; /* file to write it to, or NULL */
	int what;	      /* KEY_LIST, KEY_ALL, KEY_DEEP, or 0 */
	bool json;
};

/* clang-format off */
static const struct argp_option options[] = {
	{ .name = "scenario", .key = KEY_SCENARIO, .arg = "NAME",
	  .doc = "The scenario that runs on the machine" },
	{ .name = "switches", .key = KEY_SWITCHES, .arg = "N",
	  .doc = "Switch away at most N times from a context that could "
		 "have gone on" },
	{ .name = "states", .key = KEY_STATES, .arg = "N",
	  .doc = "Stop after N states (of each cell; with --all 9000000 in "
		 "cells that must be complete, else 1000000)" },
	{ .name = "max-memory", .key = KEY_MAX_MEMORY, .arg = "MIB",
	  .doc = "Stop when this much memory is used, by all cells together "
		 "(4096; with --deep 10240)" },
	{ .name = "seconds", .key = KEY_SECONDS, .arg = "N",
	  .doc = "Stop after N seconds (in each cell)" },
	{ .name = "random", .key = KEY_RANDOM, .arg = "RUNS",
	  .doc = "Make RUNS random runs instead" },
	{ .name = "seed", .key = KEY_SEED, .arg = "S",
	  .doc = "Seed of the first random run; each further run has the "
		 "next number (1)" },
	{ .name = "schedule", .key = KEY_SCHEDULE, .arg = "FILE",
	  .doc = "Write the schedule that breaks an invariant to FILE, for "
		 "replay" },
	{ .name = "list", .key = KEY_LIST,
	  .doc = "Print the scenarios and schemes" },
	{ .name = "all", .key = KEY_ALL,
	  .doc = "Explore every scenario under every scheme on several "
		 "machines; exit with 0 if pkmap is clean in every cell, and "
		 "complete in those that must be" },
	{ .name = "deep", .key = KEY_DEEP,
	  .doc = "Explore every scenario under pkmap, with more rounds and "
		 "weak memory" },
	{ .name = "json", .key = KEY_JSON,
	  .doc = "Print the cells of --all or --deep as JSON" },
	{ 0 }
};
/* clang-format on */

static void set_what(const struct argp_state *state,
		     struct explore_options *opt, int key)
{
	if (opt->what && opt->what != key)
		argp_error(state,
			   "--list, --all and --deep exclude each other");
	opt->what = key;
}

static void check_options(struct explore_options *opt,
			  const struct argp_state *state)
{
	const bool one = opt->machine.any_given ||
			 opt->machine.setup.scenario ||
			 opt->limits.switches >= 0 || opt->runs || opt->seed ||
			 opt->schedule;

	if (!opt->mebibytes)
		opt->mebibytes = opt->what == KEY_DEEP ? DEEP_MEBIBYTES :
							 MEBIBYTES;
	if (opt->json && opt->what != KEY_ALL && opt->what != KEY_DEEP)
		argp_error(state, "--json is for --all and --deep");
	if (opt->what && one)
		argp_error(state, "--list, --all and --deep choose scenarios, "
				  "schemes and machines themselves");
	if (opt->what)
		return;
	if (opt->seed && !opt->runs)
		argp_error(state, "--seed is for --random");
	if (opt->runs && (opt->limits.switches >= 0 || opt->limits.states))
		argp_error(state, "--switches and --states are not for "
				  "--random");
	if (!opt->machine.setup.scenario)
		argp_error(state, "no --scenario given");
	machine_options_check(&opt->machine, state);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct explore_options *opt = state->input;

	switch (key) {
	case KEY_SCENARIO:
		opt->machine.setup.scenario = parse_scenario(state, arg);
		return 0;
	case KEY_SWITCHES:
		opt->limits.switches =
			(int)parse_number(state, "switches", arg, 0, 200);
		return 0;
	case KEY_STATES:
		opt->limits.states =
			parse_number(state, "states", arg, 1, MAX_NUMBER);
		return 0;
	case KEY_MAX_MEMORY:
		opt->mebibytes =
			parse_number(state, "max-memory", arg, 16, MAX_NUMBER);
		return 0;
	case KEY_SECONDS:
		opt->seconds = parse_number(state, "seconds", arg, 1, 1000000);
		return 0;
	case KEY_RANDOM:
		opt->runs = parse_number(state, "random", arg, 1, MAX_NUMBER);
		return 0;
	case KEY_SEED:
		opt->seed = parse_number(state, "seed", arg, 1, UINT32_MAX);
		return 0;
	case KEY_SCHEDULE:
		opt->schedule = arg;
		return 0;
	case KEY_LIST:
	case KEY_ALL:
	case KEY_DEEP:
		set_what(state, opt, key);
		return 0;
	case KEY_JSON:
		opt->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opt->machine;
		return 0;
	case ARGP_KEY_END:
		check_options(opt, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse(int argc, char **argv, struct explore_options *opt)
{
	static const struct argp_child children[] = {
		{ .argp = &machine_argp },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.children = children,
		.doc = "Explore all interleavings of a scenario on the model "
		       "machine, and check the invariants in every state.",
	};

	*opt = (struct explore_options){
		.limits.switches = -1,
	};
	machine_options_init(&opt->machine);
	parse_args(&argp, argc, argv, 0, opt);
}

/*
 * Progress.
 */

static struct progress progress;
static uint64_t start;

static double seconds_since(uint64_t then)
{
	return (double)(now_ns() - then) / NS_PER_SEC;
}

static bool report_states(const struct progress_report *report)
{
	const double seconds = seconds_since(start);
	char size[SIZE_TEXT];

	if (progress_due(&progress))
		progress_show(
			&progress,
			"%lu states, %lu transitions, depth %u, %.0f/s, "
			"%.0f s, %s",
			report->states, report->transitions, report->depth,
			seconds > 0 ? (double)report->transitions / seconds : 0,
			seconds, size_text(size, (double)report->bytes));
	return stop_requested();
}

static bool report_runs(uint64_t runs, uint64_t transitions)
{
	if (progress_due(&progress))
		progress_show(&progress, "%lu runs, %lu transitions, %.0f s",
			      runs, transitions, seconds_since(start));
	return stop_requested();
}

/*
 * Results.
 */

static void print_replay(const struct explore_options *opt, FILE *out)
{
	fprintf(out, "pkmap replay %s", opt->machine.setup.scenario->name);
	machine_options_print(&opt->machine, out);
}

struct found_schedule {
	const struct explore_options *opt;
	const struct replayed *found;
	const struct timeline *timeline;
};

static int write_schedule(const void *arg, FILE *out)
{
	const struct found_schedule *s = arg;

	fprintf(out, "# %s\n# %s\n# ", s->timeline->title,
		s->timeline->verdict);
	print_replay(s->opt, out);
	fprintf(out, " --schedule %s\n", s->opt->schedule);
	schedule_print(s->found->steps, s->found->nsteps, out);
	return ferror(out) ? -1 : 0;
}

/* Prints the run that broke an invariant, and writes what was asked for. */
static int show_found(const struct explore_options *opt,
		      const struct replayed *found, struct failure *failure)
{
	struct timeline timeline = { 0 };
	const struct found_schedule schedule = { opt, found, &timeline };
	int err = show_run(&opt->machine.setup, found, &timeline, failure);

	if (!err) {
		printf("\n%s\nThe schedule:\n\n", timeline.verdict);
		schedule_print(found->steps, found->nsteps, stdout);
		printf("\nTo replay it%s:\n",
		       opt->schedule ? "" : ", with this schedule in FILE");
		printf("  pkmap replay %s --schedule %s \\\n  ",
		       opt->machine.setup.scenario->name,
		       opt->schedule ? opt->schedule : "FILE");
		machine_options_print(&opt->machine, stdout);
		printf("\n\n");
	}
	if (!err && opt->schedule)
		err = output_write(opt->schedule, write_schedule, &schedule,
				   failure);
	if (!err)
		err = show_pictures(&opt->machine, &timeline, NULL, failure);
	replay_free_timeline(&timeline);
	return err;
}

static void print_bound(const struct explore_options *opt,
			enum explored_bound bound)
{
	switch (bound) {
	case BOUND_NONE:
		puts("clean complete");
		break;
	case BOUND_SWITCHES:
		printf("clean bounded (by %d switches)\n",
		       opt->limits.switches);
		break;
	case BOUND_STATES:
		printf("clean bounded (by %lu states)\n", opt->limits.states);
		break;
	case BOUND_MEMORY:
		printf("clean bounded (by %u MiB of memory)\n", opt->mebibytes);
		break;
	case BOUND_TIME:
		printf("clean bounded (by %u seconds)\n", opt->seconds);
		break;
	case BOUND_HISTORY:
		puts("clean bounded (by the old values kept of a variable)");
		break;
	case BOUND_STOPPED:
		puts("clean bounded (interrupted)");
		break;
	}
}

/* The reason is printed below the timeline. */
static void print_broken(const struct replayed *found)
{
	printf("%s (I%d) after %u steps\n", verdict_name(found->broken.verdict),
	       found->broken.invariant, found->nsteps);
}

/*
 * Both explore_...() return 0, 1 if an invariant is broken, or -1 after fail().
 */
static int explore_every(struct explore_options *opt, struct failure *failure)
{
	struct explored explored;
	struct replayed found;
	int err;

	opt->limits.bytes = opt->mebibytes * MIB;
	if (opt->seconds)
		opt->limits.until = start + (uint64_t)opt->seconds * NS_PER_SEC;
	opt->limits.report = report_states;
	run_begin(opt->machine.setup.scenario, opt->machine.setup.scheme,
		  &opt->machine.setup.config);
	err = explore(&opt->limits, &explored);
	progress_clear(&progress);
	if (err)
		return fail(failure, 0, "not enough memory");
	found.broken = explored.broken;
	found.steps = explored.schedule;
	found.nsteps = explored.nsteps;
	if (found.broken.invariant)
		err = show_found(opt, &found, failure);
	printf("states %lu transitions %lu verdict: ", explored.states,
	       explored.transitions);
	if (found.broken.invariant)
		print_broken(&found);
	else
		print_bound(opt, explored.bound);
	free(found.steps);
	return err ? err : found.broken.invariant != 0;
}

static void print_runs(const struct explore_options *opt,
		       const struct random_result *result)
{
	printf("runs %lu transitions %lu verdict: ", result->runs,
	       result->transitions);
	if (result->found.broken.invariant)
		print_broken(&result->found);
	else if (result->timed_out)
		print_bound(opt, BOUND_TIME);
	else if (result->stopped)
		print_bound(opt, BOUND_STOPPED);
	else
		printf("clean bounded (by %u random runs)\n", opt->runs);
}

static int explore_at_random(const struct explore_options *opt,
			     struct failure *failure)
{
	const struct random_limits limits = {
		.runs = opt->runs,
		.seed = opt->seed ? opt->seed : 1,
		.until = opt->seconds ?
				 start + (uint64_t)opt->seconds * NS_PER_SEC :
				 0,
		.report = report_runs,
	};
	struct random_result result;
	int err = explore_random(&opt->machine.setup, &limits, &result);

	progress_clear(&progress);
	if (err)
		return fail(failure, 0, "not enough memory");
	if (result.found.broken.invariant) {
		err = show_found(opt, &result.found, failure);
		printf("The run's seed: --random 1 --seed %lu\n", result.seed);
	} else {
		printf("The first run's seed: %lu\n", limits.seed);
	}
	print_runs(opt, &result);
	free(result.found.steps);
	return err ? err : result.found.broken.invariant != 0;
}

static void print_list(void)
{
	const struct scenario *const *scenario;
	const struct scheme *const *scheme;

	puts("scenarios:");
	for (scenario = scenarios; *scenario; scenario++)
		printf("  %-14s%s\n", (*scenario)->name, (*scenario)->about);
	puts("schemes:");
	for (scheme = schemes; *scheme; scheme++)
		printf("  %s\n", (*scheme)->name);
}

static int run(struct explore_options *opt, struct failure *failure)
{
	const struct matrix_options matrix = {
		.bytes = opt->mebibytes * MIB,
		.states = opt->limits.states,
		.seconds = opt->seconds,
		.json = opt->json,
	};

	switch (opt->what) {
	case KEY_LIST:
		print_list();
		return 0;
	case KEY_ALL:
		return matrix_all(&matrix, &progress, failure);
	case KEY_DEEP:
		return matrix_deep(&matrix, &progress, failure);
	default:
		if (opt->runs)
			return explore_at_random(opt, failure);
		return explore_every(opt, failure);
	}
}

int cmd_explore(int argc, char **argv)
{
	struct failure failure = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct explore_options opt;
	int err;

	parse(argc, argv, &opt);
	stop_init();
	progress_init(&progress, false);
	start = now_ns();
	err = run(&opt, &failure);
	if (show_flush(&failure))
		err = -1;
	if (has_failed(&failure))
		fprintf(stderr, "pkmap explore: %s\n", failure.text);
	if (stop_requested())
		stop_die();
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
