// SPDX-License-Identifier: MIT
#include "random.h"

#include "walk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The number of points in a run at which priorities change. */
#define CHANGES 3

/*
 * Evictions, fills and deadlines can happen at any time but need never do.  If
 * there are any, one of them comes before the step by priority once in so many
 * times.
 */
#define SELDOM	8

struct random_run {
	struct walk walk;
	uint64_t state; /* of the generator */
	uint32_t change[CHANGES];
	/* The highest comes first; no two are equal. */
	int64_t priority[ACTORS];
	int64_t lowest;
};

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators". */
static uint64_t random_next(struct random_run *r)
{
	uint64_t z;

	r->state += 0x9e3779b97f4a7c15u;
	z = r->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t random_below(struct random_run *r, uint32_t end)
{
	return (uint32_t)(random_next(r) % end);
}

static void shuffle_priorities(struct random_run *r)
{
	int64_t priority;
	uint32_t other;
	uint32_t k;

	for (k = 0; k < ACTORS; k++)
		r->priority[k] = k;
	for (k = ACTORS - 1; k > 0; k--) {
		other = random_below(r, k + 1);
		priority = r->priority[k];
		r->priority[k] = r->priority[other];
		r->priority[other] = priority;
	}
}

static bool is_seldom(struct action a)
{
	return a.actor >= ACTOR_EVICT ||
	       (a.actor >= ACTOR_DEADLINE && a.actor < ACTOR_DEVICE);
}

/* One of the seldom actions; NULL if there are none. */
static const struct action *pick_seldom(struct random_run *r)
{
	const struct walk *w = &r->walk;
	const struct action *picked = NULL;
	uint32_t seen = 0;
	uint32_t k;

	for (k = 0; k < w->nactions; k++) {
		if (is_seldom(w->actions[k]) && !random_below(r, ++seen))
			picked = &w->actions[k];
	}
	return picked;
}

static uint8_t first_by_priority(const struct random_run *r)
{
	const struct walk *w = &r->walk;
	uint8_t best = ACTORS;
	uint32_t k;

	for (k = 0; k < w->nactions; k++) {
		if (!is_seldom(w->actions[k]) &&
		    (best == ACTORS ||
		     r->priority[w->actions[k].actor] > r->priority[best]))
			best = w->actions[k].actor;
	}
	return best;
}

/* One of the results that an actor's step can have. */
static const struct action *pick_way(struct random_run *r, uint8_t actor)
{
	const struct walk *w = &r->walk;
	const struct action *picked = NULL;
	uint32_t seen = 0;
	uint32_t k;

	for (k = 0; k < w->nactions; k++) {
		if (w->actions[k].actor == actor && !random_below(r, ++seen))
			picked = &w->actions[k];
	}
	return picked;
}

static bool is_change(const struct random_run *r)
{
	uint32_t k;

	for (k = 0; k < CHANGES; k++) {
		if (r->change[k] == r->walk.nsteps)
			return true;
	}
	return false;
}

static struct action pick(struct random_run *r)
{
	const struct action *seldom = pick_seldom(r);
	uint8_t first = first_by_priority(r);

	if (seldom && (first == ACTORS || !random_below(r, SELDOM)))
		return *seldom;
	/* An actor that goes back to an earlier state waits for others. */
	if (r->walk.revisited || is_change(r)) {
		r->priority[first] = --r->lowest;
		first = first_by_priority(r);
	}
	return *pick_way(r, first);
}

static int make_run(struct random_run *r, uint64_t seed, uint32_t nsteps)
{
	uint32_t k;

	r->state = seed;
	r->lowest = 0;
	shuffle_priorities(r);
	for (k = 0; k < CHANGES; k++)
		r->change[k] = random_below(r, nsteps);
	if (walk_begin(&r->walk))
		return -1;
	while (r->walk.nactions) {
		if (walk_step(&r->walk, pick(r)))
			return -1;
	}
	return 0;
}

/* Counts the steps of one run, as an estimate for all. */
static int count_steps(const struct run_setup *setup, uint32_t *nsteps)
{
	const struct schedule none = { 0 };
	struct replayed replayed;
	int err;

	run_begin(setup->scenario, setup->scheme, &setup->config);
	err = replay(&none, &replayed);
	*nsteps = replayed.nsteps + 1;
	free(replayed.steps);
	return err;
}

static bool limit_reached(const struct random_limits *limits,
			  struct random_result *result)
{
	struct timespec t;

	if (limits->until) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		result->timed_out = (uint64_t)t.tv_sec * 1000000000u +
					    (uint64_t)t.tv_nsec >=
				    limits->until;
	}
	result->stopped = limits->report(result->runs, result->transitions);
	return result->timed_out || result->stopped;
}

int explore_random(const struct run_setup *setup,
		   const struct random_limits *limits,
		   struct random_result *result)
{
	struct random_run r;
	uint32_t nsteps;
	int err;

	memset(result, 0, sizeof(*result));
	if (count_steps(setup, &nsteps))
		return -1;
	while (result->runs < limits->runs && !limit_reached(limits, result)) {
		result->seed = limits->seed + result->runs;
		run_begin(setup->scenario, setup->scheme, &setup->config);
		err = make_run(&r, result->seed, nsteps);
		result->runs++;
		result->transitions += r.walk.nsteps;
		result->found.broken = r.walk.broken;
		result->found.steps = r.walk.steps;
		result->found.nsteps = r.walk.nsteps;
		walk_end(&r.walk);
		if (err || r.walk.broken.invariant)
			return err;
		free(r.walk.steps);
		result->found.steps = NULL;
	}
	return 0;
}
