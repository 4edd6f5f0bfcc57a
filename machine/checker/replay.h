/* SPDX-License-Identifier: MIT */
/*
 * replay.h - one run by a schedule, and what happened in it.
 *
 * After the schedule, everything goes on to its end by a rule: whoever went
 * last goes on while he can, then interrupts come, then the device works, then
 * the contexts take turns, and deadlines pass.  Where that leads back to a
 * state that was there before, whoever has waited for longest goes on.
 */
#ifndef MACHINE_REPLAY_H
#define MACHINE_REPLAY_H

#include "schedule.h"
#include "machine/timeline/timeline.h"

struct run_setup {
	const struct scenario *scenario;
	const struct scheme *scheme;
	struct machine_config config;
};

struct replayed {
	struct broken broken;
	struct action *steps; /* all that were made; to be freed */
	uint32_t nsteps;
};

/* Runs what run_begin() began.  0, or -1: not enough memory. */
int replay(const struct schedule *schedule, struct replayed *replayed);

/*
 * Makes the steps once more, from the beginning, and writes down what happens.
 * Returns 0, or -1: not enough memory.  The timeline is to be freed in both
 * cases.
 */
int replay_show(const struct run_setup *setup, const struct replayed *replayed,
		struct timeline *timeline);
void replay_free_timeline(struct timeline *timeline);

#define VERDICT_TEXT 224

/* "data loss (I1)", with the reason where that does not say it all. */
const char *verdict_text(const struct broken *broken, char text[VERDICT_TEXT]);

#endif /* MACHINE_REPLAY_H */
