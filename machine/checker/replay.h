/* SPDX-License-Identifier: MIT */
/*
 * replay.h - one run by a schedule, and what happened in it.
 *
 * After the schedule, the run continues to its end by a rule.  The actor that
 * made the last step continues while it can; else an interrupt comes, else the
 * device works, else the contexts take turns, else a deadline passes.  If that
 * leads back to an earlier state, the actor that has waited longest continues.
 */
#ifndef MACHINE_CHECKER_REPLAY_H
#define MACHINE_CHECKER_REPLAY_H

#include "schedule.h"
#include "machine/timeline/timeline.h"

struct run_setup {
	const struct scenario *scenario;
	const struct scheme *scheme;
	struct machine_config config;
};

struct replayed {
	struct broken broken;
	struct action *steps; /* of the whole run; to be freed */
	uint32_t nsteps;
};

/* Runs what run_begin() began.  Returns 0, or -1: not enough memory. */
int replay(const struct schedule *schedule, struct replayed *replayed);

/*
 * Makes the steps once more, from the beginning, and fills in the timeline.
 * Returns 0, or -1 if there is not enough memory.  The timeline is to be freed
 * in both cases.
 */
int replay_show(const struct run_setup *setup, const struct replayed *replayed,
		struct timeline *timeline);
void replay_free_timeline(struct timeline *timeline);

#define VERDICT_TEXT 224

/* "clean", "data loss (I1)", or "broken (I3): ..." with the reason. */
const char *verdict_text(const struct broken *broken, char text[VERDICT_TEXT]);

#endif /* MACHINE_CHECKER_REPLAY_H */
