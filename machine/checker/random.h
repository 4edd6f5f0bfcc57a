/* SPDX-License-Identifier: MIT */
/*
 * random.h - runs at random: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A
 * randomized scheduler with probabilistic guarantees of finding bugs" (ASPLOS
 * 2010).
 *
 * Everybody has a priority, and whoever has the highest of those who can go on
 * goes on.  At a few steps of each run, whoever would is given the lowest.
 */
#ifndef MACHINE_RANDOM_H
#define MACHINE_RANDOM_H

#include "replay.h"

struct random_limits {
	uint64_t runs;
	uint64_t seed;	/* of the first run; the next one's is one more */
	uint64_t until; /* a time of CLOCK_MONOTONIC in ns; 0: no bound */
	/* Called now and then.  True: stop. */
	bool (*report)(uint64_t runs, uint64_t transitions);
};

struct random_result {
	uint64_t runs;
	uint64_t transitions;
	uint64_t seed; /* of the last run */
	bool timed_out;
	bool stopped;
	/* The run that broke an invariant, if one did. */
	struct replayed found;
};

/* 0, or -1: not enough memory. */
int explore_random(const struct run_setup *setup,
		   const struct random_limits *limits,
		   struct random_result *result);

#endif /* MACHINE_RANDOM_H */
