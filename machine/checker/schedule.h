/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - a schedule as text: who continues when.  A line is a segment:
 *
 *	NAME steps N	the context makes N steps
 *	NAME lines N	it continues until it has cleaned or invalidated N lines
 *	NAME end	it continues until it blocks or ends
 *	NAME way K	it makes one step, with result number K (weak memory:
 *			result 0 is to load the newest value)
 *	interrupt NAME	the interrupt comes
 *	device steps N	the device transfers N lines
 *	device end	the device transfers all lines that are left
 *	flush CPU	the CPU answers an inter-processor interrupt
 *	deadline NAME	the context's deadline passes
 *	evict C E	cache C evicts its entry E
 *	fill C E	cache C fills its entry E speculatively
 *
 * A segment ends early if its actor cannot continue.  Names may contain blanks.
 * A # begins a comment.
 */
#ifndef MACHINE_CHECKER_SCHEDULE_H
#define MACHINE_CHECKER_SCHEDULE_H

#include "run.h"

#include <stdio.h>

enum segment_kind {
	SEGMENT_STEPS,
	SEGMENT_LINES,
	SEGMENT_END,
};

struct segment {
	struct action action;
	enum segment_kind kind;
	uint32_t n; /* steps or lines */
};

struct schedule {
	struct segment *segments;
	uint32_t nsegments;
};

#define SCHEDULE_ERROR 256

/*
 * Parses a schedule for what run_begin() began.  Returns 0, or -1 and in @error
 * what is wrong, "FILE:LINE: ...".  The schedule is to be freed in both cases.
 */
int schedule_parse(struct schedule *s, const char *text, const char *file,
		   char error[SCHEDULE_ERROR]);
void schedule_free(struct schedule *s);

/* Prints steps of what run_begin() began, as a schedule that repeats them. */
void schedule_print(const struct action *steps, uint32_t nsteps, FILE *out);

#endif /* MACHINE_CHECKER_SCHEDULE_H */
