/* SPDX-License-Identifier: MIT */
/*
 * walk.h - one run, step by step, to its end: nothing can happen any more, an
 * invariant is broken, or it goes round for ever (cycles.h says when it does).
 */
#ifndef MACHINE_WALK_H
#define MACHINE_WALK_H

#include "run.h"
#include "states.h"

struct walk {
	/* What can happen next; nothing: the run is over. */
	struct action can[MAX_ACTIONS];
	uint32_t ncan;
	bool again;   /* this state was there before */
	uint8_t last; /* the context that went last, or ACTOR_DEVICE */
	/* The step, from 1 on, that an actor made last; 0: none. */
	uint32_t went[ACTORS];

	struct action *steps;
	uint32_t nsteps;
	struct broken broken;

	uint32_t max_steps;
	uint64_t *able;	 /* who could go on before each step, a bit each */
	uint32_t *first; /* of each state: the step that first led there */
	struct states *states;
	uint32_t state;
};

/* A walk from where run_begin() stopped.  0, or -1: not enough memory. */
int walk_begin(struct walk *w);
/* Makes one of the steps in @can.  0, or -1: not enough memory. */
int walk_step(struct walk *w, struct action action);
/* Frees all but the steps, which are the caller's. */
void walk_end(struct walk *w);

bool walk_can(const struct walk *w, struct action action);

#endif /* MACHINE_WALK_H */
