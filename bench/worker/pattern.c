// SPDX-License-Identifier: MIT
#include "pattern.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZIPF_EXPONENT 0.99
#define DRAWS	      (1u << 18) /* if a job names no number of them */
#define CACHED_MAX    256

/* The sequences so far: the same job gets the same one again. */
static struct cached {
	enum job_pattern pattern;
	uint32_t first;
	uint32_t pages;
	uint32_t thread;
	uint32_t threads;
	uint32_t scattered;
	uint32_t draws;
	char path[JOB_PATH_MAX];
	struct sequence sequence;
} cached[CACHED_MAX];

static size_t ncached;

/* Marsaglia's xorshift.  Seeds are fixed: all peers see the same pages. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((next_random(state) >> 32) * n >> 32);
}

static bool allocate(struct sequence *s, size_t n)
{
	s->n = n;
	s->pages = malloc(n * sizeof(*s->pages));
	return s->pages;
}

static bool make_turn(struct sequence *s, const struct cached *key)
{
	size_t i;

	if (!allocate(s, key->pages / key->threads))
		return false;
	for (i = 0; i < s->n; i++)
		s->pages[i] =
			key->first + key->thread + (uint32_t)i * key->threads;
	return true;
}

static void shuffle(uint32_t *pages, uint32_t n)
{
	uint64_t random = 88172645463325252u;
	uint32_t i;

	for (i = n - 1; i > 0; i--) {
		uint32_t k = random_below(&random, i + 1);
		uint32_t page = pages[i];

		pages[i] = pages[k];
		pages[k] = page;
	}
}

uint32_t page_of_number(const struct job *job, uint32_t n)
{
	static uint32_t *pages;
	static uint32_t npages;
	uint32_t i;

	if (!job->scattered)
		return n;
	if (npages != job->scattered) {
		free(pages);
		npages = job->scattered;
		pages = malloc(npages * sizeof(*pages));
		if (!pages) {
			perror("worker: pages");
			exit(EXIT_FAILURE);
		}
		for (i = 0; i < npages; i++)
			pages[i] = i;
		shuffle(pages, npages);
	}
	return pages[n];
}

/* The threads start far apart. */
static bool make_cycle(struct sequence *s, const struct cached *key)
{
	uint32_t i;

	if (!allocate(s, key->pages))
		return false;
	for (i = 0; i < key->pages; i++)
		s->pages[i] = key->first + i;
	shuffle(s->pages, key->pages);
	s->at = s->n / key->threads * key->thread;
	return true;
}

static uint64_t seed_of(const struct cached *key)
{
	return 0x9e3779b97f4a7c15u * (key->thread + 1);
}

static size_t draws_of(const struct cached *key)
{
	return key->draws ? key->draws : DRAWS;
}

static bool make_own(struct sequence *s, const struct cached *key)
{
	uint64_t random = seed_of(key);
	size_t i;

	if (!allocate(s, draws_of(key)))
		return false;
	for (i = 0; i < s->n; i++)
		s->pages[i] =
			key->first + key->thread +
			key->threads * random_below(&random,
						    key->pages / key->threads);
	return true;
}

static bool make_uniform(struct sequence *s, const struct cached *key)
{
	uint64_t random = seed_of(key);
	size_t i;

	if (!allocate(s, draws_of(key)))
		return false;
	for (i = 0; i < s->n; i++)
		s->pages[i] = key->first + random_below(&random, key->pages);
	return true;
}

/* The first rank whose cumulative weight is @at or more. */
static uint32_t rank_at(const double *cumulated, uint32_t n, double at)
{
	uint32_t low = 0;
	uint32_t high = n - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (cumulated[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The order of the pages by weight is random, but the same for all threads. */
static bool make_zipf(struct sequence *s, const struct cached *key)
{
	double *cumulated = malloc(key->pages * sizeof(*cumulated));
	uint32_t *page_of = malloc(key->pages * sizeof(*page_of));
	uint64_t random = seed_of(key);
	bool made = cumulated && page_of && allocate(s, draws_of(key));
	double sum = 0;
	uint32_t k;
	size_t i;

	if (!made)
		goto out;
	for (k = 0; k < key->pages; k++) {
		sum += pow(k + 1, -ZIPF_EXPONENT);
		cumulated[k] = sum;
		page_of[k] = key->first + k;
	}
	shuffle(page_of, key->pages);
	for (i = 0; i < s->n; i++) {
		double at =
			sum * (double)(next_random(&random) >> 11) * 0x1p-53;

		s->pages[i] = page_of[rank_at(cumulated, key->pages, at)];
	}
out:
	free(cumulated);
	free(page_of);
	return made;
}

/* The file has one page number per line. */
static bool read_trace(struct sequence *s, const struct cached *key)
{
	FILE *file = fopen(key->path, "r");
	size_t room = 0;
	uint32_t *more;
	uint32_t page;

	if (!file)
		return false;
	errno = 0;
	while (fscanf(file, "%u\n", &page) == 1) {
		if (page >= key->pages)
			goto fail;
		if (s->n == room) {
			room = room ? 2 * room : 4096;
			more = realloc(s->pages, room * sizeof(*more));
			if (!more)
				goto fail;
			s->pages = more;
		}
		s->pages[s->n++] = key->first + page;
	}
	if (!s->n || !feof(file))
		goto fail;
	fclose(file);
	return true;
fail:
	if (!errno)
		errno = EINVAL;
	fclose(file);
	return false;
}

static bool make(struct sequence *s, const struct cached *key)
{
	switch (key->pattern) {
	case PATTERN_SAME:
		if (!allocate(s, 1))
			return false;
		s->pages[0] = key->first;
		return true;
	case PATTERN_TURN:
		return make_turn(s, key);
	case PATTERN_OWN:
		return make_own(s, key);
	case PATTERN_CYCLE:
		return make_cycle(s, key);
	case PATTERN_UNIFORM:
		return make_uniform(s, key);
	case PATTERN_ZIPF:
		return make_zipf(s, key);
	case PATTERN_TRACE:
		return read_trace(s, key);
	}
	errno = EINVAL;
	return false;
}

static bool is_for(const struct cached *c, const struct job *job,
		   uint32_t thread)
{
	return c->pattern == job->pattern && c->first == job->first &&
	       c->pages == job->pages && c->thread == thread &&
	       c->threads == job->threads && c->scattered == job->scattered &&
	       c->draws == job->draws && !strcmp(c->path, job->path);
}

struct sequence *sequence_for(const struct job *job, uint32_t thread,
			      const char **what)
{
	struct cached *c;
	size_t i;

	for (c = cached; c < cached + ncached; c++) {
		if (is_for(c, job, thread))
			return &c->sequence;
	}
	if (ncached == CACHED_MAX) {
		*what = "more patterns than a worker can keep";
		errno = ENOMEM;
		return NULL;
	}
	*c = (struct cached){
		.pattern = job->pattern,
		.first = job->first,
		.pages = job->pages,
		.thread = thread,
		.threads = job->threads,
		.scattered = job->scattered,
		.draws = job->draws,
	};
	memcpy(c->path, job->path, sizeof(c->path));
	if (!make(&c->sequence, c)) {
		*what = job->pattern == PATTERN_TRACE ? job->path : "a pattern";
		return NULL;
	}
	for (i = 0; i < c->sequence.n; i++)
		c->sequence.pages[i] =
			page_of_number(job, c->sequence.pages[i]);
	ncached++;
	return &c->sequence;
}
