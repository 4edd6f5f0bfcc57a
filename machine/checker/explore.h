/* SPDX-License-Identifier: MIT */
/*
 * explore.h - the checker: explores every state that a run can reach.
 */
#ifndef MACHINE_CHECKER_EXPLORE_H
#define MACHINE_CHECKER_EXPLORE_H

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
	 * How many switches away from a context that could have continued there
	 * may be, evictions and fills included; -1: no bound.
	 */
	int switches;
	uint64_t states; /* 0: no bound */
	uint64_t bytes;	 /* of memory; 0: no bound */
	uint64_t until;	 /* CLOCK_MONOTONIC, in nanoseconds; 0: no bound */
	/* Called now and then, if not NULL.  Returns true to stop. */
	bool (*report)(const struct progress_report *report);
};

enum explored_bound {
	BOUND_NONE, /* all states were seen */
	BOUND_SWITCHES,
	BOUND_STATES,
	BOUND_MEMORY,
	BOUND_TIME,
	BOUND_HISTORY, /* weak memory did not keep all values of a variable */
	BOUND_STOPPED, /* report() returned true */
};

struct explored {
	uint64_t states;
	uint64_t transitions;
	uint32_t depth;
	enum explored_bound bound;
	/*
	 * If an invariant is broken: how, and a schedule that shows it.  In a
	 * livelock, the steps from number @cycle on repeat for ever; otherwise
	 * @cycle is @nsteps.
	 */
	struct broken broken;
	struct action *schedule; /* to be freed; NULL: none */
	uint32_t nsteps;
	uint32_t cycle;
};

/*
 * Explores what run_begin() began, breadth first, so that each state is reached
 * by a shortest schedule.  Returns 0, or -1 if there is not enough memory.
 */
int explore(const struct explore_limits *limits, struct explored *explored);

#endif /* MACHINE_CHECKER_EXPLORE_H */
