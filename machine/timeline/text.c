// SPDX-License-Identifier: MIT
/*
 * text.c - a timeline as a list: the step, who makes it, and what happens.
 *
 * Events in a call, in an interrupt or while a context is blocked are indented.
 * An arrow shows what becomes of a cache line; asterisks mark the loss and its
 * cause.
 */
#include "timeline_priv.h"

#include <stdlib.h>
#include <string.h>

#define GAP	   2  /* between columns */
#define INDENT	   2  /* for each span, and for continuation lines */
#define LEAST_ROOM 24 /* for what happens, however narrow the list is */
#define MAX_LINE   512
#define ROW_TEXT   (LANE_TEXT + CHANGE_TEXT + 32)

struct text {
	const struct timeline *t;
	const struct nest *nest;
	int width; /* of a line */
	int step_width;
	int who_width;
	int room;      /* for what happens */
	char step[16]; /* the step's number, or empty once it is printed */
	uint32_t who;  /* the lane whose name was printed last */
	uint32_t ncaches;
	FILE *out;
};

static bool fits_room(const void *arg, const char *text, size_t bytes)
{
	const int *room = arg;

	(void)text;
	return (int)bytes <= *room;
}

static void put_line(const struct text *x, const char *step, const char *who,
		     int indent, const char *text, size_t bytes)
{
	char line[MAX_LINE];
	size_t end;

	snprintf(line, sizeof(line), "%*s%*s%-*s%*s%.*s", x->step_width, step,
		 GAP, "", x->who_width, who, GAP + indent, "", (int)bytes,
		 text);
	for (end = strlen(line); end && line[end - 1] == ' ';)
		end--;
	fprintf(x->out, "%.*s\n", (int)end, line);
}

/* @rest is the indentation of all lines except the first. */
static void put(const struct text *x, const char *step, const char *who,
		int indent, int rest, const char *text)
{
	int room = x->room - indent;
	size_t bytes = wrap_text(text, fits_room, &room);

	put_line(x, step, who, indent, text, bytes);
	room = x->room - rest;
	for (text = wrap_rest(text, bytes); *text;
	     text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, fits_room, &room);
		put_line(x, "", "", rest, text, bytes);
	}
}

/* The lane's name, or "" if the line before is about the same lane. */
static const char *name_if_new(struct text *x, uint32_t lane,
			       char name[LANE_TEXT])
{
	if (lane == x->who)
		return "";
	x->who = lane;
	return lane_text(&x->t->lanes[lane], name);
}

/* The event that ends a span is indented like the events in it. */
static int indent_of(const struct text *x, uint32_t event)
{
	const struct nest *n = &x->nest[event];

	return INDENT * ((int)n->depth + (n->nended ? 1 : 0));
}

/* Prints the step as well, if this is its first line. */
static void put_said(struct text *x, uint32_t lane, int indent, int rest,
		     const char *text)
{
	char name[LANE_TEXT];

	put(x, x->step, name_if_new(x, lane, name), indent, rest, text);
	x->step[0] = '\0';
}

static void put_event(struct text *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];
	const bool opens = e->kind == EVENT_BEGIN || e->kind == EVENT_ENTER;
	const int indent = indent_of(x, i);
	char text[sizeof(e->text) + 1];

	snprintf(text, sizeof(text), "%s%s", e->text, opens ? ":" : "");
	put_said(x, e->lane, indent, indent + 2 * INDENT, text);
}

/* @indent: of the event that changed the line; negative if there is none. */
static void put_change(struct text *x, const struct line_change *c, int indent)
{
	const struct row *row = &x->t->rows[c->row];
	const char *arrow = indent < 0 ? "" : "-> ";
	char text[ROW_TEXT];
	char change[CHANGE_TEXT];
	char name[LANE_TEXT] = "";

	if (x->ncaches > 1)
		lane_text(&x->t->lanes[row->lane], name);
	snprintf(text, sizeof(text), "%s%s%s%s: %s", arrow, name,
		 name[0] ? ", " : "", row->name, change_text(c, change));
	if (indent < 0)
		put_said(x, row->lane, 0, INDENT, text);
	else
		put(x, "", "", indent, indent + (int)strlen(arrow), text);
}

static void put_mark(struct text *x, const struct event *e)
{
	char name[LANE_TEXT];

	put(x, "***", name_if_new(x, e->lane, name), 0, INDENT, e->text);
}

static void put_moment(struct text *x, const struct moment *m)
{
	const struct event *events = x->t->events;
	int indent = -1;
	uint32_t i;

	snprintf(x->step, sizeof(x->step), "%u", m->time);
	for (i = m->event; i < m->event + m->nevents; i++) {
		if (is_mark(events[i].kind))
			continue;
		put_event(x, i);
		indent = indent_of(x, i) + INDENT;
	}
	for (i = m->change; i < m->change + m->nchanges; i++)
		put_change(x, &x->t->changes[i], indent);
	for (i = m->event; i < m->event + m->nevents; i++)
		if (is_mark(events[i].kind))
			put_mark(x, &events[i]);
}

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

static void put_rule(const struct text *x, int width)
{
	while (width--)
		fputc('-', x->out);
}

static void put_head(const struct text *x)
{
	static const char what[] =
		"what happens; ->: what a cache line is then";
	const char *title = x->t->title;
	size_t bytes;

	for (; *title; title = wrap_rest(title, bytes)) {
		bytes = wrap_text(title, fits_room, &x->width);
		fprintf(x->out, "%.*s\n", (int)bytes, title);
	}
	fputc('\n', x->out);
	put(x, "step", "who", 0, 0, what);
	put_rule(x, x->step_width);
	fprintf(x->out, "%*s", GAP, "");
	put_rule(x, x->who_width);
	fprintf(x->out, "%*s", GAP, "");
	put_rule(x, min((int)strlen(what), x->room));
	fputc('\n', x->out);
}

static void measure(struct text *x)
{
	const struct timeline *t = x->t;
	char name[LANE_TEXT];
	uint32_t i;

	x->step_width =
		max((int)strlen("step"), snprintf(NULL, 0, "%u", t->end));
	x->who_width = (int)strlen("who");
	for (i = 0; i < t->nlanes; i++) {
		x->who_width = max(x->who_width,
				   (int)strlen(lane_text(&t->lanes[i], name)));
		if (t->lanes[i].kind == LANE_CACHE)
			x->ncaches++;
	}
	x->room = max(LEAST_ROOM,
		      x->width - x->step_width - x->who_width - 2 * GAP);
}

int timeline_print(const struct timeline *t, int width, FILE *out)
{
	struct nest *nest = timeline_nest(t);
	struct text x = { .t = t,
			  .nest = nest,
			  .width = width,
			  .who = t->nlanes,
			  .out = out };
	struct moment m = { 0 };

	if (!nest)
		return -1;
	measure(&x);
	put_head(&x);
	while (timeline_next(t, &m))
		put_moment(&x, &m);
	free(nest);
	return fflush(out) || ferror(out) ? -1 : 0;
}
