// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_throughput.c - how often one CPU can map a page that is already mapped,
 * and how often two CPUs can, each with a page of its own.
 */
#define pr_fmt(fmt) "kmap_test: throughput " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "kmap_test.h"

#define CPUS	     2
#define SETTLE_MS    20 /* from creating the threads to their common start */
#define RUN_MS	     300
#define LEAST_ROUNDS 9
#define PAGES	     16 /* a round uses two of them */
#define BATCH	     64 /* maps between looks at the clock */

struct mapper {
	struct page *page;
	ktime_t start;
	u64 per_second;
	struct task_struct *task;
};

static int map_for_a_while(void *arg)
{
	struct mapper *m = arg;
	const ktime_t end = ktime_add_ms(m->start, RUN_MS);
	ktime_t start;
	ktime_t now;
	u64 maps = 0;
	unsigned int k;

	do {
		cond_resched();
		start = ktime_get();
	} while (ktime_before(start, m->start));

	do {
		for (k = 0; k < BATCH; k++) {
			kmap(m->page);
			kunmap(m->page);
		}
		maps += BATCH;
		cond_resched();
		now = ktime_get();
	} while (ktime_before(now, end));

	m->per_second = div64_u64(maps * NSEC_PER_SEC,
				  ktime_to_ns(ktime_sub(now, start)));
	return 0;
}

static int create(struct mapper *m, unsigned int cpu)
{
	m->task = kthread_create_on_cpu(map_for_a_while, m, cpu,
					"kmap_test/map/%u");
	if (IS_ERR(m->task))
		return PTR_ERR(m->task);
	get_task_struct(m->task);
	return 0;
}

static void join(struct mapper *m)
{
	kthread_stop(m->task);
	put_task_struct(m->task);
}

/* Adds up how many maps per second each of the first @n CPUs makes. */
static int measure(struct page **pages, unsigned int n, u64 *total)
{
	struct mapper m[CPUS] = { 0 };
	const ktime_t start = ktime_add_ms(ktime_get(), SETTLE_MS);
	unsigned int created;
	unsigned int k;
	int err = 0;

	for (created = 0; created < n; created++) {
		m[created].page = pages[created];
		m[created].start = start;
		err = create(&m[created], created);
		if (err)
			break;
	}
	for (k = 0; !err && k < created; k++)
		wake_up_process(m[k].task);
	if (!err)
		schedule_timeout_uninterruptible(
			msecs_to_jiffies(SETTLE_MS + RUN_MS));
	*total = 0;
	for (k = 0; k < created; k++) {
		join(&m[k]);
		*total += m[k].per_second;
	}
	return err;
}

static int measure_rounds(struct page **pages, unsigned int rounds,
			  const char **why)
{
	struct page **pair;
	unsigned int k;
	u64 one;
	u64 two;

	for (k = 0; k < rounds; k++) {
		pair = pages + CPUS * k % PAGES;
		if (measure(pair, 1, &one) || measure(pair, CPUS, &two)) {
			*why = "cannot start a thread";
			return -ENOMEM;
		}
		pr_info("one=%llu two=%llu\n", one, two);
		if (signal_pending(current)) {
			*why = "interrupted";
			return -EINTR;
		}
	}
	return 0;
}

int kmap_throughput(unsigned int seconds, const char **why)
{
	const unsigned int rounds = seconds * MSEC_PER_SEC / (2 * RUN_MS);
	struct page **pages;
	unsigned int k;
	int err;

	if (!cpu_online(0) || !cpu_online(1)) {
		*why = "needs two CPUs";
		return -ENODEV;
	}
	pages = kmap_test_alloc(PAGES);
	if (!pages) {
		*why = "no memory";
		return -ENOMEM;
	}
	for (k = 0; k < PAGES; k++)
		kmap(pages[k]);
	for (k = 0; k < PAGES; k++)
		kunmap(pages[k]);
	err = measure_rounds(pages, max_t(unsigned int, rounds, LEAST_ROUNDS),
			     why);
	kmap_test_free(pages, PAGES);
	return err;
}
