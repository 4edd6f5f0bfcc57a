/* SPDX-License-Identifier: MIT */
/* The subcommands of pkmap.  Each returns the exit status. */
#ifndef COMMAND_H
#define COMMAND_H

#include <argp.h>

/* What a wrong command line exits with, as against 1 for work that failed. */
#define EXIT_USAGE 2

/* argp_parse(); exits whatever is wrong, and says so. */
void parse_args(const struct argp *argp, int argc, char **argv,
		unsigned int flags, void *input);

int cmd_bench(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_pump(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#endif /* COMMAND_H */
