/* SPDX-License-Identifier: MIT */
/*
 * random.h - random runs, after Burckhardt, Kothari, Musuvathi and Nagarakatte,
 * "A randomized scheduler with probabilistic guarantees of finding bugs"
 * (ASPLOS 2010).
 *
 * Each actor has a random priority, and the one with the highest priority that
 * can continue makes the next step.  At a few random points of each run, that
 * one gets the lowest priority instead.
 */
#ifndef MACHINE_CHECKER_RANDOM_H
#define MACHINE_CHECKER_RANDOM_H

#include "replay.h"

struct random_limits {
	uint64_t runs;
	uint64_t seed;	/* of the first run; each next one's is one more */
	uint64_t until; /* CLOCK_MONOTONIC, in nanoseconds; 0: no bound */
	/* Called before each run.  Returns true to stop. */
	bool (*report)(uint64_t runs, uint64_t transitions);
};

struct random_result {
	uint64_t runs;
	uint64_t transitions;
	uint64_t seed; /* of the last run */
	bool timed_out;
	bool stopped;
	/* The run that broke an invariant, if there is one. */
	struct replayed found;
};

/* Returns 0, or -1 if there is not enough memory. */
int explore_random(const struct run_setup *setup,
		   const struct random_limits *limits,
		   struct random_result *result);

#endif /* MACHINE_CHECKER_RANDOM_H */
