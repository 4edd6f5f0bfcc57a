// SPDX-License-Identifier: MIT
/*
 * explore.c - explores every state, breadth first; then looks for cycles.
 */
#include "explore.h"

#include "cycles.h"
#include "machine/model/model.h"
#include "states.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How many states are explored between two looks at the clock. */
#define REPORT_STATES 4096

struct explorer {
	const struct explore_limits *limits;
	struct explored *result;
	struct states *states;
	struct edges *edges;
	bool suppressed; /* the bound on switches left an action out */
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The result's schedule is what led to the state, and @last if not NULL. */
static int take_schedule(struct explorer *x, uint32_t state,
			 const struct action *last)
{
	struct explored *r = x->result;
	uint32_t n = states_depth(x->states, state);

	r->nsteps = n + (last ? 1 : 0);
	r->cycle = r->nsteps;
	r->schedule = calloc(r->nsteps + 1u, sizeof(*r->schedule));
	if (!r->schedule)
		return -1;
	if (last)
		r->schedule[n] = *last;
	for (; n > 0; state = states_from(x->states, state))
		r->schedule[--n] = states_action(x->states, state);
	r->broken = *run_broken();
	return 0;
}

static bool is_context(const struct action *a)
{
	return a->actor < ACTOR_FLUSH;
}

/*
 * If switches are bounded, a state's note says how many there were, and which
 * context made the last step: states that differ in that are different.
 */
static uint32_t make_note(uint32_t switches, uint32_t last)
{
	return switches << 8 | last;
}

static uint32_t switches_so_far(const struct explorer *x)
{
	return states_note(x->states) >> 8;
}

static uint32_t last_context(const struct explorer *x)
{
	return states_note(x->states) & 0xffu;
}

/*
 * How many switches an action counts for: one if it leaves a context that could
 * continue, or if the cache acts of its own accord.
 */
static uint32_t cost(const struct explorer *x, const struct action *a,
		     const struct action *all, uint32_t n)
{
	const uint32_t last = last_context(x);
	uint32_t k;

	if (a->actor >= ACTOR_EVICT)
		return 1;
	if (!is_context(a) || a->actor == last)
		return 0;
	for (k = 0; k < n; k++) {
		if (all[k].actor == last)
			return 1;
	}
	return 0;
}

/* Counts @a in the state's note.  Returns false if the bound forbids it. */
static bool within_bound(const struct explorer *x, const struct action *a,
			 uint32_t price)
{
	const uint32_t switches = switches_so_far(x) + price;

	if (x->limits->switches < 0)
		return true;
	if (switches > (uint32_t)x->limits->switches)
		return false;
	states_set_note(x->states,
			make_note(switches, is_context(a) ?
						    a->actor % ACTOR_INTERRUPT :
						    last_context(x)));
	return true;
}

/* The actors that can continue in a state, a bit each. */
static uint64_t able_actors(struct explorer *x, uint32_t state)
{
	struct action actions[MAX_ACTIONS];
	uint64_t mask = 0;
	uint32_t n;

	states_restore(x->states, state);
	n = run_actions(actions);
	while (n-- > 0)
		mask |= (uint64_t)1 << actions[n].actor;
	return mask;
}

/*
 * Whether @a, which leads from @from back to @to, closes a livelock of one
 * context: @from was reached from @to by its steps alone, and nobody else could
 * continue all the way.  All other livelocks are looked for at the end
 * (cycles.h).
 */
static bool spins(struct explorer *x, uint32_t from, uint32_t to,
		  struct action a)
{
	uint64_t always = UINT64_MAX;
	uint32_t at;

	if (a.actor >= ACTOR_INTERRUPT || a.choice)
		return false;
	for (at = from; at != to; at = states_from(x->states, at)) {
		if (states_depth(x->states, at) <=
			    states_depth(x->states, to) ||
		    states_action(x->states, at).actor != a.actor ||
		    states_action(x->states, at).choice)
			return false;
	}
	for (at = from; at != to; at = states_from(x->states, at))
		always &= able_actors(x, at);
	return is_livelock(always & able_actors(x, to), (uint64_t)1 << a.actor);
}

/* Returns 0 to go on, 1 if an invariant is broken, -1 without memory. */
static int try_action(struct explorer *x, uint32_t from, struct action a,
		      uint32_t price)
{
	uint32_t to;
	bool is_new;

	states_restore(x->states, from);
	if (!within_bound(x, &a, price)) {
		x->suppressed = true;
		return edges_add(x->edges, from, NO_STATE, a);
	}
	states_changed(x->states, a);
	x->result->transitions++;
	if (!run_step(a))
		return take_schedule(x, from, &a) ? -1 : 1;
	to = states_add(x->states, from, a, &is_new);
	if (to == NO_STATE || edges_add(x->edges, from, to, a))
		return -1;
	if (is_new || !spins(x, from, to, a))
		return 0;
	broken_livelock(a.actor);
	if (take_schedule(x, from, &a))
		return -1;
	x->result->cycle = states_depth(x->states, to);
	return 1;
}

static int expand(struct explorer *x, uint32_t state)
{
	struct action actions[MAX_ACTIONS];
	uint32_t price[MAX_ACTIONS];
	uint32_t n;
	uint32_t k;
	int found;

	states_restore(x->states, state);
	n = run_actions(actions);
	if (!n && !run_end())
		return take_schedule(x, state, NULL) ? -1 : 1;
	for (k = 0; k < n; k++)
		price[k] = cost(x, &actions[k], actions, n);
	for (k = 0; k < n; k++) {
		found = try_action(x, state, actions[k], price[k]);
		if (found)
			return found;
	}
	return 0;
}

/* Whether a limit is reached, or report() says to stop. */
static bool limit_reached(struct explorer *x, uint32_t state)
{
	const struct explore_limits *l = x->limits;
	const struct progress_report report = {
		.states = states_count(x->states),
		.transitions = x->result->transitions,
		.depth = states_depth(x->states, state),
		.bytes = states_bytes(x->states) + edges_bytes(x->edges) +
			 edges_search_bytes(states_count(x->states)),
	};
	enum explored_bound *bound = &x->result->bound;

	if (l->states && report.states >= l->states)
		*bound = BOUND_STATES;
	else if (state % REPORT_STATES)
		return false;
	else if (l->bytes && report.bytes >= l->bytes)
		*bound = BOUND_MEMORY;
	else if (l->until && now() >= l->until)
		*bound = BOUND_TIME;
	else if (l->report && l->report(&report))
		*bound = BOUND_STOPPED;
	return *bound != BOUND_NONE;
}

static int search(struct explorer *x)
{
	uint32_t state;
	bool is_new;
	int found;

	states_set_note(x->states, make_note(0, NOBODY));
	if (states_add(x->states, NO_STATE, (struct action){ 0 }, &is_new))
		return -1;
	if (run_broken()->invariant) /* in prepare() */
		return take_schedule(x, 0, NULL) ? -1 : 1;
	for (state = 0; state < states_count(x->states); state++) {
		if (limit_reached(x, state))
			break;
		found = expand(x, state);
		if (found > 0)
			return found;
		if (found < 0) {
			x->result->bound = BOUND_MEMORY;
			break;
		}
		x->result->depth = states_depth(x->states, state);
	}
	if (x->result->bound == BOUND_NONE && x->suppressed)
		x->result->bound = BOUND_SWITCHES;
	if (x->result->bound == BOUND_NONE && run_was_cut())
		x->result->bound = BOUND_HISTORY;
	return 0;
}

/* Returns 1 if there is a livelock, 0 if not, -1: not enough memory. */
static int look_for_livelock(struct explorer *x)
{
	struct cycle cycle;
	struct action *schedule;
	struct explored *r = x->result;
	int found = edges_find_cycle(x->edges, states_count(x->states), &cycle);

	if (found <= 0)
		return found;
	states_restore(x->states, cycle.state);
	broken_livelock(cycle.actor);
	if (take_schedule(x, cycle.state, NULL))
		goto fail;
	schedule = realloc(r->schedule,
			   (r->nsteps + cycle.nsteps) * sizeof(*schedule));
	if (!schedule)
		goto fail;
	memcpy(schedule + r->nsteps, cycle.steps,
	       cycle.nsteps * sizeof(*schedule));
	r->schedule = schedule;
	r->nsteps += cycle.nsteps;
	free(cycle.steps);
	return 1;
fail:
	free(cycle.steps);
	return -1;
}

int explore(const struct explore_limits *limits, struct explored *explored)
{
	struct explorer x = { .limits = limits, .result = explored };
	int found = -1;

	memset(explored, 0, sizeof(*explored));
	x.states = states_new();
	x.edges = edges_new();
	if (x.states && x.edges)
		found = search(&x);
	if (!found && explored->bound != BOUND_STOPPED)
		found = look_for_livelock(&x);
	if (x.states)
		explored->states = states_count(x.states);
	edges_free(x.edges);
	states_free(x.states);
	return found < 0 ? -1 : 0;
}
