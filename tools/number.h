/* SPDX-License-Identifier: MIT */
/* Numbers on the command line. */
#ifndef NUMBER_H
#define NUMBER_H

#include <argp.h>
#include <stdint.h>

/* What option --@name was given.  Exits if that is not from @min to @max. */
uint32_t parse_number(const struct argp_state *state, const char *name,
		      const char *arg, uint32_t min, uint32_t max);

#endif /* NUMBER_H */
