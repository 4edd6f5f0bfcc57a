/* SPDX-License-Identifier: MIT */
/*
 * timeline_priv.h - what the writers of a timeline share.
 */
#ifndef MACHINE_TIMELINE_TIMELINE_PRIV_H
#define MACHINE_TIMELINE_TIMELINE_PRIV_H

#include "timeline.h"

#include <stddef.h>

#define NO_EVENT UINT32_MAX

/*
 * A lane's spans are its calls, interrupts, and the times in which it is
 * blocked.  This says where an event is among them.  The event that ends a span
 * also ends the spans within it; without a span to end it ends none.  So spans
 * always nest.
 */
struct nest {
	uint32_t within; /* the event that began its span, or NO_EVENT */
	uint32_t depth;	 /* the number of spans it is in */
	uint32_t end;	 /* the event that ends its own span, or NO_EVENT */
	uint32_t nended; /* the number of spans that it ends */
};

/* All that happens at one time. */
struct moment {
	uint32_t time;
	uint32_t event; /* the first one */
	uint32_t nevents;
	uint32_t change;
	uint32_t nchanges;
};

/* A file for libraries that do not report why a write failed. */
struct timeline_file {
	FILE *file;
	int err; /* the first error */
};

/* One for each event, in an array to be freed; NULL with errno set on error. */
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

/* Whether the event is about the run, and not done by an actor. */
static inline bool is_mark(enum event_kind kind)
{
	return kind == EVENT_CAUSE || kind == EVENT_BROKEN;
}

/* Moves on to the next moment; begin with a zeroed one.  False at the end. */
bool timeline_next(const struct timeline *t, struct moment *m);

/* "task 1 (CPU 0)" */
#define LANE_TEXT 48
const char *lane_text(const struct lane *lane, char text[LANE_TEXT]);

/* "dirty, page 1: 11 12" */
#define CHANGE_TEXT 96
const char *change_text(const struct line_change *c, char text[CHANGE_TEXT]);

typedef bool fits_fn(const void *arg, const char *text, size_t bytes);

/*
 * How many bytes of a text go into a line: as many words as fit, or, if the
 * first does not fit, as much of it as does.  0 only at the end of the text.
 */
size_t wrap_text(const char *text, fits_fn *fits, const void *arg);

/* The start of the next line, after that many bytes. */
const char *wrap_rest(const char *text, size_t bytes);

int timeline_file_write(struct timeline_file *out, const void *data,
			size_t bytes);
/* Returns 0, or -1 with errno set if anything could not be written. */
int timeline_file_end(struct timeline_file *out);

#endif /* MACHINE_TIMELINE_TIMELINE_PRIV_H */
