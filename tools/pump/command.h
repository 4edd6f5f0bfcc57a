/* SPDX-License-Identifier: MIT */
/* pkmap pump. */
#ifndef TOOLS_PUMP_COMMAND_H
#define TOOLS_PUMP_COMMAND_H

#include "tools/common/failure.h"

#include <sys/types.h>

/* Returns the exit status. */
int cmd_pump(int argc, char **argv);

/*
 * Its copy alone, without the check: by one thread, through 64 slots, without
 * interrupts.  Returns 0 and how long that took, or fails.
 */
int pump_copy(int in, int out, off_t size, size_t page_size, double *seconds,
	      struct failure *failure);

#endif /* TOOLS_PUMP_COMMAND_H */
