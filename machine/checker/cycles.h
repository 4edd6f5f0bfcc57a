/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - what leads from state to state, and livelocks in it.
 *
 * A scenario is finite: who gets on with it never comes back to a state that
 * was there before.  So a set of states that can be gone round in for ever is a
 * livelock, unless that takes that somebody who could go on never does: then
 * it ends as soon as he does (weak fairness).  The cache need never do anything
 * by itself.
 */
#ifndef MACHINE_CYCLES_H
#define MACHINE_CYCLES_H

#include "run.h"

struct edges;

struct edges *edges_new(void);
void edges_free(struct edges *e);

/*
 * An action leads from one state to another; or to NO_STATE, if it was possible
 * and not tried.  The states that they lead from come in order.
 * Returns 0, or -1: not enough memory.
 */
int edges_add(struct edges *e, uint32_t from, uint32_t to,
	      struct action action);

uint64_t edges_bytes(const struct edges *e);
/* What edges_find_cycle() will take besides. */
uint64_t edges_search_bytes(uint32_t nstates);

/*
 * Whether what leads back to where it began is a livelock: whoever could go on
 * in all of its states goes on in it.  Both sets have a bit for each actor.
 */
bool is_livelock(uint64_t always_could, uint64_t went);

/* The context that a livelock of these steps is named after. */
uint8_t who_goes_round(const struct action *steps, uint32_t n);

struct cycle {
	uint32_t state; /* where it begins, and ends */
	uint8_t actor;	/* whom to name */
	uint32_t nsteps;
	struct action *steps; /* to be freed */
};

/*
 * Looks for a livelock among @nstates states.  Returns 1 if there is one, 0 if
 * not, -1: not enough memory.
 */
int edges_find_cycle(const struct edges *e, uint32_t nstates,
		     struct cycle *cycle);

#endif /* MACHINE_CYCLES_H */
