/* SPDX-License-Identifier: MIT */
/*
 * timeline_priv.h - what the writers of a timeline share.
 */
#ifndef MACHINE_TIMELINE_PRIV_H
#define MACHINE_TIMELINE_PRIV_H

#include "timeline.h"

#include <stddef.h>

#define NO_EVENT UINT32_MAX

/*
 * Where an event stands among the calls, blocked stretches and interrupts of
 * its lane: its spans.  What ends a span ends those within it as well, and what
 * would end one that has not begun ends nothing, so that spans always nest.
 */
struct nest {
	uint32_t within; /* the event that began the span it is in; NO_EVENT */
	uint32_t depth;	 /* spans it is in */
	uint32_t end;	 /* the event that ends the span it begins; NO_EVENT */
	uint32_t nended; /* spans that it ends */
};

/* All that happens at one time. */
struct moment {
	uint32_t time;
	uint32_t event; /* the first one */
	uint32_t nevents;
	uint32_t change;
	uint32_t nchanges;
};

/* Where a library writes to that does not tell why it could not. */
struct timeline_file {
	FILE *file;
	int err; /* the first error */
};

/* An array with a place for each event, to be freed; NULL: errno says why. */
struct nest *timeline_nest(const struct timeline *t);

static inline bool begins_span(enum event_kind kind)
{
	return kind == EVENT_BEGIN || kind == EVENT_BLOCK ||
	       kind == EVENT_ENTER;
}

static inline bool ends_span(enum event_kind kind)
{
	return kind == EVENT_END || kind == EVENT_GO_ON || kind == EVENT_LEAVE;
}

/* Said of the run, and not done by anybody. */
static inline bool is_mark(enum event_kind kind)
{
	return kind == EVENT_CAUSE || kind == EVENT_BROKEN;
}

/* The next moment at which something happens; begin with one of zeros. */
bool timeline_next(const struct timeline *t, struct moment *m);

/* "task 1 (CPU 0)" */
#define LANE_TEXT 48
const char *lane_text(const struct lane *lane, char text[LANE_TEXT]);

/* "dirty, page 1: 11 12" */
#define CHANGE_TEXT 96
const char *change_text(const struct line_change *c, char text[CHANGE_TEXT]);

typedef bool fits_fn(const void *arg, const char *text, size_t bytes);

/*
 * How many bytes of a text go into a line: as many words as fit, or as much of
 * a word as fits if not one does; 0 at the end of the text only.
 */
size_t wrap_text(const char *text, fits_fn *fits, const void *arg);

/* The start of the next line, after that many bytes. */
const char *wrap_rest(const char *text, size_t bytes);

int timeline_file_write(struct timeline_file *out, const void *data,
			size_t bytes);
/* Says how it went: 0, or -1 with errno set. */
int timeline_file_end(struct timeline_file *out);

#endif /* MACHINE_TIMELINE_PRIV_H */
