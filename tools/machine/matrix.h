/* SPDX-License-Identifier: MIT */
/* pkmap explore --all and --deep: many scenarios, schemes and machines. */
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
 * Both explore and print tables: matrix_all() every scenario under every scheme
 * on several machines, matrix_deep() only pkmap, with more rounds and weak
 * memory.  They return 0 if pkmap is clean in every cell, and complete in those
 * that must be unless @states or @seconds bounds them; 1 if not; or -1 after
 * fail().
 */
int matrix_all(const struct matrix_options *opt, struct progress *progress,
	       struct failure *failure);
int matrix_deep(const struct matrix_options *opt, struct progress *progress,
		struct failure *failure);

#endif /* TOOLS_MACHINE_MATRIX_H */
