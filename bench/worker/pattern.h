/* SPDX-License-Identifier: MIT */
/* pattern.h - the pages that a worker's threads use, one after the other. */
#ifndef BENCH_WORKER_PATTERN_H
#define BENCH_WORKER_PATTERN_H

#include "bench/job.h"

#include <stddef.h>

struct sequence {
	uint32_t *pages;
	size_t n;
	size_t at; /* the next one; behind the last comes the first again */
};

/*
 * The sequence of a thread: the same for the same job, however often it is
 * asked for, and going on where the thread left it.  NULL: it lacks
 * *@what, and errno says why.
 */
struct sequence *sequence_for(const struct job *job, uint32_t thread,
			      const char **what);

/* The page that number @n of a job stands for. */
uint32_t page_of_number(const struct job *job, uint32_t n);

static inline uint32_t next_page(struct sequence *s)
{
	uint32_t page = s->pages[s->at];

	if (++s->at == s->n)
		s->at = 0;
	return page;
}

#endif /* BENCH_WORKER_PATTERN_H */
