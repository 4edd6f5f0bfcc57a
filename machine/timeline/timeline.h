/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - what happened in a run of the model machine, for people to read.
 *
 * A replay (replay.h) fills in a timeline; the writers below print it as a
 * list, draw it, or write it as trace events.  Time is the number of the step
 * in the schedule, so all events of one step have the same time.
 */
#ifndef MACHINE_TIMELINE_TIMELINE_H
#define MACHINE_TIMELINE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum lane_kind {
	LANE_TASK,
	LANE_INTERRUPT, /* a handler, maskable or not */
	LANE_CACHE,
	LANE_DEVICE,
};

/* An actor, or a cache. */
struct lane {
	enum lane_kind kind;
	char name[24]; /* "task 1", "interrupt", "cache", "device" */
	int cpu; /* that it runs on or belongs to; -1: none, or the only one */
};

enum event_kind {
	EVENT_NOTE,  /* anything else: the text says what was done */
	EVENT_BEGIN, /* a call begins; EVENT_END of the same lane ends it */
	EVENT_END,
	EVENT_BLOCK,  /* sleeps or spins from here on ... */
	EVENT_GO_ON,  /* ... to here */
	EVENT_ENTER,  /* an interrupt begins ... */
	EVENT_LEAVE,  /* ... and ends */
	EVENT_CAUSE,  /* a line changes such that it does harm later */
	EVENT_BROKEN, /* an invariant is broken: the moment of the loss */
};

struct event {
	uint32_t time;
	uint32_t lane;
	enum event_kind kind;
	char text[96]; /* "invalidates line 0 of slot 1" */
};

/* The state of a line, judged by what each byte's owner wrote last. */
enum line_state {
	LINE_ABSENT,
	LINE_CLEAN,
	LINE_DIRTY,
	LINE_STALE, /* clean, but not what was written last */
	LINE_BAD,   /* dirty, and will overwrite what was written last */
};

/* The state in a few words. */
const char *state_text(enum line_state state);

/* A cache line whose state or contents have changed. */
struct line_change {
	uint32_t time;
	uint32_t row; /* of the line; see rows below */
	enum line_state state;
	char text[24]; /* its contents: "page 1: 11 12" */
};

/* A line whose state is drawn as a bar. */
struct row {
	uint32_t lane; /* of kind LANE_CACHE */
	char name[24]; /* "slot 0, line 1", "page 2, line 0" */
};

struct timeline {
	char title[128];  /* "rfc, unpinned: VIVT, 1 CPU" */
	char verdict[96]; /* "data loss (I1)", "clean" */
	bool broken;	  /* the verdict is not "clean" */
	struct lane *lanes;
	uint32_t nlanes;
	struct row *rows;
	uint32_t nrows;
	uint32_t cause_row;   /* the line that EVENT_CAUSE, if any, is about */
	struct event *events; /* in order of time */
	uint32_t nevents;
	struct line_change *changes; /* in order of time */
	uint32_t nchanges;
	uint32_t end; /* the first time after the last step */
};

/* The writers return 0, or -1 with errno set if not all was written. */
/* No line is longer than @width, unless that leaves no room for the texts. */
int timeline_print(const struct timeline *t, int width, FILE *out);
int timeline_draw_svg(const struct timeline *t, FILE *out);
int timeline_draw_png(const struct timeline *t, FILE *out);
/* Two runs side by side. */
int timeline_draw_pair_svg(const struct timeline *left,
			   const struct timeline *right, FILE *out);
int timeline_draw_pair_png(const struct timeline *left,
			   const struct timeline *right, FILE *out);
/* Trace events in JSON, for Perfetto or chrome://tracing. */
int timeline_trace(const struct timeline *t, FILE *out);

#endif /* MACHINE_TIMELINE_TIMELINE_H */
