// SPDX-License-Identifier: MIT
#include "replay.h"

#include "config.h"
#include "machine/model/model.h"
#include "machine/scenarios/scenario.h"
#include "walk.h"

#include <stdlib.h>

static bool works_on_line(struct action a)
{
	return a.actor < ACTOR_INTERRUPT &&
	       m.hw.context[a.actor].op.kind == OP_LINE;
}

/* "lines" and "end" stop at an earlier state, or they could go on for ever. */
static int run_segment(struct walk *w, const struct segment *s)
{
	uint32_t done = 0;

	while (walk_can(w, s->action)) {
		if (s->kind != SEGMENT_END && done == s->n)
			break;
		if (s->kind == SEGMENT_STEPS || works_on_line(s->action))
			done++;
		if (walk_step(w, s->action))
			return -1;
		if (s->kind != SEGMENT_STEPS && w->revisited)
			break;
	}
	return 0;
}

/* The lowest comes first. */
static uint32_t rank(const struct walk *w, struct action a)
{
	const uint32_t after = (uint32_t)ACTORS + a.actor - w->last;

	if (w->revisited)
		return w->last_step[a.actor];
	if (a.actor == w->last)
		return 0;
	if (a.actor >= ACTOR_INTERRUPT && a.actor < ACTOR_DEADLINE)
		return 1;
	if (a.actor == ACTOR_DEVICE)
		return 2;
	if (a.actor < ACTOR_INTERRUPT)
		return 3 + after % ACTOR_INTERRUPT;
	return 3 + ACTOR_INTERRUPT;
}

static struct action next_by_rule(const struct walk *w)
{
	const struct action *best = NULL;
	const struct action *a;

	for (a = w->actions; a < w->actions + w->nactions; a++) {
		if (a->choice || a->actor >= ACTOR_EVICT)
			continue;
		if (!best || rank(w, *a) < rank(w, *best))
			best = a;
	}
	return *best;
}

static int run(struct walk *w, const struct schedule *schedule)
{
	uint32_t k;

	if (walk_begin(w))
		return -1;
	for (k = 0; k < schedule->nsegments; k++) {
		if (run_segment(w, &schedule->segments[k]))
			return -1;
	}
	while (w->nactions) {
		if (walk_step(w, next_by_rule(w)))
			return -1;
	}
	return 0;
}

int replay(const struct schedule *schedule, struct replayed *replayed)
{
	struct walk w;
	const int err = run(&w, schedule);

	replayed->steps = w.steps;
	replayed->nsteps = w.nsteps;
	replayed->broken = w.broken;
	walk_end(&w);
	return err;
}

static void describe(const struct run_setup *setup, const struct broken *broken,
		     struct timeline *t)
{
	char text[CONFIG_TEXT];

	snprintf(t->title, sizeof(t->title), "%s, %s: %s",
		 setup->scenario->name, setup->scheme->name,
		 config_text(&setup->config, text));
	t->broken = broken->invariant != 0;
	if (!t->broken)
		snprintf(t->verdict, sizeof(t->verdict), "clean");
	else
		snprintf(t->verdict, sizeof(t->verdict), "%s (I%d): %.64s",
			 verdict_name(broken->verdict), broken->invariant,
			 broken->text);
}

int replay_show(const struct run_setup *setup, const struct replayed *replayed,
		struct timeline *timeline)
{
	const struct broken *b = &replayed->broken;
	bool whole = true;
	uint32_t k;

	log_open(timeline);
	describe(setup, b, timeline);
	run_begin(setup->scenario, setup->scheme, &setup->config);
	log_after_step();
	for (k = 0; k < replayed->nsteps; k++) {
		log_before_step(replayed->steps[k]);
		whole = run_step(replayed->steps[k]);
		log_after_step();
	}
	log_end();
	if (b->verdict == VERDICT_LIVELOCK)
		broken(b->invariant, b->verdict, "%s", b->text);
	else if (whole)
		run_end();
	return log_close();
}

void replay_free_timeline(struct timeline *timeline)
{
	free(timeline->lanes);
	free(timeline->rows);
	free(timeline->events);
	free(timeline->changes);
}

const char *verdict_text(const struct broken *broken, char text[VERDICT_TEXT])
{
	if (!broken->invariant)
		return "clean";
	snprintf(text, VERDICT_TEXT, "%s (I%d)%s%s",
		 verdict_name(broken->verdict), broken->invariant,
		 broken->verdict == VERDICT_BROKEN ? ": " : "",
		 broken->verdict == VERDICT_BROKEN ? broken->text : "");
	return text;
}
