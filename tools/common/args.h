/* SPDX-License-Identifier: MIT */
/* Parsing of command lines. */
#ifndef TOOLS_COMMON_ARGS_H
#define TOOLS_COMMON_ARGS_H

#include <argp.h>
#include <stdint.h>

/* The exit status for a wrong command line; failed work exits with 1. */
#define EXIT_USAGE 2

/* Like argp_parse(), but exits with a message on every error. */
void parse_args(const struct argp *argp, int argc, char **argv,
		unsigned int flags, void *input);

/*
 * The number that was given to option --@name.  Exits with a message unless it
 * is between @min and @max.
 */
uint32_t parse_number(const struct argp_state *state, const char *name,
		      const char *arg, uint32_t min, uint32_t max);

#endif /* TOOLS_COMMON_ARGS_H */
