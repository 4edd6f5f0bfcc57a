/* SPDX-License-Identifier: MIT */
/*
 * timeline_layout.h - where things are in the picture of a timeline.
 *
 * Time runs downwards, in moments at which something happens; each is as high
 * as what there is to say then.  A lane is a column of text, and a cache's has
 * a bar for each of its lines to the right of that.
 */
#ifndef MACHINE_TIMELINE_LAYOUT_H
#define MACHINE_TIMELINE_LAYOUT_H

#include "timeline_priv.h"

#include <cairo.h>

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_SMALL,
	STYLE_TITLE,
};

/* All in pixels. */
#define GUTTER	    38 /* the numbers of the steps */
#define LANE_GAP    8
#define ROW_GAP	    4
#define LANE_LINE   5 /* the line of a lane, from its left */
#define LABEL_WIDTH 420
#define LABEL_PAD   8

struct extent {
	double top;
	double bottom;
};

struct lane_place {
	double x;
	double text_width; /* without the bars */
	double width;
};

struct layout {
	const struct timeline *t;
	struct nest *nest;
	cairo_t *cr; /* to measure on, or to draw on */
	struct lane_place *lanes;
	double *row_x;
	double row_width;
	struct extent *events;
	struct extent *changes;
	double width;
	double head;   /* the top of the lanes' names */
	double top;    /* of the lanes, below their names */
	double bottom; /* of the lanes */
};

/* 0, or -1 with errno set.  To be freed in both cases. */
int layout_make(struct layout *l, const struct timeline *t, cairo_t *cr);
/* Moves the lanes down, away from their names. */
void layout_lower(struct layout *l, double by);
void layout_free(struct layout *l);

/* A context like this draws what was measured on another. */
void prepare_context(cairo_t *cr);
void set_style(cairo_t *cr, enum style style);
double line_height(enum style style);
double text_width(cairo_t *cr, enum style style, const char *text);

/* Wraps a text from there on, which is its top; returns its height. */
double draw_text(cairo_t *cr, enum style style, const char *text, double x,
		 double y, double width);
/* The same height without drawing. */
double text_height(cairo_t *cr, enum style style, const char *text,
		   double width);

enum style event_style(const struct event *e);

/* Of what an event marks: the loss, or its cause. */
double label_width(const struct layout *l, const struct event *e);
/* The right edge of a cause's label, which is left of the line's cache. */
double cause_label_end(const struct layout *l);

/* Spans around the text of an event, those that it begins or ends included. */
uint32_t text_depth(const struct layout *l, uint32_t event);
double event_text_x(const struct layout *l, uint32_t event);
double event_text_width(const struct layout *l, uint32_t event);

/* From a lane's edges to the box of a span at that depth. */
double box_inset_left(uint32_t depth);
double box_inset_right(uint32_t depth);

#endif /* MACHINE_TIMELINE_LAYOUT_H */
