/* SPDX-License-Identifier: MIT */
/*
 * Runs many explorations, each in a process of its own, one per CPU at a time.
 * If one crashes, the others go on.
 */
#ifndef TOOLS_MACHINE_CELLS_H
#define TOOLS_MACHINE_CELLS_H

#include "machine/checker/explore.h"
#include "machine/checker/replay.h"
#include "tools/common/progress.h"

#include <sys/types.h>

enum cell_state {
	CELL_WAITING,
	CELL_SENSELESS, /* the scenario makes no sense on that machine */
	CELL_RUNNING,
	CELL_DONE,
	CELL_CRASHED,
};

/* The result that a cell's process sends. */
struct cell_result {
	uint64_t states;
	uint64_t transitions;
	enum explored_bound bound;
	struct broken broken;
};

struct cell {
	struct run_setup setup;
	uint64_t most_states; /* 0: no bound */
	enum cell_state state;
	struct cell_result result;
	pid_t pid;
	int fd; /* the pipe that the result comes through */
};

struct cells {
	struct cell *cells;
	uint32_t ncells;
	uint64_t bytes;	  /* of memory, for all cells together */
	uint64_t seconds; /* for each cell; 0: no bound */

	uint32_t started; /* index of the next cell to start */
	uint32_t ndone;
	uint32_t nrunning;
	uint32_t njobs;
};

/*
 * Runs the waiting cells in order.  Returns 0, or -1 with errno set; EINTR if a
 * signal asked us to stop: then some cells are still waiting.
 */
int cells_run(struct cells *c, struct progress *progress);

#endif /* TOOLS_MACHINE_CELLS_H */
