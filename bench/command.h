/* SPDX-License-Identifier: MIT */
/* pkmap bench. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "tools/common/failure.h"

#include <sys/types.h>

/*
 * How the pump copies @size bytes from one file to another, @page_size at a
 * time.  Returns 0 and how long that took, or fails.
 */
typedef int bench_pump_fn(int in, int out, off_t size, size_t page_size,
			  double *seconds, struct failure *failure);

/* Returns the exit status.  The caller brings the pump that is measured. */
int cmd_bench(int argc, char **argv, bench_pump_fn *pump);

#endif /* BENCH_COMMAND_H */
