/* SPDX-License-Identifier: MIT */
/*
 * layout.h - where things are in the picture of a timeline.
 *
 * Time runs downwards, in moments at which something happens; each is as high
 * as its texts need.  A lane is a column of text.  To the right of its text, a
 * cache's lane has a bar for each of its lines.
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
#define GUTTER	    38 /* the width of the column of step numbers */
#define LANE_GAP    8
#define ROW_GAP	    4
#define LANE_LINE   5 /* from a lane's left edge to its vertical line */
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
	cairo_t *cr; /* for measuring, or for drawing */
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

/* Returns 0, or -1 with errno set.  @l is to be freed in both cases. */
int layout_make(struct layout *l, const struct timeline *t, cairo_t *cr);
/* Moves the lanes down, away from their names. */
void layout_lower(struct layout *l, double by);
void layout_free(struct layout *l);

/* Sets font options, so that texts have the same size on all contexts. */
void prepare_context(cairo_t *cr);
void set_style(cairo_t *cr, enum style style);
double line_height(enum style style);
double text_width(cairo_t *cr, enum style style, const char *text);

/* Draws a wrapped text with its top at @y; returns its height. */
double draw_text(cairo_t *cr, enum style style, const char *text, double x,
		 double y, double width);
/* The same height without drawing. */
double text_height(cairo_t *cr, enum style style, const char *text,
		   double width);

enum style event_style(const struct event *e);

/* The width of the label of the loss, or of its cause. */
double label_width(const struct layout *l, const struct event *e);
/* The right edge of the cause's label, which is left of the line's cache. */
double cause_label_end(const struct layout *l);

/* The number of spans around an event's text, with one it begins or ends. */
uint32_t text_depth(const struct layout *l, uint32_t event);
double event_text_x(const struct layout *l, uint32_t event);
double event_text_width(const struct layout *l, uint32_t event);

/* The distance from a lane's edges to the box of a span at that depth. */
double box_inset_left(uint32_t depth);
double box_inset_right(uint32_t depth);

#endif /* MACHINE_TIMELINE_LAYOUT_H */
