/* SPDX-License-Identifier: MIT */
/* pkmap pump. */
#ifndef TOOLS_PUMP_COMMAND_H
#define TOOLS_PUMP_COMMAND_H

#include "tools/common/failure.h"

#include <sys/types.h>

/* Returns the exit status. */
int cmd_pump(int argc, char **argv);

/*
 * Only copies, without comparing: one CPU thread, 64 slots, no interrupts.
 * Returns 0 and the time it took, or -1 after fail().
 */
int pump_copy(int in, int out, off_t size, size_t page_size, double *seconds,
	      struct failure *failure);

#endif /* TOOLS_PUMP_COMMAND_H */
