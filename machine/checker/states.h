/* SPDX-License-Identifier: MIT */
/*
 * states.h - the states that were found, each kept once and whole.
 *
 * A state is a tuple of parts (run.h), each of which is kept once, too: states
 * that differ in one task's stack share all the rest.  So a state takes a few
 * words, states are compared exactly, not by a hash, and to go from one to the
 * next only the parts that differ are copied.
 */
#ifndef MACHINE_STATES_H
#define MACHINE_STATES_H

#include "run.h"

#define NO_STATE UINT32_MAX

struct states;

/* Of the machine as run_begin() left it.  NULL: not enough memory. */
struct states *states_new(void);
void states_free(struct states *s);

/*
 * The number of the state that the machine is in, which @action has led to from
 * state @from; *is_new if it was not there.  NO_STATE: not enough memory.
 */
uint32_t states_add(struct states *s, uint32_t from, struct action action,
		    bool *is_new);

/* Puts the machine into a state. */
void states_restore(struct states *s, uint32_t nr);

/*
 * A number that the search keeps with the state that the machine is in: states
 * that differ in nothing else are two.  0 at the beginning; a restored state
 * brings its own.
 */
void states_set_note(struct states *s, uint32_t note);
uint32_t states_note(const struct states *s);

/* The parts that a step of this actor may change must be saved again. */
void states_changed(struct states *s, struct action action);

/* How a state was first reached. */
uint32_t states_from(const struct states *s, uint32_t nr);
struct action states_action(const struct states *s, uint32_t nr);
uint32_t states_depth(const struct states *s, uint32_t nr);

uint32_t states_count(const struct states *s);
uint64_t states_bytes(const struct states *s);

#endif /* MACHINE_STATES_H */
