/* SPDX-License-Identifier: MIT */
/* pattern.h - the sequences of pages that a worker's threads use. */
#ifndef BENCH_WORKER_PATTERN_H
#define BENCH_WORKER_PATTERN_H

#include "bench/job.h"

#include <stddef.h>

struct sequence {
	uint32_t *pages;
	size_t n;
	size_t at; /* the next one; after the last, the first again */
};

/*
 * The sequence of a thread.  If the same job is done again, the thread goes on
 * where it stopped.  Returns NULL if *@what cannot be had; errno says why.
 */
struct sequence *sequence_for(const struct job *job, uint32_t thread,
			      const char **what);

/* The page that page number @n of a job stands for; see @scattered. */
uint32_t page_of_number(const struct job *job, uint32_t n);

static inline uint32_t next_page(struct sequence *s)
{
	uint32_t page = s->pages[s->at];

	if (++s->at == s->n)
		s->at = 0;
	return page;
}

#endif /* BENCH_WORKER_PATTERN_H */
