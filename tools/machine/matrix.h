/* SPDX-License-Identifier: MIT */
/* What pkmap explore does with many scenarios, schemes and machines. */
#ifndef TOOLS_MACHINE_MATRIX_H
#define TOOLS_MACHINE_MATRIX_H

#include "tools/common/failure.h"
#include "tools/common/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct matrix_options {
	uint64_t bytes;	  /* of memory */
	uint64_t states;  /* for each cell; 0: the usual bound */
	uint64_t seconds; /* for each cell; 0: no bound */
	bool json;
};

/*
 * Explores and prints tables: every scenario under every scheme on a few
 * machines; or pkmap alone, to the end.  Returns 0 if pkmap is clean in every
 * cell and, unless @states or @seconds says otherwise, complete in those that
 * must be; 1 if not, or -1 and fails.
 */
int matrix_all(const struct matrix_options *opt, struct progress *progress,
	       struct failure *failure);
int matrix_deep(const struct matrix_options *opt, struct progress *progress,
		struct failure *failure);

#endif /* TOOLS_MACHINE_MATRIX_H */
