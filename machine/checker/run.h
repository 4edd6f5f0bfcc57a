/* SPDX-License-Identifier: MIT */
/*
 * run.h - a run of a scenario on the machine, as the checker sees it: a state,
 * and what can happen next in it.
 */
#ifndef MACHINE_RUN_H
#define MACHINE_RUN_H

#include "machine/model/types.h"

#include <stddef.h>

struct scenario;
struct scheme;

/* All contexts' choices, and every line of every cache. */
#define MAX_ACTIONS 544

/* Makes the machine, prepares it, and stops where it can first branch. */
void run_begin(const struct scenario *scenario, const struct scheme *scheme,
	       const struct machine_config *config);

/* What can happen next.  Returns how many, 0 at the end or in a deadlock. */
uint32_t run_actions(struct action actions[MAX_ACTIONS]);

/* Makes a step.  False if an invariant is broken by it. */
bool run_step(struct action action);

/* To be called where nothing can happen any more.  False as run_step(). */
bool run_end(void);

const struct broken *run_broken(void);

/*
 * The state: parts that are saved and restored one by one.  A context's step
 * changes its own stack, the memory and the hardware; others the hardware only.
 */
#define PART_HARDWARE 0
#define PART_MEMORY   1
#define PART_WEAK     2 /* what weak memory has besides */
#define PART_STACKS   3 /* + the context's number */

uint32_t run_parts(void);
/* Where a part is now, and its length. */
const void *run_part(uint32_t part, size_t *bytes);
void run_restore(uint32_t part, const void *data, size_t bytes);

/* Whether weak memory had too many values to keep them all. */
bool run_was_cut(void);

/* Whether it is an interrupt's step. */
bool run_is_interrupt(struct action action);

const char *verdict_name(enum verdict verdict);

#endif /* MACHINE_RUN_H */
