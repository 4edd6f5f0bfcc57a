// SPDX-License-Identifier: MIT
/*
 * cpus.c - counts the cache lines that up to 128 CPUs exchange, with simulated
 * caches (worker/cpus.c).
 */
#include "plan.h"

#define HALF	  (SLOTS / 2)
#define TOTAL	  (16 * SLOTS) /* operations of all CPUs together */
#define NPEERS	  3
#define CPUS_MOST 128u

struct cpus_work {
	const char *title;
	const char *plot;
	struct job job;
	bool floor; /* it can be compared with the floor */
	bool full;  /* hold all slots but one for each two CPUs */
};

/* The floor's words are always placed as in a new window. */
static const struct cpus_work cpus_works[] = {
	{
		.title = "Pin and unmap of different pages, new window",
		.plot = "cpus-new",
		.job = { .work = WORK_PIN,
			 .pattern = PATTERN_TURN,
			 .pages = HALF,
			 .prepare = SLOTS },
		.floor = true,
	},
	{
		.title = "Pin and unmap of different pages, mixed slots",
		.plot = "cpus-mixed",
		.job = { .work = WORK_PIN,
			 .pattern = PATTERN_TURN,
			 .pages = HALF,
			 .prepare = HALF,
			 .mix = 4 * TOTAL },
	},
	{
		.title = "Pin and unmap of one page",
		.plot = "cpus-same",
		.job = { .work = WORK_PIN,
			 .pattern = PATTERN_SAME,
			 .pages = HALF,
			 .prepare = SLOTS },
		.floor = true,
	},
	{
		.title = "Pin that misses",
		.plot = "cpus-pin-miss",
		.job = { .work = WORK_PIN_MISS,
			 .pattern = PATTERN_TURN,
			 .first = SLOTS,
			 .pages = HALF,
			 .prepare = SLOTS },
	},
	{
		.title = "Map and unmap, Zipf 0.99 over 10 windows",
		.plot = "cpus-zipf",
		.job = { .work = WORK_MAP,
			 .pattern = PATTERN_ZIPF,
			 .pages = 10 * SLOTS },
	},
	{
		.title = "Map that misses, and unmap",
		.plot = "cpus-miss",
		.job = { .work = WORK_MAP,
			 .pattern = PATTERN_CYCLE,
			 .pages = 4 * SLOTS },
	},
	{
		.title = "Map and unmap in a full window, one slot for two "
			 "CPUs",
		.plot = "cpus-full",
		.job = { .work = WORK_MAP,
			 .pattern = PATTERN_OWN,
			 .first = SLOTS,
			 .pages = 10 * SLOTS },
		.full = true,
	},
};

static struct job job_on(const struct bench *b, const struct cpus_work *w,
			 uint32_t ncpus)
{
	struct job job = w->job;

	job.threads = ncpus;
	job.ops = ops_of(b, TOTAL) / ncpus;
	job.lead_in = job.ops;
	job.mix = (uint32_t)ops_of(b, job.mix);
	job.draws = (uint32_t)(job.lead_in + job.ops);
	if (w->full)
		job.hold = SLOTS - (ncpus + 1) / 2;
	return job;
}

static void compare(struct bench_section *s, const struct cpus_work *w,
		    const int items[NPEERS])
{
	add_comparison(s, items[1], items[0], NO_TARGET, 0,
		       "%s, %u CPUs: linux / pkmap", w->title, CPUS_MOST);
	if (w->floor)
		add_comparison(s, items[0], items[2], NO_TARGET, 0,
			       "%s, %u CPUs: pkmap / floor", w->title,
			       CPUS_MOST);
}

static void plan_cpus_of(const struct bench *b, struct bench_section *s,
			 const struct cpus_work *w, const int workers[NPEERS])
{
	static const char *const peers[NPEERS] = { "pkmap", "linux", "floor" };
	static const char *const copies[NPEERS] = { "pkmap, invalidated",
						    "linux, invalidated",
						    "floor, invalidated" };
	uint32_t ncpus;
	struct job job;
	int items[NPEERS] = { -1, -1, -1 }; /* with the most CPUs */
	int item;
	int run;
	int p;

	for (p = 0; p < (w->floor ? NPEERS : NPEERS - 1); p++) {
		/* With --quick, a few numbers of CPUs. */
		for (ncpus = 1; ncpus <= CPUS_MOST;
		     ncpus *= b->quick && ncpus > 1 ? 8 : 2) {
			job = job_on(b, w, ncpus);
			run = add_run(s, workers[p], &job);
			items[p] = add_item(s, run, FIELD_TRANSFERS,
					    "%s: %s, %u CPUs", peers[p],
					    w->title, ncpus);
			add_to_plot(s, items[p], w->plot, peers[p], ncpus);
			add_to_table(s, items[p], w->title, peers[p], ncpus);
			item = add_item(s, run, FIELD_INVALIDATIONS,
					"%s: %s, %u CPUs", peers[p], w->title,
					ncpus);
			add_to_table(s, item, w->title, copies[p], ncpus);
		}
	}
	compare(s, w, items);
}

void plan_cpus(const struct bench *b, struct bench_section *s)
{
	int workers[NPEERS];
	size_t i;

	s->columns = "CPUs";
#ifndef PKMAP_BENCH_CPUS
	leave_out(s, "this build cannot record accesses to memory");
	return;
#endif
	workers[0] = add_window(s, "pkmap-cpus", -1);
	workers[1] = add_window(s, "linux-cpus-512", -1);
	workers[2] = add_window(s, "floor-cpus", -1);
	for (i = 0; i < sizeof(cpus_works) / sizeof(cpus_works[0]); i++)
		plan_cpus_of(b, s, &cpus_works[i], workers);
}
