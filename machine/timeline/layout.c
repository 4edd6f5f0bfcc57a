// SPDX-License-Identifier: MIT
/*
 * layout.c - where things are in the picture of a timeline.
 */
#include "layout.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TEXT    196 /* a lane's text is wrapped to this width */
#define MIN_TEXT    64
#define MAX_ROW	    92
#define MIN_ROW	    52
#define ROW_PAD	    4
#define MIN_CHANGE  12
#define TEXT_PAD    9 /* from a lane's edge, or a box's, to its text */
#define INSET	    6
#define INSET_RIGHT 3
#define MAX_INSETS  8 /* deeper spans are not inset any further */
#define EVENT_PAD   4 /* below an event's text */
#define BOX_PAD	    4 /* above the first text of a box, and below its last */
#define MOMENT_PAD  3
#define MIN_MOMENT  14 /* room for the number of the step */
#define PAUSE	    8  /* stands for steps in which nothing happens */

struct fit {
	cairo_t *cr;
	double width;
};

void prepare_context(cairo_t *cr)
{
	cairo_font_options_t *options = cairo_font_options_create();

	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_set_font_options(cr, options);
	cairo_font_options_destroy(options);
}

void set_style(cairo_t *cr, enum style style)
{
	static const double sizes[] = {
		[STYLE_PLAIN] = 12,
		[STYLE_BOLD] = 12,
		[STYLE_SMALL] = 10.5,
		[STYLE_TITLE] = 17,
	};
	const bool bold = style == STYLE_BOLD || style == STYLE_TITLE;

	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       bold ? CAIRO_FONT_WEIGHT_BOLD :
				      CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, sizes[style]);
}

double line_height(enum style style)
{
	static const double heights[] = {
		[STYLE_PLAIN] = 15,
		[STYLE_BOLD] = 15,
		[STYLE_SMALL] = 13,
		[STYLE_TITLE] = 22,
	};

	return heights[style];
}

static double advance(cairo_t *cr, const char *text, size_t bytes)
{
	char part[sizeof(((struct timeline *)0)->title)];
	cairo_text_extents_t extents;

	snprintf(part, sizeof(part), "%.*s", (int)bytes, text);
	cairo_text_extents(cr, part, &extents);
	return extents.x_advance;
}

double text_width(cairo_t *cr, enum style style, const char *text)
{
	set_style(cr, style);
	return advance(cr, text, strlen(text));
}

static bool fits_width(const void *arg, const char *text, size_t bytes)
{
	const struct fit *fit = arg;

	return advance(fit->cr, text, bytes) <= fit->width;
}

static void show(cairo_t *cr, const char *text, size_t bytes)
{
	char part[sizeof(((struct timeline *)0)->title)];

	snprintf(part, sizeof(part), "%.*s", (int)bytes, text);
	cairo_show_text(cr, part);
}

double draw_text(cairo_t *cr, enum style style, const char *text, double x,
		 double y, double width)
{
	const struct fit fit = { .cr = cr, .width = width };
	const double height = line_height(style);
	double at = y;
	size_t bytes;

	set_style(cr, style);
	for (; *text; text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, fits_width, &fit);
		cairo_move_to(cr, x, at + 0.78 * height);
		show(cr, text, bytes);
		at += height;
	}
	return at - y;
}

double text_height(cairo_t *cr, enum style style, const char *text,
		   double width)
{
	const struct fit fit = { .cr = cr, .width = width };
	double height = 0;
	size_t bytes;

	set_style(cr, style);
	for (; *text; text = wrap_rest(text, bytes)) {
		bytes = wrap_text(text, fits_width, &fit);
		height += line_height(style);
	}
	return height;
}

static uint32_t insets(uint32_t depth)
{
	return depth < MAX_INSETS ? depth : MAX_INSETS;
}

double box_inset_left(uint32_t depth)
{
	return INSET * insets(depth);
}

double box_inset_right(uint32_t depth)
{
	return INSET_RIGHT * insets(depth);
}

uint32_t text_depth(const struct layout *l, uint32_t event)
{
	const enum event_kind kind = l->t->events[event].kind;

	return l->nest[event].depth + (begins_span(kind) || ends_span(kind));
}

double event_text_x(const struct layout *l, uint32_t event)
{
	return l->lanes[l->t->events[event].lane].x + TEXT_PAD +
	       box_inset_left(text_depth(l, event));
}

static double around_text(const struct layout *l, uint32_t event)
{
	const uint32_t depth = text_depth(l, event);

	return TEXT_PAD + box_inset_left(depth) + box_inset_right(depth) +
	       INSET_RIGHT;
}

double event_text_width(const struct layout *l, uint32_t event)
{
	return l->lanes[l->t->events[event].lane].text_width -
	       around_text(l, event);
}

static void widen(double *width, double wanted, double limit)
{
	if (wanted > limit)
		wanted = limit;
	if (wanted > *width)
		*width = wanted;
}

enum style event_style(const struct event *e)
{
	return begins_span(e->kind) ? STYLE_BOLD : STYLE_PLAIN;
}

/* A cache without events has no text. */
static void measure_texts(struct layout *l)
{
	const struct timeline *t = l->t;
	const struct event *e;
	double *width;
	uint32_t i;

	for (i = 0; i < t->nlanes; i++)
		if (t->lanes[i].kind != LANE_CACHE)
			l->lanes[i].text_width = MIN_TEXT;
	for (i = 0; i < t->nevents; i++) {
		e = &t->events[i];
		if (is_mark(e->kind))
			continue;
		width = &l->lanes[e->lane].text_width;
		widen(width,
		      text_width(l->cr, event_style(e), e->text) +
			      around_text(l, i) + 1,
		      MAX_TEXT);
	}
}

static void measure_rows(struct layout *l)
{
	const struct timeline *t = l->t;
	uint32_t i;

	l->row_width = MIN_ROW;
	for (i = 0; i < t->nchanges; i++)
		widen(&l->row_width,
		      text_width(l->cr, STYLE_SMALL, t->changes[i].text) +
			      2 * ROW_PAD,
		      MAX_ROW);
}

static void place_rows(struct layout *l, uint32_t lane)
{
	struct lane_place *place = &l->lanes[lane];
	uint32_t i;

	place->width = place->text_width;
	for (i = 0; i < l->t->nrows; i++) {
		if (l->t->rows[i].lane != lane)
			continue;
		l->row_x[i] = place->x + place->width;
		place->width += l->row_width + ROW_GAP;
	}
}

static void place_lanes(struct layout *l)
{
	double x = GUTTER;
	uint32_t i;

	measure_texts(l);
	measure_rows(l);
	for (i = 0; i < l->t->nlanes; i++) {
		l->lanes[i].x = x;
		place_rows(l, i);
		x += l->lanes[i].width + LANE_GAP;
	}
	l->width = x;
	if (l->width < GUTTER + LABEL_WIDTH)
		l->width = GUTTER + LABEL_WIDTH;
}

static double max(double a, double b)
{
	return a > b ? a : b;
}

/* The lanes' names, and below them the names of the rows. */
static void place_head(struct layout *l)
{
	const struct timeline *t = l->t;
	double rows = 0;
	double lanes = 0;
	char name[LANE_TEXT];
	uint32_t i;

	l->head = text_height(l->cr, STYLE_TITLE, t->title, l->width) + 10;
	for (i = 0; i < t->nlanes; i++)
		lanes = max(lanes, text_height(l->cr, STYLE_BOLD,
					       lane_text(&t->lanes[i], name),
					       l->lanes[i].width));
	for (i = 0; i < t->nrows; i++)
		rows = max(rows, text_height(l->cr, STYLE_SMALL,
					     t->rows[i].name, l->row_width));
	l->top = l->head + lanes + rows + 12;
}

static double event_height(const struct layout *l, uint32_t i)
{
	const struct event *e = &l->t->events[i];
	double height = text_height(l->cr, event_style(e), e->text,
				    event_text_width(l, i));

	if (begins_span(e->kind) || ends_span(e->kind))
		height += BOX_PAD;
	return height + EVENT_PAD;
}

static double change_height(const struct layout *l, uint32_t i)
{
	return ROW_PAD +
	       max(MIN_CHANGE,
		   text_height(l->cr, STYLE_SMALL, l->t->changes[i].text,
			       l->row_width - 2 * ROW_PAD));
}

/* Places something below what is there already; returns the new bottom. */
static double place_below(struct extent *extent, double *bottom, double y,
			  double height)
{
	extent->top = max(*bottom, y);
	extent->bottom = extent->top + height;
	*bottom = extent->bottom;
	return *bottom;
}

/* The label of a cause is left of the cache. */
static double label_limit(const struct layout *l, const struct event *e)
{
	if (e->kind == EVENT_BROKEN)
		return LABEL_WIDTH;
	return max(MIN_TEXT, cause_label_end(l) - GUTTER);
}

double cause_label_end(const struct layout *l)
{
	const struct timeline *t = l->t;

	return l->lanes[t->rows[t->cause_row].lane].x - 2 * LANE_GAP;
}

double label_width(const struct layout *l, const struct event *e)
{
	const double limit = label_limit(l, e);
	const double width =
		text_width(l->cr, STYLE_BOLD, e->text) + 2 * LABEL_PAD + 1;

	return width < limit ? width : limit;
}

static double label_height(const struct layout *l, uint32_t i)
{
	const struct event *e = &l->t->events[i];

	return text_height(l->cr, STYLE_BOLD, e->text,
			   label_width(l, e) - 2 * LABEL_PAD) +
	       2 * EVENT_PAD;
}

/* @bottoms has one for each lane and row.  Returns the moment's bottom. */
static double place_moment(struct layout *l, const struct moment *m, double y,
			   double *bottoms)
{
	const struct event *events = l->t->events;
	double *rows = bottoms + l->t->nlanes;
	double bottom = y + MIN_MOMENT;
	uint32_t i;

	for (i = m->event; i < m->event + m->nevents; i++)
		if (!is_mark(events[i].kind))
			bottom = max(bottom,
				     place_below(&l->events[i],
						 &bottoms[events[i].lane], y,
						 event_height(l, i)));
	for (i = m->change; i < m->change + m->nchanges; i++)
		bottom = max(bottom, place_below(&l->changes[i],
						 &rows[l->t->changes[i].row], y,
						 change_height(l, i)));
	for (i = m->event; i < m->event + m->nevents; i++)
		if (is_mark(events[i].kind))
			place_below(&l->events[i], &bottom, y,
				    label_height(l, i));
	return bottom + MOMENT_PAD;
}

static int place_moments(struct layout *l)
{
	const struct timeline *t = l->t;
	double *bottoms = calloc(t->nlanes + t->nrows + 1, sizeof(*bottoms));
	struct moment m = { 0 };
	double y = l->top;
	uint32_t last = 0;

	if (!bottoms)
		return -1;
	while (timeline_next(t, &m)) {
		if (m.time > last + 1)
			y += PAUSE;
		last = m.time;
		y = place_moment(l, &m, y, bottoms);
	}
	l->bottom = y + PAUSE;
	free(bottoms);
	return 0;
}

int layout_make(struct layout *l, const struct timeline *t, cairo_t *cr)
{
	*l = (struct layout){ .t = t, .cr = cr };
	l->nest = timeline_nest(t);
	l->lanes = calloc(t->nlanes + 1, sizeof(*l->lanes));
	l->row_x = calloc(t->nrows + 1, sizeof(*l->row_x));
	l->events = calloc(t->nevents + 1, sizeof(*l->events));
	l->changes = calloc(t->nchanges + 1, sizeof(*l->changes));
	if (!l->nest || !l->lanes || !l->row_x || !l->events || !l->changes)
		return -1;
	place_lanes(l);
	place_head(l);
	return place_moments(l);
}

static void lower(struct extent *extents, uint32_t n, double by)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		extents[i].top += by;
		extents[i].bottom += by;
	}
}

void layout_lower(struct layout *l, double by)
{
	lower(l->events, l->t->nevents, by);
	lower(l->changes, l->t->nchanges, by);
	l->top += by;
	l->bottom += by;
}

void layout_free(struct layout *l)
{
	free(l->nest);
	free(l->lanes);
	free(l->row_x);
	free(l->events);
	free(l->changes);
}
