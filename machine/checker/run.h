/* SPDX-License-Identifier: MIT */
/*
 * run.h - a run of a scenario on the machine, as the checker sees it: a state,
 * and the actions that can happen next in it.
 */
#ifndef MACHINE_CHECKER_RUN_H
#define MACHINE_CHECKER_RUN_H

#include "machine/model/types.h"

#include <stddef.h>

struct scenario;
struct scheme;

/* Enough for all contexts' choices, and for each entry of each cache. */
#define MAX_ACTIONS 544

/* Makes the machine, prepares it, and runs each task to where it gives way. */
void run_begin(const struct scenario *scenario, const struct scheme *scheme,
	       const struct machine_config *config);

/* The next actions.  Returns their number, 0 at the end or in a deadlock. */
uint32_t run_actions(struct action actions[MAX_ACTIONS]);

/* Makes a step.  Returns false if it breaks an invariant. */
bool run_step(struct action action);

/*
 * Checks the last state, when nothing can happen any more.  Returns false if an
 * invariant is broken.
 */
bool run_end(void);

const struct broken *run_broken(void);

/*
 * The state consists of parts, which are saved and restored one by one.  A
 * context's step can change any part except other contexts' stacks; other steps
 * change the hardware and weak memory only.
 */
#define PART_HARDWARE 0
#define PART_MEMORY   1
#define PART_WEAK     2 /* the additional state of weak memory */
#define PART_STACKS   3 /* + the context's number */

/* The number of parts. */
uint32_t run_parts(void);
/* Returns a part's present contents, and their length. */
const void *run_part(uint32_t part, size_t *bytes);
void run_restore(uint32_t part, const void *data, size_t bytes);

/* Whether weak memory had to drop values that could still be loaded. */
bool run_was_cut(void);

/* Whether the action is an interrupt's beginning, or a step of its handler. */
bool run_is_interrupt(struct action action);

const char *verdict_name(enum verdict verdict);

#endif /* MACHINE_CHECKER_RUN_H */
