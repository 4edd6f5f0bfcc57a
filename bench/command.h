/* SPDX-License-Identifier: MIT */
/* pkmap bench. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "tools/common/failure.h"

#include <sys/types.h>

/*
 * Copies @size bytes from one file to another with the pump, @page_size bytes
 * at a time.  Returns 0 and the time it took, or -1 after fail().
 */
typedef int bench_pump_fn(int in, int out, off_t size, size_t page_size,
			  double *seconds, struct failure *failure);

/* Returns the exit status.  @pump is the pump to measure. */
int cmd_bench(int argc, char **argv, bench_pump_fn *pump);

#endif /* BENCH_COMMAND_H */
