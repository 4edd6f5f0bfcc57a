/* SPDX-License-Identifier: MIT */
/*
 * states.h - the states that were found, each kept once and completely.
 *
 * A state is a tuple of parts (run.h), and each part is kept once, too: states
 * that differ in one task's stack share all the rest.  So a state takes a few
 * words, states are compared exactly, not by a hash, and only the parts that
 * differ are copied to go from one state to another.
 */
#ifndef MACHINE_CHECKER_STATES_H
#define MACHINE_CHECKER_STATES_H

#include "run.h"

#define NO_STATE UINT32_MAX

struct states;

/* To be called after run_begin().  NULL: not enough memory. */
struct states *states_new(void);
void states_free(struct states *s);

/*
 * Adds the machine's present state, which @action led to from state @from,
 * unless it is there already (*is_new is false then).  Returns its number, or
 * NO_STATE if there is not enough memory.
 */
uint32_t states_add(struct states *s, uint32_t from, struct action action,
		    bool *is_new);

/* Puts the machine into a state. */
void states_restore(struct states *s, uint32_t nr);

/*
 * A number that the search keeps with the machine's present state.  States that
 * differ only in it are different.  It is 0 at the beginning; restoring a state
 * restores it.
 */
void states_set_note(struct states *s, uint32_t note);
uint32_t states_note(const struct states *s);

/* To be called before a step: the parts that it may change are saved again. */
void states_changed(struct states *s, struct action action);

/* How a state was first reached. */
uint32_t states_from(const struct states *s, uint32_t nr);
struct action states_action(const struct states *s, uint32_t nr);
uint32_t states_depth(const struct states *s, uint32_t nr);

uint32_t states_count(const struct states *s);
uint64_t states_bytes(const struct states *s);

#endif /* MACHINE_CHECKER_STATES_H */
