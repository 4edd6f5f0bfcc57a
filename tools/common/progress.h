/* SPDX-License-Identifier: MIT */
/* A line of progress on standard error, if that is a terminal. */
#ifndef TOOLS_COMMON_PROGRESS_H
#define TOOLS_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* How often the line changes, and how long Ctrl-C may take at most. */
#define PROGRESS_INTERVAL_NS 100000000u

struct progress {
	bool shown; /* there is a terminal, and --quiet was not given */
	uint64_t next_ns;
};

void progress_init(struct progress *progress, bool quiet);

/* Whether it is time to show a new line. */
bool progress_due(struct progress *progress);

void progress_show(const struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Erases the line, so that other output can follow. */
void progress_clear(const struct progress *progress);

/* The time of CLOCK_MONOTONIC. */
uint64_t now_ns(void);

#define SIZE_TEXT 32

/* "31.8 MiB"; returns @text. */
const char *size_text(char text[SIZE_TEXT], double bytes);

#endif /* TOOLS_COMMON_PROGRESS_H */
