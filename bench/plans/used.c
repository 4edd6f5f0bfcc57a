// SPDX-License-Identifier: MIT
/*
 * used.c - windows as they are after a while: their slots are mixed, or most of
 * them are held.  Translations are words in an array.
 */
#include "plan.h"

/* Half a window of pages, which two other threads mapped after mixing. */
static struct job job_mixed(const struct bench *b, uint32_t nslots,
			    uint32_t threads)
{
	return (struct job){
		.work = WORK_PIN,
		.pattern = PATTERN_TURN,
		.pages = nslots / 2,
		.mixers = 2,
		.mix = (uint32_t)ops_of(b, 16 * nslots),
		.threads = threads,
		.lead_in = LEAD_IN,
		.ops = ops_of(b, FAST_OPS) / threads,
	};
}

/* One to two threads pin pages that each mapped on its CPU. */
static void plan_mixed_own(const struct bench *b, struct bench_section *s,
			   uint32_t nslots)
{
	static const char *const peers[3] = { "floor", "pkmap", "linux" };
	int items[3][3];
	uint32_t n;
	int p;

	for (n = 1; n <= 2; n++) {
		const struct job job = job_mixed(b, nslots, n);
		const char *plural = n == 1 ? "" : "s";

		for (p = 0; p < 3; p++) {
			items[p][n] =
				add_time(s, add_sized(s, peers[p], nslots, -1),
					 &job, "%s: pin, %u slots, %u thread%s",
					 peers[p], nslots, n, plural);
			if (nslots == SLOTS && p)
				add_to_plot(s, items[p][n], "threads-mixed",
					    peers[p], n);
		}
		add_comparison(s, items[2][n], items[1][n],
			       n == 2 ? AT_LEAST : NO_TARGET, 5,
			       "pin, %u slots, %u thread%s: linux / pkmap",
			       nslots, n, plural);
		add_comparison(s, items[1][n], items[0][n], NO_TARGET, 0,
			       "pin, %u slots, %u thread%s: pkmap / floor",
			       nslots, n, plural);
	}
	add_comparison(s, items[1][1], items[1][2], AT_LEAST, 1.9,
		       "pin, %u slots: pkmap's throughput with 2 threads / "
		       "with 1",
		       nslots);
}

/* The same for pages that the other CPU mapped. */
static void plan_mixed_others(const struct bench *b, struct bench_section *s)
{
	const int pkmap = add_window(s, "pkmap", -1);
	const int floor = add_window(s, "floor", -1);
	int items[3];
	int least;
	uint32_t n;

	for (n = 1; n <= 2; n++) {
		struct job job = job_mixed(b, SLOTS, n);
		const char *plural = n == 1 ? "" : "s";

		job.shift = 1;
		items[n] = add_time(s, pkmap, &job,
				    "pkmap: pin, mapped by another CPU, %u "
				    "thread%s",
				    n, plural);
		least = add_time(s, floor, &job,
				 "floor: pin, mapped by another CPU, %u "
				 "thread%s",
				 n, plural);
		add_comparison(s, items[n], least, NO_TARGET, 0,
			       "pin, mapped by another CPU, %u thread%s: "
			       "pkmap / floor",
			       n, plural);
	}
	add_comparison(s, items[1], items[2], NO_TARGET, 0,
		       "pin, mapped by another CPU: pkmap's throughput with 2 "
		       "threads / with 1");
}

void plan_mixed(const struct bench *b, struct bench_section *s)
{
	static const uint32_t sizes[] = { 64, 512, 4096 };
	int i;

	if (b->ncpus < 2) {
		leave_out(s, "there is one CPU only");
		return;
	}
	for (i = 0; i < 3; i++)
		plan_mixed_own(b, s, sizes[i]);
	plan_mixed_others(b, s);
}

/* All slots but @nfree are held.  Held slots are never given back. */
static void plan_full_of(const struct bench *b, struct bench_section *s,
			 uint32_t nslots, uint32_t nfree)
{
	const struct job job = {
		.work = WORK_MAP,
		.pattern = PATTERN_CYCLE,
		.first = nslots,
		.pages = 4 * nslots,
		.scattered = BENCH_FILE_PAGES,
		.hold = nslots,
		.release = nfree,
		.threads = 1,
		.lead_in = SLOW_OPS / 4,
		.ops = ops_of(b, 2 * SLOW_OPS),
	};
	const int ours = add_time(s, add_sized(s, "pkmap", nslots, -1), &job,
				  "pkmap: map that misses, %u slots, %u free",
				  nslots, nfree);
	const int theirs = add_time(s, add_sized(s, "linux", nslots, -1), &job,
				    "linux: map that misses, %u slots, %u free",
				    nslots, nfree);

	add_comparison(s, theirs, ours, AT_LEAST, 1,
		       "map that misses, %u slots, %u free: linux / pkmap",
		       nslots, nfree);
}

void plan_full(const struct bench *b, struct bench_section *s)
{
	static const uint32_t sizes[] = { 512, 4096 };
	static const uint32_t frees[] = { 1, 10, 100 };
	int size;
	int i;

	for (size = 0; size < 2; size++) {
		for (i = 0; i < 3; i++)
			plan_full_of(b, s, sizes[size], frees[i]);
	}
}
