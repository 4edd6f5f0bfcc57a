/* SPDX-License-Identifier: MIT */
/*
 * fast.c - pin, unmap, and a map that hits, on one CPU and on two.
 *
 * The floor is what no reference count held in a word of the slot can go
 * below: one atomic addition to take it, one to give it back.  Its words are as
 * far apart as the slots' words, and each is used when the page in that slot
 * would be, so that both share cache lines, between pages and between CPUs,
 * alike.
 */
#include "bench.h"
#include "window_priv.h"

#include <pkmap/posix.h>

#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NPAGES	128
#define OPS	(1u << 18)
#define LEAD_IN (OPS >> 6)

/* As far apart as the words of the slots are. */
struct floor_word {
	_Atomic uint32_t count;
};

/* Pages that one thread goes round in, a power of two of them. */
struct part {
	struct pkmap_window *win;
	uint64_t mask;
	pkmap_pfn pfns[NPAGES];
	_Atomic uint32_t *words[NPAGES];
};

typedef int (*loop_fn)(const struct part *part, uint64_t ops);

/*
 * A loop on one CPU; or on two, each on pages of its own, one after the other
 * or together.
 */
struct run {
	loop_fn loop;
	const struct part *parts[2];
	int nparts;
	bool together;
	const int *cpus;
};

struct worker {
	const struct run *run;
	int part;
	uint64_t ops;
	_Atomic int *missing; /* workers that are not ready yet */
	uint64_t wall;	      /* nanoseconds from start to end */
	uint64_t cpu;	      /* of which it had the CPU */
	int error;
};

struct fast {
	struct pkmap_posix *hm;
	struct floor_word *words;
	struct part all;       /* mapped pages */
	struct part none;      /* pages that are not mapped */
	struct part turns[2];  /* pages mapped by two CPUs in turn */
	struct part blocks[2]; /* half of the pages, then the other half */
	struct run runs[16];
	int nruns;
};

static __attribute__((noinline)) void floor_get(_Atomic uint32_t *word)
{
	atomic_fetch_add_explicit(word, 1, memory_order_acquire);
}

static __attribute__((noinline)) void floor_put(_Atomic uint32_t *word)
{
	atomic_fetch_sub_explicit(word, 1, memory_order_release);
}

static int loop_floor(const struct part *part, uint64_t ops)
{
	const uint64_t mask = part->mask;
	_Atomic uint32_t *word;
	uint64_t i;

	for (i = 0; i < ops; i++) {
		word = part->words[i & mask];
		floor_get(word);
		floor_put(word);
	}
	return 0;
}

static int loop_pin(const struct part *part, uint64_t ops)
{
	struct pkmap_window *win = part->win;
	const uint64_t mask = part->mask;
	uint64_t i;
	void *addr;

	for (i = 0; i < ops; i++) {
		addr = pkmap_pin(win, part->pfns[i & mask]);
		if (!addr || pkmap_unmap(win, addr))
			return -1;
	}
	return 0;
}

static int loop_hit(const struct part *part, uint64_t ops)
{
	struct pkmap_window *win = part->win;
	const uint64_t mask = part->mask;
	uint64_t i;
	void *addr;

	for (i = 0; i < ops; i++) {
		if (pkmap_map(win, part->pfns[i & mask], NULL, &addr) ||
		    pkmap_unmap(win, addr))
			return -1;
	}
	return 0;
}

static int loop_pin_miss(const struct part *part, uint64_t ops)
{
	struct pkmap_window *win = part->win;
	const uint64_t mask = part->mask;
	uint64_t i;

	for (i = 0; i < ops; i++) {
		if (pkmap_pin(win, part->pfns[i & mask]))
			return -1;
	}
	return 0;
}

static void wait_for_all(_Atomic int *missing)
{
	atomic_fetch_sub(missing, 1);
	while (atomic_load(missing) > 0)
		sched_yield();
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct part *part = w->run->parts[w->part];
	uint64_t wall;
	uint64_t cpu;

	w->error = w->run->loop(part, LEAD_IN);
	wait_for_all(w->missing);
	wall = bench_now(CLOCK_MONOTONIC);
	cpu = bench_now(CLOCK_THREAD_CPUTIME_ID);
	if (!w->error)
		w->error = w->run->loop(part, w->ops);
	w->cpu = bench_now(CLOCK_THREAD_CPUTIME_ID) - cpu;
	w->wall = bench_now(CLOCK_MONOTONIC) - wall;
	return NULL;
}

static int start_worker(pthread_t *thread, struct worker *w, int cpu)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int error;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	error = pthread_attr_init(&attr);
	if (error)
		return error;
	error = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (!error)
		error = pthread_create(thread, &attr, work, w);
	pthread_attr_destroy(&attr);
	return error;
}

/* The first part's thread is this one, which is on the first CPU. */
static int run_once(const struct run *run, uint64_t ops, struct worker *w)
{
	_Atomic int missing = run->together ? 2 : 1;
	pthread_t other;
	int error;
	int i;

	for (i = 0; i < run->nparts; i++)
		w[i] = (struct worker){
			.run = run,
			.part = i,
			.ops = ops / (uint64_t)run->nparts,
			.missing = &missing,
		};
	if (!run->together)
		work(&w[0]);
	if (run->nparts > 1) {
		error = start_worker(&other, &w[1], run->cpus[1]);
		if (error) {
			warnx("thread: %s", strerror(error));
			return -1;
		}
		if (run->together)
			work(&w[0]);
		pthread_join(other, NULL);
	}
	if (w[0].error || w[run->nparts - 1].error) {
		warnx("a call failed that should not");
		return -1;
	}
	return 0;
}

/*
 * How long the operations take at the rate of the one thread; of both threads,
 * if they run together, else at the mean of their rates.  (The CPUs of a virtual
 * machine need not be equally fast at a time.)
 */
static uint64_t time_of(const struct run *run, const struct worker *w)
{
	double both;

	if (run->nparts == 1)
		return w[0].cpu;
	both = 2 / (1 / (double)w[0].cpu + 1 / (double)w[1].cpu);
	return (uint64_t)(run->together ? both : 2 * both);
}

static bool lost_cpu(const struct worker *w)
{
	return w->wall - w->cpu > w->wall / 10;
}

/*
 * Two threads get in each other's way only while both run: if one lost its CPU
 * to another process, once more, unless the machine is never quiet enough.
 */
static int run_sample(void *arg, uint64_t ops, uint64_t *ns)
{
	const struct run *run = arg;
	struct worker w[2];
	int tries;

	for (tries = 0; tries < 20; tries++) {
		if (run_once(run, ops, w))
			return -1;
		*ns = time_of(run, w);
		if (!run->together || (!lost_cpu(&w[0]) && !lost_cpu(&w[1])))
			break;
	}
	return 0;
}

/* Goes round in @n pages: @first, @first + @step and so on. */
static void make_part(const struct fast *f, struct part *part, unsigned int n,
		      pkmap_pfn first, pkmap_pfn step)
{
	const void *addr;
	uintptr_t offset;
	unsigned int i;

	part->win = pkmap_posix_window(f->hm);
	part->mask = n - 1;
	for (i = 0; i < n; i++) {
		part->pfns[i] = first + i * step;
		addr = pkmap_pfn_to_addr(part->win, part->pfns[i]);
		if (!addr)
			continue;
		offset = (uintptr_t)addr - part->win->base;
		part->words[i] =
			&f->words[offset >> part->win->page_shift].count;
	}
}

static int map_pages(struct fast *f)
{
	struct pkmap_window *win = pkmap_posix_window(f->hm);
	pkmap_pfn pfn;
	void *addr;
	int error;

	for (pfn = 0; pfn < NPAGES; pfn++) {
		error = pkmap_map(win, pfn, NULL, &addr);
		if (error)
			return error;
		pkmap_unmap(win, addr);
	}
	return 0;
}

static struct run *new_run(struct bench *b, struct fast *f, loop_fn loop,
			   const struct part *first, const struct part *second,
			   bool together)
{
	struct run *run = &f->runs[f->nruns++];

	run->loop = loop;
	run->parts[0] = first;
	run->parts[1] = second;
	run->nparts = second ? 2 : 1;
	run->together = together;
	run->cpus = b->cpus;
	return run;
}

static int add(struct bench *b, struct fast *f, const char *name, loop_fn loop,
	       const struct part *part)
{
	return bench_add(b, run_sample, new_run(b, f, loop, part, NULL, false),
			 OPS, "%s", name);
}

static void add_one_cpu(struct bench *b, struct fast *f)
{
	int floor_item = add(b, f, "floor", loop_floor, &f->all);
	int pin = add(b, f, "pin, unmap", loop_pin, &f->all);
	int hit = add(b, f, "map that hits, unmap", loop_hit, &f->all);
	int miss = add(b, f, "pin that misses", loop_pin_miss, &f->none);

	bench_compare(b, pin, floor_item, BENCH_AT_MOST, 1.5,
		      "pin, unmap / floor");
	bench_compare(b, hit, floor_item, BENCH_NO_TARGET, 0,
		      "map that hits, unmap / floor");
	bench_compare(b, miss, floor_item, BENCH_NO_TARGET, 0,
		      "pin that misses / floor");
}

/* Throughput, the inverse of time: of both threads, divided by that of one. */
static void add_two_cpus(struct bench *b, struct fast *f, const char *what,
			 loop_fn loop, const char *where,
			 const struct part *parts, enum bench_target kind)
{
	int one;
	int two;

	one = bench_add(b, run_sample,
			new_run(b, f, loop, &parts[0], &parts[1], false), OPS,
			"%s, %s", what, where);
	two = bench_add(b, run_sample,
			new_run(b, f, loop, &parts[0], &parts[1], true), OPS,
			"%s, %s, two threads", what, where);
	bench_compare(b, one, two, kind, 1.8, "%s, %s: two threads / one", what,
		      where);
}

struct fast *fast_setup(struct bench *b)
{
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 2 * NPAGES,
		.nslots = NPAGES,
	};
	struct fast *f = calloc(1, sizeof(*f));
	unsigned int t;
	int error;

	if (!f)
		err(EXIT_FAILURE, "fast_setup");
	f->words = aligned_alloc(PKMAP_ALIGN, NPAGES * sizeof(*f->words));
	if (!f->words)
		err(EXIT_FAILURE, "fast_setup");
	memset(f->words, 0, NPAGES * sizeof(*f->words));
	error = pkmap_posix_open(&config, &f->hm);
	if (!error)
		error = map_pages(f);
	if (error)
		errx(EXIT_FAILURE, "window: %s", pkmap_strerror(error));

	make_part(f, &f->all, NPAGES, 0, 1);
	make_part(f, &f->none, NPAGES, NPAGES, 1);
	for (t = 0; t < 2; t++) {
		make_part(f, &f->turns[t], NPAGES / 2, t, 2);
		make_part(f, &f->blocks[t], NPAGES / 2, t * NPAGES / 2, 1);
	}
	add_one_cpu(b, f);
	if (b->cpus[1] < 0) {
		warnx("only one CPU to run on: nothing said about two");
		b->failed = true;
		return f;
	}
	add_two_cpus(b, f, "pin, unmap", loop_pin, "mapped in turn", f->turns,
		     BENCH_AT_LEAST);
	add_two_cpus(b, f, "floor", loop_floor, "mapped in turn", f->turns,
		     BENCH_NO_TARGET);
	add_two_cpus(b, f, "pin, unmap", loop_pin, "mapped in blocks",
		     f->blocks, BENCH_NO_TARGET);
	add_two_cpus(b, f, "floor", loop_floor, "mapped in blocks", f->blocks,
		     BENCH_NO_TARGET);
	return f;
}

void fast_teardown(struct fast *f)
{
	pkmap_posix_close(f->hm);
	free(f->words);
	free(f);
}
