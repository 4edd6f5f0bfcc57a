/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - the edges between states, and the livelocks among them.
 *
 * A scenario is finite: whoever makes progress never returns to an earlier
 * state.  So a cycle of states is one without progress.  It is a livelock if
 * everybody who could continue all the way round takes steps in it (weak
 * fairness); if somebody does not, the cycle ends as soon as that one runs.
 * The cache is never obliged to do anything of its own accord.
 */
#ifndef MACHINE_CHECKER_CYCLES_H
#define MACHINE_CHECKER_CYCLES_H

#include "run.h"

struct edges;

struct edges *edges_new(void);
void edges_free(struct edges *e);

/*
 * Adds the edge of an action.  @to is NO_STATE if the action was possible but
 * not tried.  Calls must be in the order of @from.
 * Returns 0, or -1 if there is not enough memory.
 */
int edges_add(struct edges *e, uint32_t from, uint32_t to,
	      struct action action);

uint64_t edges_bytes(const struct edges *e);
/* The additional memory that edges_find_cycle() will take. */
uint64_t edges_search_bytes(uint32_t nstates);

/*
 * Whether a cycle is a livelock: every actor that could continue in all of its
 * states takes a step in it.  Both sets have a bit for each actor.
 */
bool is_livelock(uint64_t always_could, uint64_t went);

/* The actor that the verdict names, of a livelock of these steps. */
uint8_t livelock_actor(const struct action *steps, uint32_t n);

struct cycle {
	uint32_t state; /* where it begins and ends */
	uint8_t actor;	/* the one that the verdict names */
	uint32_t nsteps;
	struct action *steps; /* to be freed */
};

/*
 * Looks for a livelock among @nstates states.  Returns 1 if there is one, 0 if
 * there is none, -1 if there is not enough memory.
 */
int edges_find_cycle(const struct edges *e, uint32_t nstates,
		     struct cycle *cycle);

#endif /* MACHINE_CHECKER_CYCLES_H */
