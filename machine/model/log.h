/* SPDX-License-Identifier: MIT */
/* log.h - fills a timeline in, while a run is made. */
#ifndef MACHINE_LOG_H
#define MACHINE_LOG_H

#include "machine_priv.h"

/* A cache line, as the timeline shows it. */
struct shown_line {
	uint8_t state; /* enum line_state */
	uint8_t page;
	char text[24];
	uint32_t row; /* + 1, or 0: it was never cached */
	/* What made it this page's, in this state: the change, whose lane, ... */
	uint32_t since;
	uint32_t by;
	/* ... and whether, and from which page, it took the line. */
	bool taken;
	uint8_t from;
};

struct machine_log {
	struct timeline *timeline;
	uint32_t max_events;
	uint32_t max_changes;
	uint32_t time;
	uint32_t lane; /* of who makes the step */
	bool device_used;
	bool over;   /* something is broken: what comes after is not shown */
	bool failed; /* not enough memory */
	/* A call that begins at its context's next step. */
	char begins[MAX_CONTEXTS][96];
	bool blocked[MAX_CONTEXTS];
	struct shown_line lines[MAX_CPUS][MAX_ENTRIES];
};

/* Before run_begin(), which has a first look at each context. */
void log_open(struct machine_log *log, struct timeline *timeline);

void log_before_step(struct machine_log *log, struct action action);
/* After each step, and after run_begin(). */
void log_after_step(struct machine_log *log);

/* Where nothing can happen any more: what is wrong is in a lane that waits. */
void log_end(struct machine_log *log);

/* 0, or -1: there was not enough memory. */
int log_close(struct machine_log *log);

#endif /* MACHINE_LOG_H */
