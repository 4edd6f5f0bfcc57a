// SPDX-License-Identifier: MIT
/*
 * picture.c - draws timelines.
 *
 * Colour-blind people can tell the colours apart.  A colour is never the only
 * sign: stale lines are hatched, and lines that will do harm have white text.
 */
#include "layout.h"

#include <cairo-svg.h>
#include <errno.h>
#include <math.h>

#define MARGIN	      16
#define HALVES_GAP    36
#define SWATCH_WIDTH  26
#define SWATCH_HEIGHT 15
#define LEGEND_TEXT   32 /* from the swatch's left edge */
#define LEGEND_GAP    20
#define LEGEND_LINE   24
#define VERDICT_LABEL 112
#define VERDICT_PAD   5
#define VERDICT_GAP   10 /* above the verdict */
#define ROUND	      3
#define MARK_LINE     3 /* the width of the lines of the loss and its cause */
#define ARROW_HEAD    9
#define OPEN_END      6 /* how far what never ends reaches below the lanes */

/* Colours are 0xrrggbb. */
struct look {
	uint32_t fill;
	uint32_t edge;
	bool hatched;
};

static const uint32_t black = 0x1a1a1f;
static const uint32_t white = 0xffffff;
static const uint32_t grey = 0x6b7078;
static const uint32_t pale = 0xe3e6eb;
static const uint32_t line_grey = 0x9ea3ab;
static const uint32_t red = 0xd11721;
static const uint32_t green = 0x0d734a;

static const struct look call_look = {
	.fill = 0xe8f2fc,
	.edge = 0x5c91c7,
};
static const struct look interrupt_look = {
	.fill = 0xfff5bd,
	.edge = 0xb89e0d,
};
static const struct look blocked_look = {
	.fill = 0xf7f7f7,
	.edge = 0xb2b5ba,
	.hatched = true,
};

static const struct look line_looks[] = {
	[LINE_ABSENT] = { .fill = 0xffffff, .edge = 0xc7c9cf },
	[LINE_CLEAN] = { .fill = 0x8fd4ba, .edge = 0x0d805e },
	[LINE_DIRTY] = { .fill = 0xf7b540, .edge = 0xb87305 },
	[LINE_STALE] = { .fill = 0xebe0f2, .edge = 0xa88cc7, .hatched = true },
	[LINE_BAD] = { .fill = 0xa80f1a, .edge = 0x66050d },
};

struct box {
	double x;
	double y;
	double width;
	double height;
};

struct legend {
	const char *text;
	const struct look *look; /* NULL: the moment of the loss */
	bool framed;
};

static const struct legend legends[] = {
	{ "call", &call_look, false },
	{ "interrupt", &interrupt_look, false },
	{ "blocked", &blocked_look, false },
	{ "line not cached", &line_looks[LINE_ABSENT], false },
	{ "clean", &line_looks[LINE_CLEAN], false },
	{ "dirty", &line_looks[LINE_DIRTY], false },
	{ "stale: something else was written last", &line_looks[LINE_STALE],
	  false },
	{ "dirty and outdated: will overwrite what was written last",
	  &line_looks[LINE_BAD], false },
	{ "the line whose change is the cause of the loss",
	  &line_looks[LINE_ABSENT], true },
	{ "the moment of the loss", NULL, false },
};

#define NLEGENDS (sizeof(legends) / sizeof(legends[0]))

/* One timeline, or two of them side by side. */
struct picture {
	struct layout halves[2];
	unsigned int nhalves;
	double width;
	double bottom;	/* of the lanes of both */
	double verdict; /* the height of a verdict */
	double height;
};

static void set_alpha(cairo_t *cr, uint32_t colour, double alpha)
{
	cairo_set_source_rgba(cr, (colour >> 16) / 255.0,
			      (colour >> 8 & 0xff) / 255.0,
			      (colour & 0xff) / 255.0, alpha);
}

static void set_colour(cairo_t *cr, uint32_t colour)
{
	set_alpha(cr, colour, 1);
}

static void draw_line(cairo_t *cr, double x, double y, double to_x, double to_y)
{
	cairo_move_to(cr, x, y);
	cairo_line_to(cr, to_x, to_y);
	cairo_stroke(cr);
}

static void round_path(cairo_t *cr, struct box b)
{
	const double right = b.x + b.width - ROUND;
	const double bottom = b.y + b.height - ROUND;

	cairo_new_path(cr);
	cairo_arc(cr, right, b.y + ROUND, ROUND, -M_PI_2, 0);
	cairo_arc(cr, right, bottom, ROUND, 0, M_PI_2);
	cairo_arc(cr, b.x + ROUND, bottom, ROUND, M_PI_2, M_PI);
	cairo_arc(cr, b.x + ROUND, b.y + ROUND, ROUND, M_PI, 3 * M_PI_2);
	cairo_close_path(cr);
}

/* The lines are paler than the edge, because there is text on them. */
static void hatch(cairo_t *cr, uint32_t colour, struct box b)
{
	double x;

	cairo_save(cr);
	cairo_clip(cr);
	set_alpha(cr, colour, 0.4);
	cairo_set_line_width(cr, 1);
	for (x = b.x - b.height; x < b.x + b.width; x += 6) {
		cairo_move_to(cr, x, b.y + b.height);
		cairo_line_to(cr, x + b.height, b.y);
	}
	cairo_stroke(cr);
	cairo_restore(cr);
}

/* The edges are on half pixels, so that they are sharp. */
static void draw_box(cairo_t *cr, const struct look *look, struct box b)
{
	b.x = floor(b.x) + 0.5;
	b.y = floor(b.y) + 0.5;
	b.width = floor(b.width);
	b.height = floor(b.height);
	round_path(cr, b);
	set_colour(cr, look->fill);
	cairo_fill_preserve(cr);
	if (look->hatched)
		hatch(cr, look->edge, b);
	round_path(cr, b);
	set_colour(cr, look->edge);
	cairo_set_line_width(cr, 1);
	cairo_stroke(cr);
}

static void draw_head(const struct layout *l)
{
	const struct timeline *t = l->t;
	char name[LANE_TEXT];
	uint32_t i;

	set_colour(l->cr, black);
	draw_text(l->cr, STYLE_TITLE, t->title, 0, 0, l->width);
	for (i = 0; i < t->nlanes; i++)
		draw_text(l->cr, STYLE_BOLD, lane_text(&t->lanes[i], name),
			  l->lanes[i].x, l->head, l->lanes[i].width);
	set_colour(l->cr, grey);
	draw_text(l->cr, STYLE_SMALL, "step", 0, l->head + 1, GUTTER);
	for (i = 0; i < t->nrows; i++)
		draw_text(l->cr, STYLE_SMALL, t->rows[i].name, l->row_x[i],
			  l->top - 8 -
				  text_height(l->cr, STYLE_SMALL,
					      t->rows[i].name, l->row_width),
			  l->row_width);
}

/* The top of all that happens at a moment. */
static double moment_top(const struct layout *l, const struct moment *m)
{
	double top = l->bottom;
	uint32_t i;

	for (i = m->event; i < m->event + m->nevents; i++)
		top = fmin(top, l->events[i].top);
	for (i = m->change; i < m->change + m->nchanges; i++)
		top = fmin(top, l->changes[i].top);
	return top;
}

static void draw_times(const struct layout *l)
{
	struct moment m = { 0 };
	char number[16];
	double y;

	while (timeline_next(l->t, &m)) {
		snprintf(number, sizeof(number), "%u", m.time);
		y = moment_top(l, &m);
		set_colour(l->cr, pale);
		cairo_set_line_width(l->cr, 1);
		draw_line(l->cr, 0, floor(y) - 0.5, l->width - LANE_GAP,
			  floor(y) - 0.5);
		set_colour(l->cr, grey);
		draw_text(l->cr, STYLE_SMALL, number,
			  GUTTER - 12 - text_width(l->cr, STYLE_SMALL, number),
			  y + 1, GUTTER);
	}
}

static void draw_lane_lines(const struct layout *l, double bottom)
{
	const struct timeline *t = l->t;
	double x;
	uint32_t i;

	for (i = 0; i < t->nlanes; i++) {
		if (t->lanes[i].kind == LANE_CACHE)
			continue;
		x = floor(l->lanes[i].x + LANE_LINE) + 0.5;
		set_colour(l->cr, line_grey);
		cairo_set_line_width(l->cr, 1);
		draw_line(l->cr, x, l->top, x, bottom);
	}
}

/* The bottom of the span that an event begins; below the lanes if open. */
static double span_bottom(const struct layout *l, uint32_t i, double bottom)
{
	const uint32_t end = l->nest[i].end;

	if (end == NO_EVENT)
		return bottom + OPEN_END;
	/* The event ends a span around this one, which stops above its text. */
	if (l->nest[i].depth > l->nest[end].depth)
		return l->events[end].top;
	return l->events[end].bottom - 2;
}

static const struct look *span_look(enum event_kind kind)
{
	if (kind == EVENT_BLOCK)
		return &blocked_look;
	return kind == EVENT_ENTER ? &interrupt_look : &call_look;
}

static void draw_spans(const struct layout *l, double bottom)
{
	const struct event *e;
	const struct lane_place *lane;
	uint32_t depth;
	double left;
	double y;
	uint32_t i;

	for (i = 0; i < l->t->nevents; i++) {
		e = &l->t->events[i];
		if (!begins_span(e->kind))
			continue;
		lane = &l->lanes[e->lane];
		depth = l->nest[i].depth;
		left = box_inset_left(depth);
		y = l->events[i].top + 1;
		draw_box(l->cr, span_look(e->kind),
			 (struct box){ lane->x + left, y,
				       lane->text_width - left -
					       box_inset_right(depth),
				       span_bottom(l, i, bottom) - y });
	}
}

static void draw_events(const struct layout *l)
{
	const struct event *e;
	uint32_t i;

	set_colour(l->cr, black);
	for (i = 0; i < l->t->nevents; i++) {
		e = &l->t->events[i];
		if (is_mark(e->kind))
			continue;
		draw_text(l->cr, event_style(e), e->text, event_text_x(l, i),
			  l->events[i].top + (begins_span(e->kind) ? 4 : 2),
			  event_text_width(l, i));
	}
}

/* Where the line of change @i changes again; below the lanes if it does not. */
static double change_bottom(const struct layout *l, uint32_t i, double bottom)
{
	const struct line_change *changes = l->t->changes;
	uint32_t next;

	for (next = i + 1; next < l->t->nchanges; next++)
		if (changes[next].row == changes[i].row)
			return l->changes[next].top;
	return bottom + OPEN_END;
}

static void draw_bar(const struct layout *l, uint32_t row,
		     enum line_state state, double top, double bottom)
{
	draw_box(l->cr, &line_looks[state],
		 (struct box){ l->row_x[row], top, l->row_width,
			       bottom - top });
}

static void draw_changes(const struct layout *l, double bottom)
{
	const struct line_change *c;
	uint32_t i;

	for (i = 0; i < l->t->nrows; i++)
		draw_bar(l, i, LINE_ABSENT, l->top, bottom + OPEN_END);
	for (i = 0; i < l->t->nchanges; i++) {
		c = &l->t->changes[i];
		if (c->state == LINE_ABSENT)
			continue;
		draw_bar(l, c->row, c->state, l->changes[i].top,
			 change_bottom(l, i, bottom));
		set_colour(l->cr, c->state == LINE_BAD ? white : black);
		draw_text(l->cr, STYLE_SMALL, c->text, l->row_x[c->row] + 4,
			  l->changes[i].top + 2, l->row_width - 8);
	}
}

static void draw_loss(cairo_t *cr, double x, double y, double width)
{
	set_colour(cr, red);
	cairo_set_line_width(cr, MARK_LINE);
	draw_line(cr, x, floor(y) + 0.5, x + width, floor(y) + 0.5);
}

/* Draws a line across all lanes, and a label at the lane of the loss. */
static void draw_broken(const struct layout *l, uint32_t i)
{
	const struct event *e = &l->t->events[i];
	const double y = floor(l->events[i].top) + 2;
	const double width = label_width(l, e);
	const double x = fmin(l->lanes[e->lane].x, l->width - LANE_GAP - width);

	draw_loss(l->cr, 0, y, l->width - LANE_GAP);
	cairo_rectangle(l->cr, x, y, width, l->events[i].bottom - y);
	cairo_fill(l->cr);
	set_colour(l->cr, white);
	draw_text(l->cr, STYLE_BOLD, e->text, x + LABEL_PAD, y + 3,
		  width - 2 * LABEL_PAD);
}

static void draw_frame(cairo_t *cr, struct box b)
{
	set_colour(cr, red);
	cairo_set_line_width(cr, MARK_LINE);
	cairo_rectangle(cr, floor(b.x) + 0.5, floor(b.y) + 0.5, floor(b.width),
			floor(b.height));
	cairo_stroke(cr);
}

static void draw_arrow(cairo_t *cr, double x, double y, double to_x)
{
	y = floor(y) + 0.5;
	set_colour(cr, red);
	cairo_set_line_width(cr, MARK_LINE);
	draw_line(cr, x, y, to_x - ARROW_HEAD, y);
	cairo_move_to(cr, to_x, y);
	cairo_line_to(cr, to_x - ARROW_HEAD, y - ARROW_HEAD / 2);
	cairo_line_to(cr, to_x - ARROW_HEAD, y + ARROW_HEAD / 2);
	cairo_close_path(cr);
	cairo_fill(cr);
}

/* The change that event @i, the cause, is about: of its row, at its time. */
static uint32_t change_of(const struct layout *l, uint32_t i)
{
	const struct timeline *t = l->t;
	uint32_t c = 0;

	while (t->changes[c].row != t->cause_row ||
	       t->changes[c].time != t->events[i].time)
		c++;
	return c;
}

static void draw_cause_label(const struct layout *l, const char *text,
			     struct box b)
{
	set_colour(l->cr, white);
	cairo_rectangle(l->cr, b.x, b.y, b.width, b.height);
	cairo_fill(l->cr);
	draw_frame(l->cr, b);
	draw_text(l->cr, STYLE_BOLD, text, b.x + LABEL_PAD, b.y + 3,
		  b.width - 2 * LABEL_PAD);
}

/* Draws a frame around the bar until it changes, a label and an arrow. */
static void draw_cause(const struct layout *l, uint32_t i, double bottom)
{
	const struct event *e = &l->t->events[i];
	const struct extent *at = &l->events[i];
	const uint32_t c = change_of(l, i);
	const double width = label_width(l, e);
	const double right = cause_label_end(l);
	const double bar = l->row_x[l->t->cause_row];
	const double top = l->changes[c].top;

	draw_frame(l->cr, (struct box){ bar, top, l->row_width,
					change_bottom(l, c, bottom) - top });
	draw_arrow(l->cr, right, (at->top + at->bottom) / 2, bar);
	draw_cause_label(l, e->text,
			 (struct box){ right - width, at->top + 1, width,
				       at->bottom - at->top });
}

static void draw_mark(const struct layout *l, uint32_t i, double bottom)
{
	if (l->t->events[i].kind == EVENT_BROKEN)
		draw_broken(l, i);
	else
		draw_cause(l, i, bottom);
}

static void make_verdict(const struct layout *l, char text[VERDICT_LABEL])
{
	snprintf(text, VERDICT_LABEL, "verdict: %s", l->t->verdict);
}

static double verdict_width(const struct layout *l)
{
	return l->width - LANE_GAP - 2 * LABEL_PAD;
}

static double verdict_height(const struct layout *l)
{
	char text[VERDICT_LABEL];

	make_verdict(l, text);
	return text_height(l->cr, STYLE_BOLD, text, verdict_width(l)) +
	       2 * VERDICT_PAD;
}

static void draw_verdict(const struct layout *l, double y, double height)
{
	char text[VERDICT_LABEL];

	make_verdict(l, text);
	round_path(l->cr, (struct box){ 0, y, l->width - LANE_GAP, height });
	set_colour(l->cr, l->t->broken ? red : green);
	cairo_fill(l->cr);
	set_colour(l->cr, white);
	draw_text(l->cr, STYLE_BOLD, text, LABEL_PAD, y + VERDICT_PAD,
		  verdict_width(l));
}

/* The verdicts of both halves are at the same height, below the lanes. */
static void draw_half(const struct layout *l, double bottom, double verdict)
{
	uint32_t i;

	draw_head(l);
	draw_times(l);
	draw_lane_lines(l, bottom);
	cairo_save(l->cr);
	cairo_rectangle(l->cr, 0, 0, l->width, bottom);
	cairo_clip(l->cr);
	draw_spans(l, bottom);
	draw_changes(l, bottom);
	cairo_restore(l->cr);
	draw_events(l);
	for (i = 0; i < l->t->nevents; i++)
		if (is_mark(l->t->events[i].kind))
			draw_mark(l, i, bottom);
	draw_verdict(l, bottom + VERDICT_GAP, verdict);
}

static void draw_legend(cairo_t *cr, const struct legend *legend, double x,
			double y)
{
	const struct box box = { x, y, SWATCH_WIDTH, SWATCH_HEIGHT };

	if (legend->look)
		draw_box(cr, legend->look, box);
	else
		draw_loss(cr, x, y + SWATCH_HEIGHT / 2, SWATCH_WIDTH);
	if (legend->framed)
		draw_frame(cr, box);
	set_colour(cr, black);
	draw_text(cr, STYLE_SMALL, legend->text, x + LEGEND_TEXT, y + 1,
		  HUGE_VAL);
}

/* Places the legends from @y on; draws them if @draw.  Returns the bottom. */
static double place_legends(cairo_t *cr, double y, double width, bool draw)
{
	double x = 0;
	double step;
	size_t i;

	for (i = 0; i < NLEGENDS; i++) {
		step = LEGEND_TEXT + LEGEND_GAP +
		       text_width(cr, STYLE_SMALL, legends[i].text);
		if (x + step - LEGEND_GAP > width) {
			x = 0;
			y += LEGEND_LINE;
		}
		if (draw)
			draw_legend(cr, &legends[i], x, y);
		x += step;
	}
	return y + LEGEND_LINE;
}

static double legend_top(const struct picture *p)
{
	return p->bottom + VERDICT_GAP + p->verdict + 14;
}

static void draw_picture(struct picture *p, cairo_t *cr)
{
	double x = MARGIN;
	unsigned int i;

	prepare_context(cr);
	set_colour(cr, white);
	cairo_paint(cr);
	for (i = 0; i < p->nhalves; i++) {
		cairo_save(cr);
		cairo_translate(cr, x, MARGIN);
		p->halves[i].cr = cr;
		draw_half(&p->halves[i], p->bottom, p->verdict);
		cairo_restore(cr);
		x += p->halves[i].width + HALVES_GAP;
	}
	cairo_translate(cr, MARGIN, MARGIN);
	place_legends(cr, legend_top(p), p->width - 2 * MARGIN, true);
}

static int make_halves(struct picture *p, const struct timeline *left,
		       const struct timeline *right, cairo_t *cr)
{
	const struct timeline *const timelines[] = { left, right };
	struct layout *l;

	for (; p->nhalves < 2 && timelines[p->nhalves]; p->nhalves++) {
		l = &p->halves[p->nhalves];
		if (layout_make(l, timelines[p->nhalves], cr)) {
			layout_free(l);
			return -1;
		}
	}
	return 0;
}

/* The top of the lanes, which both halves share. */
static double lanes_top(const struct picture *p)
{
	double top = 0;
	unsigned int i;

	for (i = 0; i < p->nhalves; i++)
		top = fmax(top, p->halves[i].top);
	return top;
}

static void measure_picture(struct picture *p, cairo_t *cr)
{
	const double top = lanes_top(p);
	struct layout *l;

	p->width = 2 * MARGIN - HALVES_GAP - LANE_GAP;
	for (l = p->halves; l < p->halves + p->nhalves; l++) {
		layout_lower(l, top - l->top);
		p->width += l->width + HALVES_GAP;
		p->bottom = fmax(p->bottom, l->bottom);
		p->verdict = fmax(p->verdict, verdict_height(l));
	}
	p->width = ceil(p->width);
	p->height = ceil(
		place_legends(cr, legend_top(p), p->width - 2 * MARGIN, false) +
		2 * MARGIN);
}

static cairo_status_t write_data(void *out, const unsigned char *data,
				 unsigned int bytes)
{
	return timeline_file_write(out, data, bytes) ?
		       CAIRO_STATUS_WRITE_ERROR :
		       CAIRO_STATUS_SUCCESS;
}

typedef cairo_status_t write_fn(struct picture *p, struct timeline_file *out);

static cairo_status_t draw_on(struct picture *p, cairo_surface_t *surface)
{
	cairo_t *cr = cairo_create(surface);
	cairo_status_t status;

	draw_picture(p, cr);
	status = cairo_status(cr);
	cairo_destroy(cr);
	return status;
}

static cairo_status_t write_svg(struct picture *p, struct timeline_file *out)
{
	cairo_surface_t *surface = cairo_svg_surface_create_for_stream(
		write_data, out, p->width, p->height);
	cairo_status_t status;

	cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
	status = draw_on(p, surface);
	cairo_surface_finish(surface);
	if (!status)
		status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	return status;
}

static cairo_status_t write_png(struct picture *p, struct timeline_file *out)
{
	cairo_surface_t *surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)p->width, (int)p->height);
	cairo_status_t status = draw_on(p, surface);

	if (!status)
		status = cairo_surface_write_to_png_stream(surface, write_data,
							   out);
	cairo_surface_destroy(surface);
	return status;
}

/* Cairo fails if a picture is too large for a PNG, or if memory runs out. */
static int errno_of(cairo_status_t status)
{
	return status == CAIRO_STATUS_INVALID_SIZE ? EFBIG : ENOMEM;
}

static int write_picture(struct picture *p, FILE *file, write_fn *write)
{
	struct timeline_file out = { .file = file };
	cairo_status_t status = write(p, &out);

	if (status && !out.err)
		out.err = errno_of(status);
	return timeline_file_end(&out);
}

/* @right is NULL for one timeline.  Measures on a temporary surface. */
static int draw_file(const struct timeline *left, const struct timeline *right,
		     FILE *out, write_fn *write)
{
	cairo_surface_t *scratch =
		cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
	cairo_t *cr = cairo_create(scratch);
	struct picture p = { .nhalves = 0 };
	int err;

	prepare_context(cr);
	err = make_halves(&p, left, right, cr);
	if (!err) {
		measure_picture(&p, cr);
		err = write_picture(&p, out, write);
	}
	while (p.nhalves)
		layout_free(&p.halves[--p.nhalves]);
	cairo_destroy(cr);
	cairo_surface_destroy(scratch);
	return err;
}

int timeline_draw_svg(const struct timeline *t, FILE *out)
{
	return draw_file(t, NULL, out, write_svg);
}

int timeline_draw_png(const struct timeline *t, FILE *out)
{
	return draw_file(t, NULL, out, write_png);
}

int timeline_draw_pair_svg(const struct timeline *left,
			   const struct timeline *right, FILE *out)
{
	return draw_file(left, right, out, write_svg);
}

int timeline_draw_pair_png(const struct timeline *left,
			   const struct timeline *right, FILE *out)
{
	return draw_file(left, right, out, write_png);
}
