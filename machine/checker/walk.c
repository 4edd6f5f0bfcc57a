// SPDX-License-Identifier: MIT
#include "walk.h"

#include "cycles.h"
#include "machine/model/model.h"

#include <stdlib.h>
#include <string.h>

static uint64_t actor_bit(uint8_t actor)
{
	return (uint64_t)1 << actor;
}

/* Makes room for another step, and for the state after it. */
static int make_room(struct walk *w)
{
	const uint32_t max = w->max_steps ? 2 * w->max_steps : 256;
	struct action *steps;
	uint32_t *first;
	uint64_t *able;

	if (w->nsteps + 1 < w->max_steps)
		return 0;
	steps = realloc(w->steps, max * sizeof(*steps));
	if (!steps)
		return -1;
	w->steps = steps;
	able = realloc(w->able, max * sizeof(*able));
	if (!able)
		return -1;
	w->able = able;
	first = realloc(w->first, max * sizeof(*first));
	if (!first)
		return -1;
	w->first = first;
	w->max_steps = max;
	return 0;
}

/* Whether the steps from number @from on, a cycle, are a livelock. */
static bool is_livelock_since(const struct walk *w, uint32_t from)
{
	uint64_t always = UINT64_MAX;
	uint64_t went = 0;
	uint32_t k;

	for (k = from; k < w->nsteps; k++) {
		always &= w->able[k];
		went |= actor_bit(w->steps[k].actor);
	}
	return is_livelock(always, went);
}

static void end_run(struct walk *w)
{
	w->nactions = 0;
	if (run_broken()->invariant)
		w->broken = *run_broken();
}

/* Enters the state after a step that broke no invariant. */
static int arrive(struct walk *w, uint32_t from, struct action action)
{
	uint32_t first;
	bool is_new;

	w->state = states_add(w->states, from, action, &is_new);
	if (w->state == NO_STATE)
		return -1;
	w->revisited = !is_new;
	if (is_new) {
		w->first[w->state] = w->nsteps;
	} else if (is_livelock_since(w, w->first[w->state])) {
		first = w->first[w->state];
		broken_livelock(
			livelock_actor(w->steps + first, w->nsteps - first));
		end_run(w);
		return 0;
	}
	w->nactions = run_actions(w->actions);
	if (!w->nactions) {
		run_end();
		end_run(w);
	}
	return 0;
}

int walk_begin(struct walk *w)
{
	memset(w, 0, sizeof(*w));
	w->states = states_new();
	if (!w->states || make_room(w))
		return -1;
	if (run_broken()->invariant) { /* in prepare() */
		end_run(w);
		return 0;
	}
	return arrive(w, NO_STATE, (struct action){ 0 });
}

static void note_step(struct walk *w, struct action action)
{
	uint64_t able = 0;
	uint32_t k;

	for (k = 0; k < w->nactions; k++)
		able |= actor_bit(w->actions[k].actor);
	w->able[w->nsteps] = able;
	w->steps[w->nsteps++] = action;
	w->last_step[action.actor] = w->nsteps;
	if (action.actor < ACTOR_FLUSH)
		w->last = action.actor % ACTOR_INTERRUPT;
	else if (action.actor == ACTOR_DEVICE)
		w->last = ACTOR_DEVICE;
}

int walk_step(struct walk *w, struct action action)
{
	if (make_room(w))
		return -1;
	note_step(w, action);
	states_changed(w->states, action);
	if (run_step(action))
		return arrive(w, w->state, action);
	end_run(w);
	return 0;
}

void walk_end(struct walk *w)
{
	free(w->able);
	free(w->first);
	states_free(w->states);
}

bool walk_can(const struct walk *w, struct action action)
{
	uint32_t k;

	for (k = 0; k < w->nactions; k++) {
		if (w->actions[k].actor == action.actor &&
		    w->actions[k].choice == action.choice)
			return true;
	}
	return false;
}
