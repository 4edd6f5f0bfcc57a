/* SPDX-License-Identifier: MIT */
/* The options of explore and replay for the machine and what runs on it. */
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
	/* Files to write the timeline to, or NULL. */
	const char *svg;
	const char *png;
	const char *trace;
};

/* For argp_child; the input is a struct machine_options. */
extern const struct argp machine_argp;

void machine_options_init(struct machine_options *opt);

/* Both exit with a message if there is none of that name. */
const struct scenario *parse_scenario(const struct argp_state *state,
				      const char *name);
const struct scheme *parse_scheme(const struct argp_state *state,
				  const char *name);

/*
 * Call this at the end of the arguments.  It completes @opt, or exits with a
 * message if the options do not fit together.
 */
void machine_options_check(struct machine_options *opt,
			   const struct argp_state *state);

/* Prints the options that describe this machine and scheme. */
void machine_options_print(const struct machine_options *opt, FILE *out);

/*
 * Adapts the machine to the scenario, with more slots if it needs them and
 * @more_slots is set.  Returns false if the scenario makes no sense there.
 */
bool setup_fit(struct run_setup *setup, bool more_slots);

#endif /* TOOLS_MACHINE_MACHINE_ARGS_H */
