// SPDX-License-Identifier: MIT
/*
 * timeline_text.c - a timeline as columns of text.
 *
 * A call is a bracket at the left of its lane's column, drawn with - and |; an
 * interrupt is one drawn with = and #, a blocked stretch one with - and :.
 */
#include "timeline_priv.h"

#include <stdlib.h>
#include <string.h>

#define GAP	       2 /* between columns */
#define INDENT	       2 /* by a span */
#define WIDTH_PER_LANE 28
#define LONG_WORD      16 /* may be broken where there is no room */
#define MIN_WIDTH      100
#define MAX_WIDTH      160

struct column {
	int width;
	int least;     /* of the longest word */
	uint32_t span; /* the event that began the innermost one; NO_EVENT */
	FILE *text;    /* what there is to say at this time, in lines */
	char *lines;   /* the same, once text is closed ... */
	size_t bytes;
	const char *at; /* ... and what of it is still to be printed */
};

struct text {
	const struct timeline *t;
	const struct nest *nest;
	struct column *columns;
	int time_width;
	int width; /* in all */
	FILE *out;
};

static bool fits_columns(const void *arg, const char *text, size_t bytes)
{
	const int *columns = arg;

	(void)text;
	return (int)bytes <= *columns;
}

static bool is_first_word(const void *arg, const char *text, size_t bytes)
{
	(void)arg;
	return !memchr(text, ' ', bytes);
}

static int least_room(const char *text)
{
	size_t longest = 0;
	size_t bytes;

	for (; *text; text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, is_first_word, NULL);
		if (bytes > longest)
			longest = bytes;
	}
	return longest < LONG_WORD ? (int)longest : LONG_WORD;
}

static void make_room(struct column *c, const char *text, int indent)
{
	const int width = (int)strlen(text) + indent;
	const int least = least_room(text) + indent;

	if (width > c->width)
		c->width = width;
	if (least > c->least)
		c->least = least;
}

/* Brackets, and what the lines of a text after the first are indented by. */
static int indent_of(const struct text *x, uint32_t event)
{
	const bool note = x->t->events[event].kind == EVENT_NOTE;

	return INDENT * ((int)x->nest[event].depth + (note ? 1 : 2));
}

static const char *row_text(const struct text *x, const struct line_change *c,
			    char text[CHANGE_TEXT])
{
	char change[CHANGE_TEXT];

	snprintf(text, CHANGE_TEXT, "%s: %s", x->t->rows[c->row].name,
		 change_text(c, change));
	return text;
}

static int total_width(const struct text *x)
{
	int total = x->time_width;
	uint32_t i;

	for (i = 0; i < x->t->nlanes; i++)
		total += GAP + x->columns[i].width;
	return total;
}

static struct column *widest(const struct text *x)
{
	struct column *found = NULL;
	struct column *c;

	for (c = x->columns; c < x->columns + x->t->nlanes; c++)
		if (c->width > c->least && (!found || c->width > found->width))
			found = c;
	return found;
}

/* As wide as their texts, but for the widest, whose texts are wrapped. */
static void set_widths(struct text *x)
{
	int limit = WIDTH_PER_LANE * (int)x->t->nlanes;
	struct column *c;

	if (limit < MIN_WIDTH)
		limit = MIN_WIDTH;
	if (limit > MAX_WIDTH)
		limit = MAX_WIDTH;
	while (total_width(x) > limit && (c = widest(x)))
		c->width--;
	x->width = total_width(x);
}

static void measure(struct text *x)
{
	const struct timeline *t = x->t;
	char text[CHANGE_TEXT];
	char name[LANE_TEXT];
	uint32_t i;

	for (i = 0; i < t->nlanes; i++)
		make_room(&x->columns[i], lane_text(&t->lanes[i], name), 0);
	for (i = 0; i < t->nevents; i++)
		if (t->events[i].kind != EVENT_BROKEN)
			make_room(&x->columns[t->events[i].lane],
				  t->events[i].text, indent_of(x, i));
	for (i = 0; i < t->nchanges; i++)
		make_room(&x->columns[t->rows[t->changes[i].row].lane],
			  row_text(x, &t->changes[i], text), INDENT);
	x->time_width = snprintf(NULL, 0, "%u", t->end);
	if (x->time_width < (int)strlen("step"))
		x->time_width = (int)strlen("step");
	set_widths(x);
}

static char bar_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_BLOCK:
	case EVENT_GO_ON:
		return ':';
	case EVENT_ENTER:
	case EVENT_LEAVE:
		return '#';
	default:
		return '|';
	}
}

/* Those of a span and of all around it; returns their width. */
static int put_bars(const struct text *x, uint32_t span, FILE *to)
{
	int width;

	if (span == NO_EVENT)
		return 0;
	width = put_bars(x, x->nest[span].within, to);
	return width + fprintf(to, "%*c", width ? INDENT : 1,
			       bar_of(x->t->events[span].kind));
}

/* What stands before the text of an event. */
static const char *mark_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_BEGIN:
	case EVENT_BLOCK:
		return ".-";
	case EVENT_ENTER:
		return ".=";
	case EVENT_END:
	case EVENT_GO_ON:
		return "'-";
	case EVENT_LEAVE:
		return "'=";
	default:
		return "";
	}
}

/* A line of an event's text, with all that stands before it. */
static void put_event_line(struct text *x, uint32_t i, const char *text,
			   int bytes, bool first)
{
	const struct event *e = &x->t->events[i];
	const char *mark = mark_of(e->kind);
	struct column *c = &x->columns[e->lane];

	if (put_bars(x, first ? x->nest[i].within : c->span, c->text))
		fputc(' ', c->text);
	fprintf(c->text, "%s%s%.*s\n", first ? mark : "  ",
		first && mark[0] && bytes ? " " : "", bytes, text);
}

static void put_event(struct text *x, uint32_t i)
{
	const struct event *e = &x->t->events[i];
	struct column *c = &x->columns[e->lane];
	const int room = c->width - indent_of(x, i);
	const char *text = e->text;
	size_t bytes = wrap_text(text, fits_columns, &room);

	c->span = begins_span(e->kind) ? i : x->nest[i].within;
	put_event_line(x, i, text, (int)bytes, true);
	for (text = wrap_rest(text, bytes); *text;
	     text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, fits_columns, &room);
		put_event_line(x, i, text, (int)bytes, false);
	}
}

static void put_change(struct text *x, const struct line_change *change)
{
	struct column *c = &x->columns[x->t->rows[change->row].lane];
	const int room = c->width - INDENT;
	const char *indent = "";
	char row[CHANGE_TEXT];
	const char *text;
	size_t bytes;

	for (text = row_text(x, change, row); *text;
	     text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, fits_columns, &room);
		fprintf(c->text, "%s%.*s\n", indent, (int)bytes, text);
		indent = "  ";
	}
}

static int open_columns(struct text *x)
{
	struct column *c;

	for (c = x->columns; c < x->columns + x->t->nlanes; c++) {
		free(c->lines);
		c->lines = NULL;
		c->text = open_memstream(&c->lines, &c->bytes);
		if (!c->text)
			return -1;
	}
	return 0;
}

static int close_columns(struct text *x)
{
	struct column *c;
	int err = 0;

	for (c = x->columns; c < x->columns + x->t->nlanes; c++) {
		if (c->text && fclose(c->text))
			err = -1;
		c->text = NULL;
		c->at = c->lines;
	}
	return err;
}

static bool lines_left(const struct text *x)
{
	uint32_t i;

	for (i = 0; i < x->t->nlanes; i++)
		if (*x->columns[i].at)
			return true;
	return false;
}

/* The next line of a column, or what goes on in it; returns its width. */
static int put_cell(struct text *x, struct column *c)
{
	const int bytes = (int)strcspn(c->at, "\n");

	if (!*c->at)
		return put_bars(x, c->span, x->out);
	fprintf(x->out, "%.*s", bytes, c->at);
	c->at += bytes + 1;
	return bytes;
}

static bool has_text(const struct column *c)
{
	return *c->at || c->span != NO_EVENT;
}

/* Spaces only before what is not empty: lines end without any. */
static void put_line(struct text *x, const char *time)
{
	int pad = x->time_width - (int)strlen(time);
	struct column *c;

	fprintf(x->out, "%*s%s", pad, "", time);
	pad = GAP;
	for (c = x->columns; c < x->columns + x->t->nlanes; c++) {
		if (has_text(c)) {
			fprintf(x->out, "%*s", pad, "");
			pad = -put_cell(x, c);
		}
		pad += c->width + GAP;
	}
	fputc('\n', x->out);
}

static int put_lines(struct text *x, const char *time)
{
	if (close_columns(x))
		return -1;
	while (lines_left(x)) {
		put_line(x, time);
		time = "";
	}
	return 0;
}

/* Across all columns. */
static void put_broken(struct text *x, const struct event *e)
{
	const int room = x->width - 2 * (int)strlen("*** ");
	char text[sizeof(e->text) + LANE_TEXT];
	const char *at = text;
	size_t bytes;

	snprintf(text, sizeof(text), "step %u, %s: %s", e->time,
		 x->t->lanes[e->lane].name, e->text);
	for (; *at; at = wrap_rest(at, bytes)) {
		bytes = wrap_text(at, fits_columns, &room);
		fprintf(x->out, "*** %-*.*s ***\n", room, (int)bytes, at);
	}
}

static int put_moment(struct text *x, const struct moment *m)
{
	const struct event *events = x->t->events;
	char time[16];
	uint32_t i;

	if (open_columns(x))
		return -1;
	for (i = m->event; i < m->event + m->nevents; i++)
		if (events[i].kind != EVENT_BROKEN)
			put_event(x, i);
	for (i = m->change; i < m->change + m->nchanges; i++)
		put_change(x, &x->t->changes[i]);
	snprintf(time, sizeof(time), "%u", m->time);
	if (put_lines(x, time))
		return -1;
	for (i = m->event; i < m->event + m->nevents; i++)
		if (events[i].kind == EVENT_BROKEN)
			put_broken(x, &events[i]);
	return 0;
}

static void put_rule(struct text *x)
{
	int width = x->time_width;
	uint32_t i;

	for (i = 0; i <= x->t->nlanes; i++) {
		while (width--)
			fputc('-', x->out);
		if (i == x->t->nlanes)
			break;
		fprintf(x->out, "%*s", GAP, "");
		width = x->columns[i].width;
	}
	fputc('\n', x->out);
}

static int put_head(struct text *x)
{
	char name[LANE_TEXT];
	struct column *c;
	const char *at;
	size_t bytes;
	uint32_t i;

	if (open_columns(x))
		return -1;
	for (i = 0; i < x->t->nlanes; i++) {
		c = &x->columns[i];
		for (at = lane_text(&x->t->lanes[i], name); *at;
		     at = wrap_rest(at, bytes)) {
			bytes = wrap_text(at, fits_columns, &c->width);
			fprintf(c->text, "%.*s\n", (int)bytes, at);
		}
	}
	fprintf(x->out, "%s\n\n", x->t->title);
	if (put_lines(x, "step"))
		return -1;
	put_rule(x);
	return 0;
}

static int put_all(struct text *x)
{
	struct moment m = { 0 };

	measure(x);
	if (put_head(x))
		return -1;
	while (timeline_next(x->t, &m))
		if (put_moment(x, &m))
			return -1;
	return fflush(x->out) || ferror(x->out) ? -1 : 0;
}

int timeline_print(const struct timeline *t, FILE *out)
{
	struct nest *nest = timeline_nest(t);
	struct text x = { .t = t, .nest = nest, .out = out };
	int err = -1;
	uint32_t i;

	x.columns = calloc(t->nlanes + 1, sizeof(*x.columns));
	if (nest && x.columns) {
		for (i = 0; i < t->nlanes; i++)
			x.columns[i].span = NO_EVENT;
		err = put_all(&x);
		close_columns(&x);
		for (i = 0; i < t->nlanes; i++)
			free(x.columns[i].lines);
	}
	free(x.columns);
	free(nest);
	return err;
}
