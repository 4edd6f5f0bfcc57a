// SPDX-License-Identifier: MIT
#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void parse_args(const struct argp *argp, int argc, char **argv,
		unsigned int flags, void *input)
{
	const error_t err = argp_parse(argp, argc, argv, flags, NULL, input);

	if (!err)
		return;
	fprintf(stderr, "%s: cannot read the command line: %s\n", argv[0],
		strerror(err));
	exit(EXIT_FAILURE);
}

uint32_t parse_number(const struct argp_state *state, const char *name,
		      const char *arg, uint32_t min, uint32_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(arg, &end, 10);
	if (!isdigit((unsigned char)arg[0]) || *end)
		argp_error(state, "--%s: '%s' is not a number", name, arg);
	if (errno || n < min || n > max)
		argp_error(state, "--%s: %s is not between %u and %u", name,
			   arg, min, max);
	return (uint32_t)n;
}
