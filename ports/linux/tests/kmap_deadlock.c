// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_deadlock.c - pins a page with interrupts off, while another CPU reclaims
 * slots.
 *
 * If a pin takes the lock under which TLBs are flushed, and a flush has to
 * interrupt every CPU, the two CPUs wait for each other for ever.  Then the
 * lines that are printed every half second stop.
 */
#define pr_fmt(fmt) "kmap_test: deadlock " fmt

#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "kmap_test.h"

#define PAGES 2048 /* more than there are slots */

struct deadlock {
	struct page **pages; /* the last of them stays mapped, and is pinned */
	unsigned long maps;
	unsigned long pins;
};

static int map_all(void *arg)
{
	struct deadlock *d = arg;
	struct page *page;

	while (!kthread_should_stop()) {
		page = d->pages[d->maps % (PAGES - 1)];
		WRITE_ONCE(*(unsigned long *)kmap(page), d->maps);
		kunmap(page);
		WRITE_ONCE(d->maps, d->maps + 1);
		cond_resched();
	}
	return 0;
}

static int pin_one(void *arg)
{
	struct deadlock *d = arg;
	struct page *page = d->pages[PAGES - 1];
	unsigned long flags;

	while (!kthread_should_stop()) {
		local_irq_save(flags);
		if (kmap_test_pin(page)) {
			kmap_test_unpin(page);
			WRITE_ONCE(d->pins, d->pins + 1);
		}
		local_irq_restore(flags);
		cond_resched();
	}
	return 0;
}

static int watch(struct deadlock *d, unsigned int seconds, const char **why)
{
	unsigned int half;

	for (half = 1; half <= 2 * seconds; half++) {
		if (msleep_interruptible(500)) {
			*why = "interrupted";
			return -EINTR;
		}
		pr_info("t=%u.%u maps=%lu pins=%lu\n", half / 2, half % 2 * 5,
			READ_ONCE(d->maps), READ_ONCE(d->pins));
	}
	if (d->maps && (d->pins || !kmap_test_has_pin()))
		return 0;
	*why = "one of the threads did nothing";
	return -EIO;
}

static int run(struct deadlock *d, unsigned int seconds, const char **why)
{
	struct task_struct *mapper;
	struct task_struct *pinner;
	int err = -ENOMEM;

	*why = "cannot start a thread";
	mapper = kthread_create_on_cpu(map_all, d, 0, "kmap_test/map/%u");
	if (IS_ERR(mapper))
		return err;
	pinner = kthread_create_on_cpu(pin_one, d, 1, "kmap_test/pin/%u");
	if (!IS_ERR(pinner)) {
		wake_up_process(mapper);
		wake_up_process(pinner);
		err = watch(d, seconds, why);
		kthread_stop(pinner);
	}
	kthread_stop(mapper);
	return err;
}

int kmap_deadlock(unsigned int seconds, const char **why)
{
	struct deadlock d = { 0 };
	int err;

	if (!cpu_online(0) || !cpu_online(1)) {
		*why = "needs two CPUs";
		return -ENODEV;
	}
	d.pages = kmap_test_alloc(PAGES);
	if (!d.pages) {
		*why = "no memory";
		return -ENOMEM;
	}
	kmap(d.pages[PAGES - 1]);
	err = run(&d, seconds, why);
	kunmap(d.pages[PAGES - 1]);
	kmap_test_free(d.pages, PAGES);
	return err;
}
