// SPDX-License-Identifier: MIT
/* pkmap replay - runs a scenario by one schedule, and prints its timeline. */
#include "command.h"
#include "machine/checker/config.h"
#include "show.h"
#include "tools/common/args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_SCHEDULE = 256,
	KEY_BESIDE,
};

struct replay_options {
	struct machine_options machine;
	const char *schedule;
	const struct scheme *beside; /* or NULL */
};

/* clang-format off */
static const struct argp_option options[] = {
	{ .name = "schedule", .key = KEY_SCHEDULE, .arg = "FILE",
	  .doc = "Read the schedule from FILE (the scenario's own)" },
	{ .name = "beside", .key = KEY_BESIDE, .arg = "SCHEME",
	  .doc = "Also show the same schedule under another scheme" },
	{ 0 }
};
/* clang-format on */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct replay_options *opt = state->input;

	switch (key) {
	case KEY_SCHEDULE:
		opt->schedule = arg;
		return 0;
	case KEY_BESIDE:
		opt->beside = parse_scheme(state, arg);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opt->machine;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "more than one scenario");
		opt->machine.setup.scenario = parse_scenario(state, arg);
		return 0;
	case ARGP_KEY_END:
		if (!opt->machine.setup.scenario)
			argp_error(state, "no scenario given");
		machine_options_check(&opt->machine, state);
		if (opt->beside && opt->machine.trace)
			argp_error(state, "--trace shows one run: it does not "
					  "go with --beside");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse(int argc, char **argv, struct replay_options *opt)
{
	static const struct argp_child children[] = {
		{ .argp = &machine_argp },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.children = children,
		.args_doc = "SCENARIO",
		.doc = "Run a scenario on the model machine by one schedule, "
		       "and print what happens as a timeline.",
	};

	*opt = (struct replay_options){ 0 };
	machine_options_init(&opt->machine);
	parse_args(&argp, argc, argv, 0, opt);
}

/* The contents of a file, to be freed; NULL after fail(). */
static char *read_text(const char *path, struct failure *failure)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file) {
		fail(failure, errno, "cannot read %s", path);
		return NULL;
	}
	len = getdelim(&text, &size, '\0', file);
	if (len < 0 && !feof(file)) {
		fail(failure, errno, "cannot read %s", path);
		free(text);
		text = NULL;
	} else if (len < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static int get_schedule(const struct replay_options *opt,
			struct schedule *schedule, struct failure *failure)
{
	const char *own = opt->machine.setup.scenario->schedule;
	char error[SCHEDULE_ERROR];
	char *text = NULL;
	int err;

	if (opt->schedule) {
		text = read_text(opt->schedule, failure);
		if (!text)
			return fail(failure, 0, "not enough memory");
		own = text;
	}
	err = schedule_parse(schedule, own ? own : "",
			     opt->schedule ? opt->schedule : "schedule", error);
	free(text);
	if (err)
		return fail(failure, 0, "%s", error);
	return 0;
}

static void print_about(const struct replay_options *opt)
{
	const struct machine_config *c = &opt->machine.setup.config;
	const struct scenario *s = opt->machine.setup.scenario;

	printf("%c%s.\n", toupper((unsigned char)s->about[0]), s->about + 1);
	printf("%u slots for %u pages of %u lines, %u bytes each; ", c->nslots,
	       c->npages, opt->machine.lines, opt->machine.line_bytes);
	if (opt->schedule)
		printf("the schedule is %s.\n", opt->schedule);
	else if (s->schedule)
		printf("the schedule is the scenario's.\n");
	else
		printf("there is no schedule.\n");
	printf("%s\n", config_about(c));
}

/* Runs and prints the scenario under one scheme.  Returns 0, or fails. */
static int show(const struct replay_options *opt, const struct scheme *scheme,
		struct replayed *replayed, struct timeline *timeline,
		struct failure *failure)
{
	struct run_setup setup = opt->machine.setup;
	struct schedule schedule = { 0 };
	char text[VERDICT_TEXT];
	int err;

	setup.scheme = scheme;
	run_begin(setup.scenario, setup.scheme, &setup.config);
	err = get_schedule(opt, &schedule, failure);
	if (!err && replay(&schedule, replayed))
		err = fail(failure, 0, "not enough memory");
	if (!err)
		err = show_run(&setup, replayed, timeline, failure);
	if (!err)
		printf("\nverdict: %s\n",
		       verdict_text(&replayed->broken, text));
	schedule_free(&schedule);
	return err;
}

static int run(const struct replay_options *opt, bool *broken,
	       struct failure *failure)
{
	struct replayed replayed[2] = { 0 };
	struct timeline timeline[2] = { 0 };
	const struct timeline *beside = opt->beside ? &timeline[1] : NULL;
	uint32_t k;
	int err;

	print_about(opt);
	err = show(opt, opt->machine.setup.scheme, &replayed[0], &timeline[0],
		   failure);
	if (!err && opt->beside) {
		putchar('\n');
		err = show(opt, opt->beside, &replayed[1], &timeline[1],
			   failure);
	}
	if (!err)
		err = show_pictures(&opt->machine, &timeline[0], beside,
				    failure);
	if (show_flush(failure))
		err = -1;
	*broken = replayed[beside ? 1 : 0].broken.invariant;
	for (k = 0; k < 2; k++) {
		free(replayed[k].steps);
		replay_free_timeline(&timeline[k]);
	}
	return err;
}

int cmd_replay(int argc, char **argv)
{
	struct failure failure = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct replay_options opt;
	bool broken;

	parse(argc, argv, &opt);
	if (!run(&opt, &broken, &failure))
		return broken ? EXIT_FAILURE : EXIT_SUCCESS;
	fprintf(stderr, "pkmap replay: %s\n", failure.text);
	return EXIT_FAILURE;
}
