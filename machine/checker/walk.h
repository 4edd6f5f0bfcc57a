/* SPDX-License-Identifier: MIT */
/*
 * walk.h - one run, step by step, to its end: nothing can happen any more, or
 * an invariant is broken.  A livelock (cycles.h) breaks one.
 */
#ifndef MACHINE_CHECKER_WALK_H
#define MACHINE_CHECKER_WALK_H

#include "run.h"
#include "states.h"

struct walk {
	/* The actions that can happen next; none: the run is over. */
	struct action actions[MAX_ACTIONS];
	uint32_t nactions;
	bool revisited; /* the present state is not new in this run */
	uint8_t last;	/* who stepped last: a context, or ACTOR_DEVICE */
	/* For each actor: the number of its last step, from 1 on; 0: none. */
	uint32_t last_step[ACTORS];

	struct action *steps;
	uint32_t nsteps;
	struct broken broken;

	uint32_t max_steps;
	uint64_t *able;	 /* for each step: who could make it, a bit each */
	uint32_t *first; /* for each state: the steps before its first visit */
	struct states *states;
	uint32_t state;
};

/*
 * Begins a walk at the state that run_begin() left.  Returns 0, or -1 if there
 * is not enough memory; the walk is to be ended in both cases.
 */
int walk_begin(struct walk *w);
/* Makes one of the steps in @actions.  Returns 0, or -1: not enough memory. */
int walk_step(struct walk *w, struct action action);
/* Frees everything but the steps, which the caller frees. */
void walk_end(struct walk *w);

bool walk_can(const struct walk *w, struct action action);

#endif /* MACHINE_CHECKER_WALK_H */
