// SPDX-License-Identifier: MIT
/* window.c - how cost grows with the window, in time and in instructions. */
#include "plan.h"

static const uint32_t window_sizes[] = { 64, 512, 4096 };

#define NSIZES 3

/* The work that is measured on windows of several sizes, on random pages. */
static const struct {
	const char *name;
	const char *plot;
	enum job_work work;
	bool misses;
} window_works[] = {
	{ "pin, unmap", "window-pin", WORK_PIN, false },
	{ "map that hits, unmap", "window-hit", WORK_MAP, false },
	{ "map that misses, unmap", "window-miss", WORK_MAP, true },
};

static struct job window_job(const struct bench *b, int work, uint32_t nslots)
{
	return (struct job){
		.work = window_works[work].work,
		.pattern = window_works[work].misses ? PATTERN_CYCLE :
						       PATTERN_UNIFORM,
		.pages = window_works[work].misses ? 4 * nslots : nslots,
		.prepare = nslots,
		.scattered = BENCH_FILE_PAGES,
		.threads = 1,
		.lead_in = LEAD_IN,
		.ops = ops_of(b, FAST_OPS),
	};
}

/* Pins beside the floor, by how often they return to the same pages. */
static void plan_window_floor(const struct bench *b, struct bench_section *s)
{
	static const char *const peers[2] = { "pkmap", "floor" };
	int items[2];
	int draw;
	int i;
	int p;

	for (draw = 0; draw < NDRAWS; draw++) {
		for (i = 0; i < NSIZES; i++) {
			const uint32_t nslots = window_sizes[i];
			struct job job = window_job(b, 0, nslots);

			job.pattern = draws[draw].pattern;
			/* The floor has a word for each of these pages. */
			job.scattered = 0;
			for (p = 0; p < 2; p++)
				items[p] = add_time(
					s, add_sized(s, peers[p], nslots, -1),
					&job, "%s: pin, unmap, %s, %u slots",
					peers[p], draws[draw].name, nslots);
			add_comparison(s, items[0], items[1], NO_TARGET, 0,
				       "pin, unmap, %s, %u slots: pkmap / "
				       "floor",
				       draws[draw].name, nslots);
		}
	}
}

void plan_window(const struct bench *b, struct bench_section *s)
{
	static const char *const peers[2] = { "pkmap", "linux" };
	int work;
	int p;
	int i;

	for (work = 0; work < 3; work++) {
		int items[2][NSIZES];

		for (i = 0; i < NSIZES; i++) {
			const uint32_t nslots = window_sizes[i];
			struct job job = window_job(b, work, nslots);

			for (p = 0; p < 2; p++) {
				items[p][i] = add_time(
					s, add_sized(s, peers[p], nslots, -1),
					&job, "%s: %s, %u slots", peers[p],
					window_works[work].name, nslots);
				add_to_plot(s, items[p][i],
					    window_works[work].plot, peers[p],
					    nslots);
			}
			add_comparison(s, items[1][i], items[0][i], NO_TARGET,
				       0, "%s, %u slots: linux / pkmap",
				       window_works[work].name, nslots);
		}
		for (p = 0; p < 2; p++)
			add_comparison(s, items[p][NSIZES - 1], items[p][0],
				       NO_TARGET, 0,
				       "%s: %s with 4096 slots / with 64",
				       window_works[work].name, peers[p]);
	}
	plan_window_floor(b, s);
}

static const struct {
	const char *name;
	const char *pkmap;
	const char *linux_; /* Linux's functions for the same purpose */
	enum job_work work;
	enum job_pattern pattern;
	double most; /* of the ratio, 4096 slots / 64 slots */
} counted[] = {
	{ "pin", "pkmap_pin", "kmap_high_get", WORK_PIN, PATTERN_UNIFORM,
	  1.15 },
	{ "unmap", "pkmap_unmap", "kunmap_high", WORK_PIN, PATTERN_UNIFORM,
	  1.15 },
	{ "map that hits", "pkmap_map", "kmap_high", WORK_MAP, PATTERN_UNIFORM,
	  1.15 },
	{ "map that misses", "pkmap_map", "kmap_high", WORK_MAP, PATTERN_CYCLE,
	  1.25 },
	{ "pin that misses", "pkmap_pin", "kmap_high_get", WORK_PIN_MISS,
	  PATTERN_TURN, 0 },
	{ "copy of a page with two maps", "pkmap_map pkmap_unmap",
	  "kmap_high kunmap_high", WORK_COPY, PATTERN_UNIFORM, 0 },
};

#define NCOUNTED 6

static struct job counted_job(int i, uint32_t nslots)
{
	const bool misses = counted[i].pattern == PATTERN_CYCLE;

	return (struct job){
		.work = counted[i].work,
		.pattern = counted[i].pattern,
		.first = counted[i].work == WORK_PIN_MISS ? nslots : 0,
		.pages = misses ? 4 * nslots : nslots,
		.prepare = nslots,
		.scattered = counted[i].work == WORK_COPY ? 0 :
							    BENCH_FILE_PAGES,
		.threads = 1,
		/* Misses repeat after a cycle through all pages. */
		.ops = misses ? 4 * 4096 : 1u << 14,
	};
}

static int add_count(const struct bench *b, struct bench_section *s, int i,
		     uint32_t nslots, bool ours)
{
	const struct job job = counted_job(i, nslots);
	const int fd = job.work == WORK_COPY ? b->scratch_fd : -1;
	const char *peer = ours ? "pkmap" : "linux";
	const int run = add_run(s, add_sized(s, peer, nslots, fd), &job);

	if (run < 0)
		return -1;
	s->runs[run].functions = ours ? counted[i].pkmap : counted[i].linux_;
	return add_item(s, run, FIELD_INSTRUCTIONS, "%s: %s, %u slots", peer,
			counted[i].name, nslots);
}

/* With --quick, this is what the test "cost" (scripts/check-cost) checks. */
void plan_instructions(const struct bench *b, struct bench_section *s)
{
	int i;
	int k;

	for (i = 0; i < NCOUNTED; i++) {
		int ours[NSIZES];
		int theirs;

		if (b->quick || counted[i].most == 0) {
			ours[0] = add_count(b, s, i, SLOTS, true);
			theirs = add_count(b, s, i, SLOTS, false);
			add_comparison(s, theirs, ours[0], NO_TARGET, 0,
				       "%s, %u slots: linux / pkmap",
				       counted[i].name, SLOTS);
			continue;
		}
		for (k = 0; k < NSIZES; k++) {
			ours[k] = add_count(b, s, i, window_sizes[k], true);
			theirs = add_count(b, s, i, window_sizes[k], false);
			add_comparison(s, theirs, ours[k], NO_TARGET, 0,
				       "%s, %u slots: linux / pkmap",
				       counted[i].name, window_sizes[k]);
		}
		add_comparison(s, ours[NSIZES - 1], ours[0], AT_MOST,
			       counted[i].most,
			       "%s: pkmap with 4096 slots / with 64",
			       counted[i].name);
	}
}
