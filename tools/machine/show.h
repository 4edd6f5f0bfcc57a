/* SPDX-License-Identifier: MIT */
/* A run of the model machine, shown: as text, in pictures, as trace events. */
#ifndef TOOLS_MACHINE_SHOW_H
#define TOOLS_MACHINE_SHOW_H

#include "machine_args.h"
#include "tools/common/failure.h"

/* Makes and prints the timeline of a run.  0, or it fails; to be freed. */
int show_run(const struct run_setup *setup, const struct replayed *replayed,
	     struct timeline *timeline, struct failure *failure);

/* Draws it, beside another if that is not NULL, to what the options name. */
int show_pictures(const struct machine_options *opt,
		  const struct timeline *timeline,
		  const struct timeline *beside, struct failure *failure);

/* Everything that was printed is out.  0, or it fails. */
int show_flush(struct failure *failure);

#endif /* TOOLS_MACHINE_SHOW_H */
