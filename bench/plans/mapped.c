// SPDX-License-Identifier: MIT
/*
 * mapped.c - mostly operations that take no lock in pkmap, because all pages
 * are mapped.  Translations are words in an array.
 */
#include "plan.h"

#define HALF (SLOTS / 2)

/* A job on half a window of pages, all of them mapped. */
static struct job job_mapped(const struct bench *b, enum job_work work)
{
	return (struct job){
		.work = work,
		.pattern = PATTERN_TURN,
		.pages = HALF,
		.prepare = SLOTS,
		.threads = 1,
		.lead_in = LEAD_IN,
		.ops = ops_of(b, FAST_OPS),
	};
}

/*
 * Pins of random pages that are not mapped, out of all others of the file, and
 * of random pages that are: as many as the window, which is full or half full.
 */
static void plan_pin_misses(const struct bench *b, struct bench_section *s,
			    bool full)
{
	const int pkmap = add_window(s, "pkmap", -1);
	const int locking = add_window(s, LINUX, -1);
	const char *name = full ? "full window" : "half full window";
	struct job job = job_mapped(b, WORK_PIN);
	int misses;
	int theirs;
	int hits;

	job.pattern = PATTERN_UNIFORM;
	job.scattered = BENCH_FILE_PAGES;
	job.prepare = full ? SLOTS : HALF;
	job.pages = job.prepare;
	hits = add_time(s, pkmap, &job, "pkmap: pin, unmap, random pages, %s",
			name);
	job.work = WORK_PIN_MISS;
	job.first = SLOTS;
	job.pages = BENCH_FILE_PAGES - SLOTS;
	misses = add_time(s, pkmap, &job,
			  "pkmap: pin that misses, random pages, %s", name);
	theirs = add_time(s, locking, &job,
			  "linux: pin that misses, random pages, %s", name);
	add_comparison(s, theirs, misses, AT_LEAST, 2,
		       "pin that misses, random pages, %s: linux / pkmap",
		       name);
	add_comparison(s, misses, hits, AT_MOST, 0.6,
		       "random pages, %s: pin that misses / pin, unmap", name);
}

void plan_pin(const struct bench *b, struct bench_section *s)
{
	static const struct {
		const char *name;
		enum job_work work;
		enum bench_target vs_floor;
	} works[] = {
		{ "pin, unmap", WORK_PIN, AT_MOST },
		{ "map that hits, unmap", WORK_MAP, NO_TARGET },
	};
	const int floor = add_window(s, "floor", -1);
	const int pkmap = add_window(s, "pkmap", -1);
	const int locking = add_window(s, LINUX, -1);
	const int in_page = add_window(s, "linux-virtual-512", -1);
	struct job job = job_mapped(b, WORK_PIN);
	const int least = add_time(s, floor, &job, "floor");
	size_t i;

	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		const char *name = works[i].name;
		int ours;
		int theirs;

		job.work = works[i].work;
		ours = add_time(s, pkmap, &job, "pkmap: %s", name);
		add_comparison(s, ours, least, works[i].vs_floor, 1.08,
			       "%s: pkmap / floor", name);
		theirs = add_time(s, locking, &job, "linux: %s", name);
		add_comparison(s, theirs, ours, AT_LEAST, 2,
			       "%s: linux / pkmap", name);
		theirs = add_time(s, in_page, &job,
				  "linux, address in struct page: %s", name);
		add_comparison(s, theirs, ours, NO_TARGET, 0,
			       "%s: linux, address in struct page / pkmap",
			       name);
	}
	plan_pin_misses(b, s, false);
	plan_pin_misses(b, s, true);
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/*
 * The numbers of threads to measure: 1, 2, the number of CPUs, and twice that.
 * Returns how many numbers there are.
 */
static int thread_counts(const struct bench *b, uint32_t counts[4])
{
	const uint32_t wanted[4] = { 1, 2, b->ncpus, 2 * b->ncpus };
	int n = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if ((!n || wanted[i] > counts[n - 1]) &&
		    wanted[i] <= JOB_THREADS_MAX)
			counts[n++] = wanted[i];
	}
	return n;
}

struct placement {
	const char *name;
	const char *plot; /* for pins */
	enum job_pattern pattern;
	uint32_t pages; /* all mapped, or several windows of them */
	enum bench_target target;
	double over_floor; /* at most, of a pin with 1 and 2 threads; or 0 */
};

/* One kind of work on one placement of pages. */
struct threads_work {
	enum job_work work;
	const char *name;
	const struct placement *place;
	const int *workers; /* floor, pkmap, linux */
};

/* Adds @job for all peers.  Returns pkmap's item. */
static int plan_threads_at(struct bench_section *s,
			   const struct threads_work *w, const struct job *job)
{
	static const char *const peers[3] = { "floor", "pkmap", "linux" };
	const bool pins = w->work == WORK_PIN;
	int items[3];
	char what[64];
	int p;

	snprintf(what, sizeof(what), "%s, %s, %u thread%s", w->name,
		 w->place->name, job->threads, plural(job->threads));
	/* Maps have no floor here: they may miss, which costs more. */
	for (p = pins ? 0 : 1; p < 3; p++) {
		items[p] = add_time(s, w->workers[p], job, "%s: %s", peers[p],
				    what);
		if (pins)
			add_to_plot(s, items[p], w->place->plot, peers[p],
				    job->threads);
	}
	add_comparison(s, items[2], items[1],
		       job->threads == 2 ? w->place->target : NO_TARGET, 5,
		       "%s: linux / pkmap", what);
	if (pins)
		add_comparison(s, items[1], items[0],
			       job->threads <= 2 ? AT_MOST : NO_TARGET,
			       w->place->over_floor, "%s: pkmap / floor", what);
	return items[1];
}

static void plan_threads_of(const struct bench *b, struct bench_section *s,
			    const struct threads_work *w)
{
	struct job job = job_mapped(b, w->work);
	uint32_t counts[4];
	const int n = thread_counts(b, counts);
	int one = -1;
	int item;
	int i;

	job.pattern = w->place->pattern;
	job.pages = w->place->pages;
	if (job.pages > SLOTS)
		job.prepare = 0;
	for (i = 0; i < n; i++) {
		job.threads = counts[i];
		job.ops = ops_of(b, FAST_OPS) / counts[i];
		item = plan_threads_at(s, w, &job);
		if (!i)
			one = item;
		else if (w->place->target && counts[i] == 2)
			add_comparison(s, one, item, AT_LEAST, 1.8,
				       "%s, %s: pkmap's throughput with 2 "
				       "threads / with 1",
				       w->name, w->place->name);
	}
}

/*
 * Each peer has two windows: one with its pages in the slots that a new window
 * gives out, and one whose slots the maps that miss may mix.
 */
void plan_threads(const struct bench *b, struct bench_section *s)
{
	static const struct placement different = {
		"different pages", "threads-different",
		PATTERN_TURN,	   HALF,
		AT_LEAST,	   1.08,
	};
	static const struct placement same = {
		"one page", "threads-same", PATTERN_SAME, HALF, NO_TARGET, 1.4,
	};
	static const struct placement many = {
		"Zipf 0.99 over 10 windows",
		NULL,
		PATTERN_ZIPF,
		10 * SLOTS,
		NO_TARGET,
		0,
	};
	const int workers[3] = {
		add_window(s, "floor", -1),
		add_window(s, "pkmap", -1),
		add_window(s, LINUX, -1),
	};
	const int used[3] = {
		-1,
		add_window(s, "pkmap", -1),
		add_window(s, LINUX, -1),
	};
	const struct threads_work works[] = {
		{ WORK_PIN, "pin", &different, workers },
		{ WORK_MAP, "map", &different, workers },
		{ WORK_PIN, "pin", &same, workers },
		{ WORK_MAP, "map", &same, workers },
		{ WORK_MAP, "map", &many, used },
	};
	size_t i;

	if (b->ncpus < 2) {
		leave_out(s, "there is one CPU only");
		return;
	}
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		plan_threads_of(b, s, &works[i]);
}

void plan_interrupts(const struct bench *b, struct bench_section *s)
{
	static const uint32_t rates[] = { 0, 1000, 20000 };
	const int pkmap = add_window(s, "pkmap", -1);
	const int locking = add_window(s, LINUX, -1);
	uint32_t threads;
	int ours[3];
	int theirs[3];
	int i;

	for (threads = 1; threads <= 2 && threads <= b->ncpus; threads++) {
		for (i = 0; i < 3; i++) {
			struct job job = job_mapped(b, WORK_PIN);

			job.threads = threads;
			job.irq_hz = rates[i];
			/* Long enough for some interrupts to come. */
			job.ops *= rates[i] == 1000 ? 4 : 1;
			ours[i] = add_time(s, pkmap, &job,
					   "pkmap: %u Hz, %u thread%s",
					   rates[i], threads, plural(threads));
			theirs[i] = add_time(s, locking, &job,
					     "linux: %u Hz, %u thread%s",
					     rates[i], threads,
					     plural(threads));
			add_comparison(s, theirs[i], ours[i], NO_TARGET, 0,
				       "%u Hz, %u thread%s: linux / pkmap",
				       rates[i], threads, plural(threads));
		}
		add_comparison(s, ours[2], ours[0], NO_TARGET, 0,
			       "%u thread%s: pkmap at 20000 Hz / at 0", threads,
			       plural(threads));
		add_comparison(s, theirs[2], theirs[0], NO_TARGET, 0,
			       "%u thread%s: linux at 20000 Hz / at 0", threads,
			       plural(threads));
	}
}

/*
 * One thread pins 64 held pages in turn, while another one maps other pages.
 * The floor, which reclaims nothing, shows the share of the host.
 */
void plan_reclaim(const struct bench *b, struct bench_section *s)
{
	static const struct {
		const char *peer;
		const char *name;
	} peers[] = {
		{ "pkmap", "pkmap" },
		{ "linux-tickets-512", "linux" },
		{ "floor", "floor" },
	};
	static const struct {
		enum bench_field field;
		const char *name;
	} parts[] = {
		{ FIELD_P50, "median" },      { FIELD_P99, "p99" },
		{ FIELD_P999, "p99.9" },      { FIELD_P9999, "p99.99" },
		{ FIELD_SLOWEST, "slowest" },
	};
	const struct job job = {
		.work = WORK_LATENCY,
		.pattern = PATTERN_UNIFORM,
		.hold = 64,
		.first = 64,
		.pages = 10 * SLOTS,
		.threads = 2,
		.lead_in = LEAD_IN,
		.ops = FAST_OPS / 2, /* 13 of them are beyond p99.99 */
	};
	int items[3][5];
	int run;
	int p;
	int i;

	if (b->ncpus < 2) {
		leave_out(s, "there is one CPU only");
		return;
	}
	for (p = 0; p < 3; p++) {
		run = add_run(s, add_window(s, peers[p].peer, -1), &job);
		for (i = 0; i < 5; i++)
			items[p][i] = add_item(s, run, parts[i].field, "%s: %s",
					       peers[p].name, parts[i].name);
		add_to_plot(s, items[p][0], "latency", peers[p].name, 0);
	}
	for (i = 0; i < 5; i++) {
		add_comparison(s, items[0][i], items[1][i],
			       i == 3 ? AT_MOST : NO_TARGET, 0.1,
			       "%s: pkmap / linux", parts[i].name);
		add_comparison(s, items[0][i], items[2][i], NO_TARGET, 0,
			       "%s: pkmap / floor", parts[i].name);
	}
}
