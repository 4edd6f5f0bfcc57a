// SPDX-License-Identifier: MIT
/*
 * common.c - what the writers of a timeline share.
 */
#include "timeline_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static enum event_kind beginning_of(enum event_kind end)
{
	switch (end) {
	case EVENT_END:
		return EVENT_BEGIN;
	case EVENT_GO_ON:
		return EVENT_BLOCK;
	default:
		return EVENT_ENTER;
	}
}

/* Event @i ends a span.  Returns the innermost span that is still open. */
static uint32_t end_span(const struct timeline *t, struct nest *nest,
			 uint32_t i, uint32_t innermost)
{
	const enum event_kind kind = beginning_of(t->events[i].kind);
	uint32_t begin = innermost;
	uint32_t span;

	while (begin != NO_EVENT && t->events[begin].kind != kind)
		begin = nest[begin].within;
	if (begin == NO_EVENT)
		return innermost;
	for (span = innermost; span != nest[begin].within;
	     span = nest[span].within) {
		nest[span].end = i;
		nest[i].nended++;
	}
	return nest[begin].within;
}

static void nest_event(const struct timeline *t, struct nest *nest, uint32_t i,
		       uint32_t *innermost)
{
	const enum event_kind kind = t->events[i].kind;

	if (ends_span(kind))
		*innermost = end_span(t, nest, i, *innermost);
	nest[i].within = *innermost;
	nest[i].end = NO_EVENT;
	if (*innermost != NO_EVENT)
		nest[i].depth = nest[*innermost].depth + 1;
	if (begins_span(kind))
		*innermost = i;
}

struct nest *timeline_nest(const struct timeline *t)
{
	uint32_t *innermost = malloc((t->nlanes + 1) * sizeof(*innermost));
	struct nest *nest = calloc(t->nevents + 1, sizeof(*nest));
	uint32_t i;

	if (!innermost || !nest) {
		free(innermost);
		free(nest);
		return NULL;
	}
	for (i = 0; i < t->nlanes; i++)
		innermost[i] = NO_EVENT;
	for (i = 0; i < t->nevents; i++)
		nest_event(t, nest, i, &innermost[t->events[i].lane]);
	free(innermost);
	return nest;
}

bool timeline_next(const struct timeline *t, struct moment *m)
{
	m->event += m->nevents;
	m->change += m->nchanges;
	m->nevents = 0;
	m->nchanges = 0;
	m->time = UINT32_MAX;
	if (m->event < t->nevents)
		m->time = t->events[m->event].time;
	if (m->change < t->nchanges && t->changes[m->change].time < m->time)
		m->time = t->changes[m->change].time;
	while (m->event + m->nevents < t->nevents &&
	       t->events[m->event + m->nevents].time == m->time)
		m->nevents++;
	while (m->change + m->nchanges < t->nchanges &&
	       t->changes[m->change + m->nchanges].time == m->time)
		m->nchanges++;
	return m->nevents || m->nchanges;
}

const char *lane_text(const struct lane *lane, char text[LANE_TEXT])
{
	if (lane->cpu < 0)
		snprintf(text, LANE_TEXT, "%s", lane->name);
	else
		snprintf(text, LANE_TEXT, "%s (CPU %d)", lane->name, lane->cpu);
	return text;
}

const char *state_text(enum line_state state)
{
	static const char *const texts[] = {
		[LINE_ABSENT] = "not cached",
		[LINE_CLEAN] = "clean",
		[LINE_DIRTY] = "dirty",
		[LINE_STALE] = "stale",
		[LINE_BAD] = "dirty and outdated",
	};

	return texts[state];
}

const char *change_text(const struct line_change *c, char text[CHANGE_TEXT])
{
	snprintf(text, CHANGE_TEXT, "%s%s%s", state_text(c->state),
		 c->text[0] ? ", " : "", c->text);
	return text;
}

size_t wrap_text(const char *text, fits_fn *fits, const void *arg)
{
	size_t bytes = 0;
	size_t next = strcspn(text, " ");

	while (next > bytes && fits(arg, text, next)) {
		bytes = next;
		next += strspn(text + next, " ");
		next += strcspn(text + next, " ");
	}
	if (bytes || !text[0])
		return bytes;
	do
		bytes++;
	while (bytes < next && fits(arg, text, bytes + 1));
	return bytes;
}

const char *wrap_rest(const char *text, size_t bytes)
{
	return text + bytes + strspn(text + bytes, " ");
}

int timeline_file_write(struct timeline_file *out, const void *data,
			size_t bytes)
{
	if (fwrite(data, 1, bytes, out->file) == bytes)
		return 0;
	if (!out->err)
		out->err = errno;
	return -1;
}

int timeline_file_end(struct timeline_file *out)
{
	if (fflush(out->file) && !out->err)
		out->err = errno;
	if (!out->err)
		return 0;
	errno = out->err;
	return -1;
}
