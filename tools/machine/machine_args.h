/* SPDX-License-Identifier: MIT */
/* What explore and replay are told about the machine, and what runs on it. */
#ifndef TOOLS_MACHINE_MACHINE_ARGS_H
#define TOOLS_MACHINE_MACHINE_ARGS_H

#include "machine/checker/replay.h"
#include "machine/scenarios/scenario.h"
#include "tools/common/args.h"

#include <argp.h>

struct machine_options {
	struct run_setup setup; /* complete after machine_options_check() */
	uint32_t line_bytes;
	uint32_t lines; /* of a page */
	bool slots_given;
	bool cache_given;
	bool cpus_given;
	bool broadcast;
	bool any_given;
	/* What to write a timeline to, or NULL. */
	const char *svg;
	const char *png;
	const char *trace;
};

/* For argp_child; the input is a struct machine_options. */
extern const struct argp machine_argp;

void machine_options_init(struct machine_options *opt);

/* Both exit if that is not right. */
const struct scenario *parse_scenario(const struct argp_state *state,
				      const char *name);
const struct scheme *parse_scheme(const struct argp_state *state,
				  const char *name);

/* At the end of the arguments: exits if they do not fit together. */
void machine_options_check(struct machine_options *opt,
			   const struct argp_state *state);

/* Prints the options that make the same machine. */
void machine_options_print(const struct machine_options *opt, FILE *out);

/*
 * Changes a machine to what the scenario wants, with more slots if it needs
 * them.  False: it makes no sense there.
 */
bool setup_fit(struct run_setup *setup, bool more_slots);

#endif /* TOOLS_MACHINE_MACHINE_ARGS_H */
