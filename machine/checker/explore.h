/* SPDX-License-Identifier: MIT */
/*
 * explore.h - the checker: looks at every state that a run can get into.
 */
#ifndef MACHINE_EXPLORE_H
#define MACHINE_EXPLORE_H

#include "run.h"

/* What has been seen so far. */
struct progress_report {
	uint64_t states;
	uint64_t transitions;
	uint32_t depth;
	uint64_t bytes; /* of memory */
};

struct explore_limits {
	/*
	 * How often a context that could go on may be left for another, and the
	 * cache may do something by itself; -1: no bound.
	 */
	int switches;
	uint64_t states; /* 0: no bound */
	uint64_t bytes;	 /* of memory; 0: no bound */
	uint64_t until;	 /* CLOCK_MONOTONIC, in nanoseconds; 0: none */
	/*
	 * Called now and then.  True: stop.  NULL: nobody wants to know.
	 */
	bool (*report)(const struct progress_report *report);
};

enum explored_bound {
	BOUND_NONE, /* all of it was seen */
	BOUND_SWITCHES,
	BOUND_STATES,
	BOUND_MEMORY,
	BOUND_TIME,
	BOUND_HISTORY, /* weak memory kept not all values of a variable */
	BOUND_STOPPED,
};

struct explored {
	uint64_t states;
	uint64_t transitions;
	uint32_t depth;
	enum explored_bound bound;
	/*
	 * If an invariant is broken: how, the schedule that shows it, and from
	 * which step on it repeats for ever (a livelock), or its length.
	 */
	struct broken broken;
	struct action *schedule; /* to be freed; NULL: none */
	uint32_t nsteps;
	uint32_t cycle;
};

/*
 * Explores what run_begin() began, breadth first, so that no state is reached
 * by a shorter schedule.  Returns 0, or -1 if there is not enough memory.
 */
int explore(const struct explore_limits *limits, struct explored *explored);

#endif /* MACHINE_EXPLORE_H */
