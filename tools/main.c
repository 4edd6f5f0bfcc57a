// SPDX-License-Identifier: MIT
/* The command pkmap: finds the subcommand and passes the rest on to it. */
#include "bench/command.h"
#include "tools/common/args.h"
#include "tools/common/streams.h"
#include "tools/machine/command.h"
#include "tools/pump/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "pkmap " PKMAP_VERSION;

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

#ifdef PKMAP_BENCH
/* bench also measures the pump, but does not depend on it. */
static int run_bench(int argc, char **argv)
{
	return cmd_bench(argc, argv, pump_copy);
}
#endif

static const struct command commands[] = {
#ifdef PKMAP_BENCH
	{ "bench", run_bench },
#endif
	{ "explore", cmd_explore },
	{ "pump", cmd_pump },
	{ "replay", cmd_replay },
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* argv[0] becomes "pkmap pump", for the subcommand's messages. */
static int run_command(const struct command *command, int argc, char **argv)
{
	static char name[32];

	snprintf(name, sizeof(name), "pkmap %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	const struct command *command;

	switch (key) {
	case ARGP_KEY_ARG:
		command = find_command(arg);
		if (!command)
			argp_error(state, "there is no command '%s'", arg);
		*(int *)state->input =
			run_command(command, state->argc - state->next + 1,
				    state->argv + state->next - 1);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_command,
		.args_doc = "COMMAND [OPTION...]",
		.doc = "Map high memory through a small window of slots.\v"
		       "The commands are:\n"
		       "  pump IN OUT      copy a file through high memory\n"
		       "  replay SCENARIO  show one run on a model machine\n"
		       "  explore          check every run on it\n"
		       "  bench            compare pkmap with alternatives\n\n"
		       "See 'pkmap COMMAND --help' for the options of each.",
	};
	int status = EXIT_FAILURE;

	streams_init();
	argp_err_exit_status = EXIT_USAGE;
	parse_args(&argp, argc, argv, ARGP_IN_ORDER, &status);
	return status;
}
