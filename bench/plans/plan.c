// SPDX-License-Identifier: MIT
/*
 * plan.c - the sections, and what their plans share.
 *
 * A peer whose program is missing is left out, with all comparisons that need
 * it: see add_worker().
 */
#include "plan.h"

#include <stdarg.h>
#include <string.h>

const struct working_set working_sets[NSETS] = {
	{ "half a window", 0.5 },
	{ "2 windows", 2 },
	{ "10 windows", 10 },
	{ "100 windows", 100 },
};

const struct draw draws[NDRAWS] = {
	{ "Zipf 0.99", "policy-zipf", PATTERN_ZIPF },
	{ "uniform", "policy-uniform", PATTERN_UNIFORM },
};

uint64_t ops_of(const struct bench *b, uint64_t ops)
{
	return b->quick ? ops / 8 : ops;
}

int add_time(struct bench_section *s, int worker, const struct job *job,
	     const char *format, ...)
{
	char name[BENCH_NAME_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	return add_item(s, add_run(s, worker, job), FIELD_NS, "%s", name);
}

int add_window(struct bench_section *s, const char *peer, int fd)
{
	return add_sized(s, peer, SLOTS, fd);
}

/* Linux's workers are built for one size of the window. */
int add_sized(struct bench_section *s, const char *peer, uint32_t nslots,
	      int fd)
{
	char linux_peer[32];

	if (!strcmp(peer, "linux")) {
		snprintf(linux_peer, sizeof(linux_peer), "linux-%u", nslots);
		peer = linux_peer;
	}
	return add_worker(s, peer, nslots, BENCH_FILE_PAGES, fd);
}

const struct bench_plan bench_plans[] = {
	{ "pin", "One thread, all pages mapped", plan_pin, false },
	{ "threads", "Several threads", plan_threads, false },
	{ "mixed", "Pins of different pages in slots that reclaim has mixed",
	  plan_mixed, false },
	{ "full", "Maps that miss while nearly all slots are held", plan_full,
	  false },
	{ "interrupts", "Pins, interrupted by pins of one page",
	  plan_interrupts, false },
	{ "reclaim", "How long a pin takes while another thread reclaims",
	  plan_reclaim, false },
	{ "policy", "Misses and flushes of the two replacement policies",
	  plan_policy, true },
	{ "traces", "The same for the pages that real programs used",
	  plan_traces, true },
	{ "map", "Maps that hit and miss, with a real MMU", plan_map, false },
	{ "miss", "Maps that all miss, with a real MMU", plan_miss, false },
	{ "copy", "Copying a page with two maps, with a real MMU", plan_copy,
	  false },
	{ "window", "How cost grows with the window, in time", plan_window,
	  false },
	{ "instructions", "How cost grows with the window, in instructions",
	  plan_instructions, true },
	{ "cpus", "Cache lines that up to 128 CPUs exchange, simulated",
	  plan_cpus, true },
	{ "pump", "Copying a file", plan_pump, false },
};

const int bench_nplans = sizeof(bench_plans) / sizeof(bench_plans[0]);
