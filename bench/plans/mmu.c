// SPDX-License-Identifier: MIT
/* mmu.c - maps of real pages. */
#include "plan.h"

#include <string.h>

/* If the working set fits into the window, only the first maps miss. */
static uint64_t ops_on(const struct bench *b, int set, const char *peer)
{
	const bool fast = !set && strcmp(peer, "mmap");

	return ops_of(b, fast ? 16 * SLOW_OPS : SLOW_OPS);
}

static void plan_map_of(const struct bench *b, struct bench_section *s,
			const int workers[3], int draw, int set)
{
	static const char *const peers[3] = { "pkmap", "linux", "mmap" };
	struct job job = {
		.work = WORK_MAP_TOUCH,
		.pattern = draws[draw].pattern,
		.pages = (uint32_t)(working_sets[set].windows * SLOTS),
		.threads = 1,
	};
	char what[64];
	int items[3];
	int p;

	snprintf(what, sizeof(what), "%s over %s", draws[draw].name,
		 working_sets[set].name);
	for (p = 0; p < 3; p++) {
		job.ops = ops_on(b, set, peers[p]);
		job.lead_in = job.ops;
		items[p] =
			add_time(s, workers[p], &job, "%s: %s", peers[p], what);
	}
	add_comparison(s, items[0], items[1], NO_TARGET, 0, "%s: pkmap / linux",
		       what);
	add_comparison(s, items[0], items[2], NO_TARGET, 0,
		       "%s: pkmap / mmap, munmap", what);
}

/*
 * One thread only: with two, one would wait for Linux's lock while the other
 * one is in mmap(); a kernel makes no such call with its lock held.
 */
void plan_map(const struct bench *b, struct bench_section *s)
{
	const int workers[3] = {
		add_window(s, "pkmap", b->fd),
		add_window(s, LINUX, b->fd),
		add_window(s, "mmap", b->fd),
	};
	int draw;
	int set;

	for (draw = 0; draw < NDRAWS; draw++) {
		for (set = 0; set < NSETS; set++)
			plan_map_of(b, s, workers, draw, set);
	}
}

static void plan_miss_of(const struct bench *b, struct bench_section *s,
			 uint32_t page_shift)
{
	static const struct {
		const char *peer;
		uint32_t nslots;
		bool strict;
		const char *name;
	} ways[] = {
		{ "in-place", SLOTS, false, "mmap in place" },
		{ "mmap", SLOTS, false, "mmap, munmap" },
		{ "pread", SLOTS, false, "pread" },
		{ LINUX, SLOTS, false, "linux" },
		{ "pkmap", SLOTS, false, "pkmap" },
		{ "pkmap", SLOTS, true, "pkmap, strict" },
		{ "pkmap", 64, false, "pkmap, 64 slots" },
	};
	const uint32_t npages = BENCH_FILE_PAGES >> (page_shift - 12);
	const uint32_t pages = 4 * SLOTS < npages ? 4 * SLOTS : npages;
	const struct job job = {
		.work = WORK_MAP_TOUCH,
		.pattern = PATTERN_CYCLE,
		.pages = pages,
		.threads = 1,
		.lead_in = pages / 4,
		.ops = ops_of(b, pages),
	};
	const bool small = page_shift == 12;
	int base[4];
	int worker;
	int item;
	int i;
	int k;

	for (i = 0; i < 7; i++) {
		if (!small && !strcmp(ways[i].peer, LINUX)) {
			base[i] = -1;
			continue;
		}
		worker = add_worker(s, ways[i].peer, ways[i].nslots, npages,
				    b->fd);
		if (worker >= 0) {
			s->workers[worker].page_shift = page_shift;
			s->workers[worker].strict = ways[i].strict;
		}
		item = add_time(s, worker, &job, "%u KiB: %s",
				1u << (page_shift - 10), ways[i].name);
		if (i < 4) {
			base[i] = item;
			continue;
		}
		for (k = 0; k < 4; k++) {
			enum bench_target kind = NO_TARGET;

			if (small && i == 4 && k < 2)
				kind = AT_MOST;
			add_comparison(s, item, base[k], kind, k ? 0.9 : 1.15,
				       "%u KiB: %s / %s",
				       1u << (page_shift - 10), ways[i].name,
				       ways[k].name);
		}
	}
}

void plan_miss(const struct bench *b, struct bench_section *s)
{
	plan_miss_of(b, s, 12);
	plan_miss_of(b, s, 16);
}

void plan_copy(const struct bench *b, struct bench_section *s)
{
	static const char *const peers[3] = { "pkmap", "linux", "mmap" };
	const int workers[3] = {
		add_window(s, "pkmap", b->scratch_fd),
		add_window(s, LINUX, b->scratch_fd),
		add_window(s, "mmap", b->scratch_fd),
	};
	int items[3];
	int set;
	int p;

	for (set = 0; set < 3; set++) {
		struct job job = {
			.work = WORK_COPY,
			.pattern = PATTERN_UNIFORM,
			.pages = (uint32_t)(working_sets[set].windows * SLOTS),
			.threads = 1,
		};
		for (p = 0; p < 3; p++) {
			job.ops = ops_on(b, set, peers[p]) / 2;
			job.lead_in = job.ops;
			items[p] = add_time(s, workers[p], &job,
					    "%s: copy of a page, %s", peers[p],
					    working_sets[set].name);
		}
		add_comparison(s, items[0], items[1], NO_TARGET, 0,
			       "%s: pkmap / linux", working_sets[set].name);
		add_comparison(s, items[0], items[2], NO_TARGET, 0,
			       "%s: pkmap / mmap, munmap",
			       working_sets[set].name);
	}
}
