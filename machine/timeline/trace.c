// SPDX-License-Identifier: MIT
/*
 * trace.c - a timeline as trace events in JSON.
 *
 * Tasks, interrupts and devices are threads of one process, and each cache is a
 * process whose threads are its lines.  A step takes a millisecond.  Its events
 * are at different times within it, because viewers nest a track's slices by
 * time alone.
 */
#include "timeline_priv.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define STEP 1000 /* in microseconds, the unit of the format */

struct trace {
	const struct timeline *t;
	const struct nest *nest;
	json_int_t *at; /* the time of each event, and of the end */
	json_t *list;
	int err;
};

static int pid_of(const struct trace *x, uint32_t lane)
{
	return x->t->lanes[lane].kind == LANE_CACHE ? (int)lane + 2 : 1;
}

static int tid_of(uint32_t lane)
{
	return (int)lane + 1;
}

static int row_tid(const struct trace *x, uint32_t row)
{
	return (int)(x->t->nlanes + row + 1);
}

/* Takes ownership of the event; NULL is an error. */
static void add(struct trace *x, json_t *event)
{
	if (json_array_append_new(x->list, event))
		x->err = -1;
}

/* @what: "process" or "thread" */
static void add_name(struct trace *x, const char *what, int pid, int tid,
		     const char *name)
{
	add(x, json_pack("{s:o, s:s, s:i, s:i, s:{s:s}}", "name",
			 json_sprintf("%s_name", what), "ph", "M", "pid", pid,
			 "tid", tid, "args", "name", name));
	add(x, json_pack("{s:o, s:s, s:i, s:i, s:{s:i}}", "name",
			 json_sprintf("%s_sort_index", what), "ph", "M", "pid",
			 pid, "tid", tid, "args", "sort_index", tid));
}

static void add_names(struct trace *x)
{
	const struct timeline *t = x->t;
	const char *name;
	char text[LANE_TEXT];
	uint32_t i;

	add_name(x, "process", 1, 0, t->title);
	for (i = 0; i < t->nlanes; i++) {
		name = lane_text(&t->lanes[i], text);
		add_name(x, "thread", pid_of(x, i), tid_of(i), name);
		if (t->lanes[i].kind == LANE_CACHE)
			add_name(x, "process", pid_of(x, i), 0, name);
	}
	for (i = 0; i < t->nrows; i++)
		add_name(x, "thread", pid_of(x, t->rows[i].lane), row_tid(x, i),
			 t->rows[i].name);
}

/* The events of a step share its time evenly. */
static void set_times(struct trace *x)
{
	struct moment m = { 0 };
	uint32_t i;

	while (timeline_next(x->t, &m))
		for (i = 0; i < m.nevents; i++)
			x->at[m.event + i] = (json_int_t)m.time * STEP +
					     (json_int_t)i * STEP / m.nevents;
	x->at[x->t->nevents] = (json_int_t)x->t->end * STEP;
}

static void add_begin(struct trace *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];

	add(x, json_pack("{s:s, s:s, s:I, s:i, s:i}", "name", e->text, "ph",
			 "B", "ts", x->at[i], "pid", pid_of(x, e->lane), "tid",
			 tid_of(e->lane)));
}

/* Event @i ends a span, or, if it is the end of the run, nothing does. */
static void add_end(struct trace *x, uint32_t i, uint32_t lane,
		    const char *text)
{
	add(x, json_pack("{s:s, s:I, s:i, s:i, s:{s:s}}", "ph", "E", "ts",
			 x->at[i], "pid", pid_of(x, lane), "tid", tid_of(lane),
			 "args", "end", text));
}

static void add_ends(struct trace *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];
	uint32_t n;

	for (n = 0; n < x->nest[i].nended; n++)
		add_end(x, i, e->lane, e->text);
}

static void add_unended(struct trace *x)
{
	const struct timeline *t = x->t;
	uint32_t i;

	for (i = 0; i < t->nevents; i++)
		if (begins_span(t->events[i].kind) &&
		    x->nest[i].end == NO_EVENT)
			add_end(x, t->nevents, t->events[i].lane, "never ends");
}

/* A slice, not an instant, because viewers show its text. */
static void add_note(struct trace *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];

	add(x,
	    json_pack("{s:s, s:s, s:I, s:I, s:i, s:i}", "name", e->text, "ph",
		      "X", "ts", x->at[i], "dur", x->at[i + 1] - x->at[i],
		      "pid", pid_of(x, e->lane), "tid", tid_of(e->lane)));
}

static void add_mark(struct trace *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];

	add(x, json_pack("{s:s, s:s, s:s, s:I, s:i, s:i}", "name", e->text,
			 "ph", "i", "s", "g", "ts", x->at[i], "pid",
			 pid_of(x, e->lane), "tid", tid_of(e->lane)));
}

static void add_event(struct trace *x, uint32_t i)
{
	const enum event_kind kind = x->t->events[i].kind;

	if (begins_span(kind))
		add_begin(x, i);
	else if (ends_span(kind))
		add_ends(x, i);
	else if (kind == EVENT_NOTE)
		add_note(x, i);
	else
		add_mark(x, i);
}

/* The time at which the line of change @i changes again. */
static json_int_t next_change(const struct timeline *t, uint32_t i)
{
	const uint32_t row = t->changes[i].row;

	for (i++; i < t->nchanges; i++)
		if (t->changes[i].row == row)
			return (json_int_t)t->changes[i].time * STEP;
	return (json_int_t)t->end * STEP;
}

static void add_change(struct trace *x, uint32_t i)
{
	const struct line_change *c = &x->t->changes[i];
	const json_int_t at = (json_int_t)c->time * STEP;
	const json_int_t duration = next_change(x->t, i) - at;
	char text[CHANGE_TEXT];

	if (c->state == LINE_ABSENT || !duration)
		return;
	add(x, json_pack("{s:s, s:s, s:I, s:I, s:i, s:i}", "name",
			 change_text(c, text), "ph", "X", "ts", at, "dur",
			 duration, "pid", pid_of(x, x->t->rows[c->row].lane),
			 "tid", row_tid(x, c->row)));
}

static json_t *make_trace(struct trace *x)
{
	const struct timeline *t = x->t;
	uint32_t i;

	set_times(x);
	add_names(x);
	for (i = 0; i < t->nevents; i++)
		add_event(x, i);
	add_unended(x);
	for (i = 0; i < t->nchanges; i++)
		add_change(x, i);
	if (x->err)
		return NULL;
	return json_pack("{s:O, s:s, s:{s:s, s:s}}", "traceEvents", x->list,
			 "displayTimeUnit", "ms", "otherData", "title",
			 t->title, "verdict", t->verdict);
}

static int write_json(const char *data, size_t bytes, void *out)
{
	return timeline_file_write(out, data, bytes);
}

static int write_trace(const json_t *trace, FILE *file)
{
	struct timeline_file out = { .file = file };

	if (json_dump_callback(trace, write_json, &out, JSON_COMPACT) &&
	    !out.err)
		out.err = ENOMEM;
	return timeline_file_end(&out);
}

int timeline_trace(const struct timeline *t, FILE *out)
{
	struct nest *nest = timeline_nest(t);
	struct trace x = { .t = t, .nest = nest, .list = json_array() };
	json_t *trace = NULL;
	int err = -1;

	x.at = calloc(t->nevents + 1, sizeof(*x.at));
	if (nest && x.at)
		trace = make_trace(&x);
	if (trace)
		err = write_trace(trace, out);
	else
		errno = ENOMEM;
	json_decref(trace);
	json_decref(x.list);
	free(x.at);
	free(nest);
	return err;
}
