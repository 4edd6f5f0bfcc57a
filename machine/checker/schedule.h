/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - who goes on when, as text.  A line is a segment:
 *
 *	NAME steps N	the context makes so many steps
 *	NAME lines N	it goes on until it has worked on so many cache lines
 *	NAME end	it goes on until it blocks or ends
 *	NAME way K	it makes one step, which goes another way than way 0
 *			(weak memory)
 *	interrupt NAME	the interrupt comes
 *	device steps N	the device transfers so many lines
 *	device end	... all that are left
 *	flush CPU	the CPU answers an inter-processor interrupt
 *	deadline NAME	the context's deadline passes
 *	evict C E	cache C evicts its entry E
 *	fill C E	cache C fills its entry E, unasked
 *
 * Who cannot go on is passed over.  Names may have blanks in them; a # begins a
 * comment.
 */
#ifndef MACHINE_SCHEDULE_H
#define MACHINE_SCHEDULE_H

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
 * The names are those of what run_begin() began.  Returns 0, or -1 and what is
 * wrong, "FILE:LINE: ...".  The schedule is to be freed in both cases.
 */
int schedule_parse(struct schedule *s, const char *text, const char *file,
		   char error[SCHEDULE_ERROR]);
void schedule_free(struct schedule *s);

/* Prints the steps of what run_begin() began, exactly. */
void schedule_print(const struct action *steps, uint32_t nsteps, FILE *out);

#endif /* MACHINE_SCHEDULE_H */
