/* SPDX-License-Identifier: MIT */
/* What the subcommands' command lines have in common. */
#ifndef TOOLS_COMMON_ARGS_H
#define TOOLS_COMMON_ARGS_H

#include <argp.h>
#include <stdint.h>

/* What a wrong command line exits with, as against 1 for work that failed. */
#define EXIT_USAGE 2

/* argp_parse(); exits whatever is wrong, and says so. */
void parse_args(const struct argp *argp, int argc, char **argv,
		unsigned int flags, void *input);

/* What option --@name was given.  Exits if that is not from @min to @max. */
uint32_t parse_number(const struct argp_state *state, const char *name,
		      const char *arg, uint32_t min, uint32_t max);

#endif /* TOOLS_COMMON_ARGS_H */
