/* SPDX-License-Identifier: MIT */
/* Output of a run on the model machine: text, pictures and trace events. */
#ifndef TOOLS_MACHINE_SHOW_H
#define TOOLS_MACHINE_SHOW_H

#include "machine_args.h"
#include "tools/common/failure.h"

/*
 * Makes and prints the timeline of a run; it must be freed.  Returns 0 or
 * fails.
 */
int show_run(const struct run_setup *setup, const struct replayed *replayed,
	     struct timeline *timeline, struct failure *failure);

/*
 * Writes the timeline to the files that the options name.  If @beside is not
 * NULL, pictures show both.  Returns 0 or fails.
 */
int show_pictures(const struct machine_options *opt,
		  const struct timeline *timeline,
		  const struct timeline *beside, struct failure *failure);

/* Writes out what was printed.  Returns 0 or fails. */
int show_flush(struct failure *failure);

#endif /* TOOLS_MACHINE_SHOW_H */
