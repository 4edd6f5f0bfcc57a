// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_stress.c - everything that maps high memory, at once.
 *
 * Threads map more pages than there are slots, so that slots are reclaimed all
 * the time; one of them does so right after an interrupt.  Another thread holds
 * nearly all slots now and then, so that the others have to wait; one has idle
 * mappings torn down; one uses kmap_local_page(); one takes a CPU offline and
 * back.  On each CPU a timer interrupt pins pages and does cache maintenance
 * for a device that is not coherent.
 *
 * Each page contains, in several places, its index, which never changes, and a
 * version.  The owner of a page may compare its versions and write the next
 * one.  To own a page is to have set its bit, which nobody waits for.  Others
 * only check the index.  For that a mapping is enough, and it shows if an
 * address leads to the wrong page, or if the cache holds what belongs to no
 * page.
 *
 * Only the thread that holds nearly all slots waits for a slot while it has
 * pages mapped.  So the others always make progress, and therefore it does too.
 */
#define pr_fmt(fmt) "kmap_test: stress " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/platform_device.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/swait.h>

#include "kmap_test.h"
#include "kmap_watch.h"

#define PAGES	     2048 /* a power of two, and more than there are slots */
#define HOT	     256  /* of these, used more often than the others */
#define PLACES	     8	  /* in a page: each has a struct place */
#define STRIDE	     (PAGE_SIZE / PLACES)
#define MAGIC	     0x6b6d0000u

#define UNKNOWN	     0 /* a version that is not compared */

#define PERIOD_NS    500000 /* between interrupts; at most as much is added */
#define TURN	     128    /* pages that are mapped after an interrupt */
#define PATIENCE     (60 * HZ) /* for a thread to end */
#define MOST_REPORTS 10
#define MOST_THREADS (2 * NR_CPUS + 5)

struct place {
	u32 page; /* MAGIC plus the page's index */
	u32 version;
};

enum count {
	MAPS,
	PINS,
	UNMAPPED,
	DMA_PINS,
	LOCAL_PINS,
	OFFLINED,
	WRONG,
	NCOUNTS,
};

struct stress;

/* A thread, or the interrupt of a CPU. */
struct actor {
	struct stress *s;
	const char *name;
	struct rnd_state rnd;
	/* For a thread only. */
	void (*run)(struct actor *a);
	struct task_struct *task;
	struct completion done;
};

struct interrupt {
	struct actor actor;
	struct hrtimer timer;
	struct tasklet_struct set_timer;
	bool stop;
	/* What it pinned the last time, or NULL, and which page that is. */
	void *held;
	unsigned int page;
};

struct stress {
	struct page **pages;
	struct platform_device *device;
	bool stop;
	struct swait_queue_head turn;
	u32 interrupted;
	atomic_long_t count[NCOUNTS];
	unsigned long reclaims; /* before the run */
	unsigned int nthreads;
	struct actor thread[MOST_THREADS];
	struct interrupt interrupt[NR_CPUS];
	DECLARE_BITMAP(owned, PAGES);
	u32 version[PAGES]; /* each belongs to its page's owner */
};

static long read_count(struct stress *s, enum count c)
{
	return atomic_long_read(&s->count[c]);
}

static void add_count(struct stress *s, enum count c, long n)
{
	atomic_long_add(n, &s->count[c]);
}

static struct place *place(void *addr, unsigned int k)
{
	return addr + k * STRIDE;
}

static void __printf(2, 3) report(struct actor *a, const char *format, ...)
{
	struct stress *s = a->s;
	struct va_format text = { .fmt = format };
	va_list args;

	if (atomic_long_inc_return(&s->count[WRONG]) > MOST_REPORTS)
		return;
	va_start(args, format);
	text.va = &args;
	pr_err("%s: %pV\n", a->name, &text);
	va_end(args);
}

/* Is this page seen at this address?  The caller need not own it. */
static bool check_page(struct actor *a, unsigned int page, void *addr)
{
	unsigned int k;
	u32 seen;

	for (k = 0; addr && k < PLACES; k++) {
		seen = READ_ONCE(place(addr, k)->page);
		if (seen == MAGIC + page)
			continue;
		report(a, "page %u at %px, place %u: 0x%08x is not 0x%08x",
		       page, addr, k, seen, MAGIC + page);
		return false;
	}
	if (!addr)
		report(a, "page %u is mapped, but has no address", page);
	return addr;
}

static bool try_own(struct stress *s, unsigned int page)
{
	return !test_and_set_bit_lock(page, s->owned);
}

static void disown(struct stress *s, unsigned int page)
{
	clear_bit_unlock(page, s->owned);
}

/* The page's owner does that. */
static void check_version(struct actor *a, unsigned int page, void *addr)
{
	const u32 version = a->s->version[page];
	unsigned int k;
	u32 seen;

	for (k = 0; version != UNKNOWN && k < PLACES; k++) {
		seen = READ_ONCE(place(addr, k)->version);
		if (seen == version)
			continue;
		report(a, "page %u at %px, place %u: version %u is not %u",
		       page, addr, k, seen, version);
		return;
	}
}

/* The page's owner does that. */
static void write_version(struct actor *a, unsigned int page, void *addr)
{
	u32 *version = &a->s->version[page];
	unsigned int k;

	if (++*version == UNKNOWN)
		++*version;
	for (k = 0; k < PLACES; k++)
		WRITE_ONCE(place(addr, k)->version, *version);
}

/* Checks a mapped page; writes its next version if it can be owned. */
static void use(struct actor *a, unsigned int page, void *addr)
{
	if (!check_page(a, page, addr) || !try_own(a->s, page))
		return;
	check_version(a, page, addr);
	write_version(a, page, addr);
	if (check_page(a, page, addr))
		check_version(a, page, addr);
	disown(a->s, page);
}

static unsigned int any_page(struct actor *a)
{
	const u32 n = prandom_u32_state(&a->rnd);

	return (n >> 16) % (n & 1 ? PAGES : HOT);
}

/*
 * The threads
 */

static void map_any(struct actor *a)
{
	unsigned int page;
	void *addr;

	while (!READ_ONCE(a->s->stop)) {
		page = any_page(a);
		addr = kmap(a->s->pages[page]);
		use(a, page, addr);
		if (page % 64)
			cond_resched();
		else
			schedule_timeout_uninterruptible(1);
		check_page(a, page, addr);
		kunmap(a->s->pages[page]);
		add_count(a->s, MAPS, 1);
	}
}

/* Twice, because pages that were used only once may be replaced first. */
static void map_twice(struct actor *a, unsigned int page)
{
	void *addr = kmap(a->s->pages[page]);

	use(a, page, kmap(a->s->pages[page]));
	check_page(a, page, addr);
	kunmap(a->s->pages[page]);
	kunmap(a->s->pages[page]);
	add_count(a->s, MAPS, 2);
}

static bool is_turn(struct stress *s)
{
	return xchg(&s->interrupted, 0) || READ_ONCE(s->stop);
}

/*
 * Maps one page after the other, so that hardly any is still mapped at its next
 * turn.  Runs after an interrupt, before all other threads, so that slots get
 * other pages wherever the interrupt found a thread.
 */
static void map_in_turn(struct actor *a)
{
	unsigned int page = 0;
	unsigned int k;

	sched_set_normal(current, MIN_NICE);
	while (!READ_ONCE(a->s->stop)) {
		swait_event_interruptible_exclusive(a->s->turn, is_turn(a->s));
		for (k = 0; k < TURN; k++) {
			map_twice(a, page);
			page = (page + 1) % PAGES;
		}
	}
}

/* Holds so many slots that the other threads have to wait for the rest. */
static void map_many(struct actor *a)
{
	const unsigned int n = LAST_PKMAP - 2 - num_possible_cpus();
	unsigned int first;
	unsigned int page;
	unsigned int k;

	while (!READ_ONCE(a->s->stop)) {
		first = any_page(a);
		for (k = 0; k < n; k++) {
			page = (first + k) % PAGES;
			use(a, page, kmap(a->s->pages[page]));
			cond_resched();
		}
		schedule_timeout_uninterruptible(1);
		for (k = 0; k < n; k++) {
			page = (first + k) % PAGES;
			check_page(a, page, page_address(a->s->pages[page]));
			kunmap(a->s->pages[page]);
			cond_resched();
		}
		add_count(a->s, MAPS, n);
		msleep(50);
	}
}

/* In bursts, so that slots can run out in between. */
static void flush_unused(struct actor *a)
{
	unsigned int k;

	while (!READ_ONCE(a->s->stop)) {
		for (k = 0; k < 20; k++) {
			kmap_flush_unused();
			cond_resched();
		}
		msleep(50);
	}
}

static void *map_local(struct actor *a, unsigned int page)
{
	void *addr = kmap_local_page(a->s->pages[page]);
	const unsigned long at = (unsigned long)addr;

	if (at >= PKMAP_ADDR(0) && at < PKMAP_ADDR(LAST_PKMAP))
		add_count(a->s, LOCAL_PINS, 1);
	return addr;
}

/*
 * If kmap() does not map the page, its local address is another one, and has
 * lines of its own in a VIVT cache.  So the page is only read there, and only
 * what never changes.
 */
static void look_local(struct actor *a, unsigned int page)
{
	void *addr = map_local(a, page);
	unsigned int k;

	for (k = 0; k < 50 && check_page(a, page, addr); k++)
		cpu_relax();
	kunmap_local(addr);
}

/* While kmap() maps the page, it has only one address on a VIVT machine. */
static void use_local(struct actor *a, unsigned int page)
{
	void *addr = kmap(a->s->pages[page]);
	void *local = map_local(a, page);

	use(a, page, local);
	use(a, page, addr);
	kunmap_local(local);
	check_page(a, page, addr);
	kunmap(a->s->pages[page]);
	add_count(a->s, MAPS, 1);
}

static void use_locals(struct actor *a)
{
	while (!READ_ONCE(a->s->stop)) {
		look_local(a, any_page(a));
		use_local(a, any_page(a));
		cond_resched();
	}
}

/*
 * The interrupts
 */

static void unpin(struct interrupt *in)
{
	if (!in->held)
		return;
	check_page(&in->actor, in->page, in->held);
	kmap_test_unpin(in->actor.s->pages[in->page]);
	in->held = NULL;
}

/* Until the next interrupt only the pin keeps the page mapped. */
static void pin_another(struct interrupt *in)
{
	struct stress *s = in->actor.s;

	unpin(in);
	in->page = any_page(&in->actor);
	in->held = kmap_test_pin(s->pages[in->page]);
	if (in->held)
		use(&in->actor, in->page, in->held);
	add_count(s, in->held ? PINS : UNMAPPED, 1);
}

static bool maintain(struct device *dev, struct page *page,
		     enum dma_data_direction dir)
{
	dma_addr_t handle = dma_map_page(dev, page, 0, PAGE_SIZE, dir);

	if (dma_mapping_error(dev, handle))
		return false;
	dma_sync_single_for_cpu(dev, handle, PAGE_SIZE, dir);
	dma_sync_single_for_device(dev, handle, PAGE_SIZE, dir);
	dma_unmap_page(dev, handle, PAGE_SIZE, dir);
	return true;
}

/*
 * Only on a page that it owns: what others write meanwhile could be lost.
 * Maintenance for DMA_FROM_DEVICE discards what is only in the cache.  The
 * index has been in memory since make_page(), but the version may not be.
 */
static void maintain_another(struct interrupt *in)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE,
		DMA_FROM_DEVICE,
		DMA_BIDIRECTIONAL,
	};
	struct stress *s = in->actor.s;
	const unsigned int page = any_page(&in->actor);
	const enum dma_data_direction dir =
		dirs[prandom_u32_state(&in->actor.rnd) % ARRAY_SIZE(dirs)];
	unsigned long before;

	if (!try_own(s, page))
		return;
	before = kmap_watch_pins();
	if (!maintain(&s->device->dev, s->pages[page], dir))
		report(&in->actor, "page %u cannot be mapped for DMA", page);
	add_count(s, DMA_PINS, kmap_watch_pins() - before);
	if (dir == DMA_FROM_DEVICE)
		s->version[page] = UNKNOWN;
	disown(s, page);
}

/* Only now and then, to leave time for the other threads. */
static void take_turn(struct interrupt *in)
{
	struct stress *s = in->actor.s;

	if (prandom_u32_state(&in->actor.rnd) % 2)
		return;
	WRITE_ONCE(s->interrupted, 1);
	swake_up_one(&s->turn);
}

/* Without pkmap, a pin takes a lock that sleeps on a real-time kernel. */
#define TIMER_MODE \
	(IS_ENABLED(CONFIG_PKMAP) ? HRTIMER_MODE_REL_PINNED_HARD : \
				    HRTIMER_MODE_REL_PINNED)

/*
 * A tasklet, because on a slow machine the next interrupt could be due before
 * this one ends, and the kernel warns about that.
 */
static void set_timer(struct tasklet_struct *tasklet)
{
	struct interrupt *in = from_tasklet(in, tasklet, set_timer);
	const u32 jitter = prandom_u32_state(&in->actor.rnd) % PERIOD_NS;

	if (!READ_ONCE(in->stop))
		hrtimer_start(&in->timer, PERIOD_NS + jitter, TIMER_MODE);
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct interrupt *in = container_of(timer, struct interrupt, timer);

	pin_another(in);
	maintain_another(in);
	take_turn(in);
	tasklet_schedule(&in->set_timer);
	return HRTIMER_NORESTART;
}

/* Runs on the CPU whose timer it starts. */
static void start_timer(void *arg)
{
	struct stress *s = arg;

	hrtimer_start(&s->interrupt[smp_processor_id()].timer, PERIOD_NS,
		      TIMER_MODE);
}

#ifdef CONFIG_HOTPLUG_CPU
/* A CPU that goes offline leaves its timer to another, so it gets it back. */
static void replug(struct actor *a, unsigned int cpu)
{
	if (remove_cpu(cpu))
		return;
	add_count(a->s, OFFLINED, 1);
	msleep(20);
	if (add_cpu(cpu)) {
		report(a, "CPU %u does not come back online", cpu);
		return;
	}
	hrtimer_cancel(&a->s->interrupt[cpu].timer);
	smp_call_function_single(cpu, start_timer, a->s, true);
}

static void replug_cpu(struct actor *a)
{
	const unsigned int cpu = cpumask_last(cpu_online_mask);

	while (!READ_ONCE(a->s->stop)) {
		msleep(100);
		if (cpu)
			replug(a, cpu);
	}
}
#endif

/*
 * Beginning and end
 */

/* Also writes the index back from the cache to memory. */
static bool make_page(struct stress *s, unsigned int page)
{
	void *addr = kmap(s->pages[page]);
	bool done;
	unsigned int k;

	for (k = 0; k < PLACES; k++) {
		place(addr, k)->page = MAGIC + page;
		place(addr, k)->version = UNKNOWN;
	}
	done = maintain(&s->device->dev, s->pages[page], DMA_TO_DEVICE);
	kunmap(s->pages[page]);
	return done;
}

static bool make_pages(struct stress *s)
{
	unsigned int page;

	for (page = 0; page < PAGES; page++) {
		if (!make_page(s, page))
			return false;
		cond_resched();
	}
	return true;
}

static int run_thread(void *arg)
{
	struct actor *a = arg;

	a->run(a);
	complete(&a->done);
	return 0;
}

static int begin_thread(struct stress *s, void (*run)(struct actor *a),
			const char *name)
{
	struct actor *a = &s->thread[s->nthreads];

	a->s = s;
	a->name = name;
	a->run = run;
	prandom_seed_state(&a->rnd, s->nthreads);
	init_completion(&a->done);
	a->task = kthread_run(run_thread, a, "kmap_test/%s", name);
	if (IS_ERR(a->task))
		return PTR_ERR(a->task);
	get_task_struct(a->task);
	s->nthreads++;
	return 0;
}

static int begin_threads(struct stress *s)
{
	unsigned int n = 2 * num_online_cpus();
	int err = 0;

	while (!err && n--)
		err = begin_thread(s, map_any, "any");
	if (!err)
		err = begin_thread(s, map_in_turn, "turn");
	if (!err)
		err = begin_thread(s, map_many, "many");
	if (!err)
		err = begin_thread(s, flush_unused, "flush");
	if (!err)
		err = begin_thread(s, use_locals, "local");
#ifdef CONFIG_HOTPLUG_CPU
	if (!err)
		err = begin_thread(s, replug_cpu, "replug");
#endif
	return err;
}

/*
 * Each ends by itself, unless it waited for a slot and nobody woke it.
 * kthread_stop() wakes it then.
 */
static void end_thread(struct actor *a)
{
	if (!wait_for_completion_timeout(&a->done, PATIENCE))
		report(a, "does not end");
	kthread_stop(a->task);
	put_task_struct(a->task);
}

static void end_threads(struct stress *s)
{
	unsigned int k;

	WRITE_ONCE(s->stop, true);
	swake_up_one(&s->turn);
	for (k = 0; k < s->nthreads; k++)
		end_thread(&s->thread[k]);
}

static void prepare_interrupt(struct stress *s, unsigned int cpu)
{
	struct interrupt *in = &s->interrupt[cpu];

	in->actor.s = s;
	in->actor.name = "interrupt";
	prandom_seed_state(&in->actor.rnd, 1000 + cpu);
	hrtimer_init(&in->timer, CLOCK_MONOTONIC, TIMER_MODE);
	in->timer.function = on_timer;
	tasklet_setup(&in->set_timer, set_timer);
}

static void start_interrupts(struct stress *s)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) prepare_interrupt(s, cpu);
	on_each_cpu(start_timer, s, true);
}

/* The tasklet may just have set the timer, which schedules it once more. */
static void stop_interrupt(struct stress *s, unsigned int cpu)
{
	struct interrupt *in = &s->interrupt[cpu];

	WRITE_ONCE(in->stop, true);
	tasklet_kill(&in->set_timer);
	hrtimer_cancel(&in->timer);
	tasklet_kill(&in->set_timer);
	unpin(in);
}

static void stop_interrupts(struct stress *s)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) stop_interrupt(s, cpu);
}

static void print_counts(struct stress *s, const char *when)
{
	pr_info("%smaps=%ld pins=%ld unmapped=%ld dma_pins=%ld local_pins=%ld reclaims=%lu runs=%lu offlined=%ld wrong=%ld\n",
		when, read_count(s, MAPS), read_count(s, PINS),
		read_count(s, UNMAPPED), read_count(s, DMA_PINS),
		read_count(s, LOCAL_PINS), kmap_watch_reclaims() - s->reclaims,
		kmap_watch_runs(), read_count(s, OFFLINED),
		read_count(s, WRONG));
}

static int watch(struct stress *s, unsigned int seconds, const char **why)
{
	char when[16];
	unsigned int t;

	for (t = 1; t <= seconds; t++) {
		if (msleep_interruptible(1000)) {
			*why = "interrupted";
			return -EINTR;
		}
		snprintf(when, sizeof(when), "t=%u ", t);
		print_counts(s, when);
	}
	return 0;
}

/* Returns what did not happen that should have, or NULL. */
static const char *missing(struct stress *s)
{
	if (!read_count(s, MAPS))
		return "nothing was mapped";
	if (IS_ENABLED(CONFIG_HOTPLUG_CPU) && num_online_cpus() > 1 &&
	    !read_count(s, OFFLINED))
		return "no CPU was taken offline";
	if (kmap_test_has_pin() && !read_count(s, PINS))
		return "nothing was pinned";
	if (!IS_ENABLED(CONFIG_PKMAP))
		return NULL;
	if (!read_count(s, LOCAL_PINS))
		return "kmap_local_page() pinned nothing";
	if (IS_ENABLED(CONFIG_TRACEPOINTS) && !read_count(s, DMA_PINS))
		return "cache maintenance for DMA pinned nothing";
	if (kmap_watch_reclaims() == s->reclaims)
		return "no slot was reclaimed";
	return NULL;
}

static int run(struct stress *s, unsigned int seconds, const char **why)
{
	int err;

	s->reclaims = kmap_watch_reclaims();
	init_swait_queue_head(&s->turn);
	start_interrupts(s);
	err = begin_threads(s);
	if (err)
		*why = "cannot start a thread";
	else
		err = watch(s, seconds, why);
	end_threads(s);
	stop_interrupts(s);
	if (err)
		return err;

	print_counts(s, "");
	*why = read_count(s, WRONG) ? "something was wrong" : missing(s);
	return *why ? -EIO : 0;
}

static int run_watched(struct stress *s, unsigned int seconds, const char **why)
{
	int err;

	if (!make_pages(s)) {
		*why = "a page cannot be mapped for DMA";
		return -EIO;
	}
	err = kmap_watch_begin();
	if (err) {
		*why = "cannot register the tracepoints";
		return err;
	}
	err = run(s, seconds, why);
	kmap_watch_end();
	return err;
}

static int run_with_device(struct stress *s, unsigned int seconds,
			   const char **why)
{
	struct device *dev;
	int err;

	s->device = platform_device_register_simple("kmap_test", -1, NULL, 0);
	if (IS_ERR(s->device)) {
		*why = "no device";
		return PTR_ERR(s->device);
	}
	dev = &s->device->dev;
	err = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (err) {
		*why = "no DMA";
	} else if (dev_is_dma_coherent(dev)) {
		*why = "DMA is coherent, and no cache is maintained for it";
		err = -EIO;
	} else {
		err = run_watched(s, seconds, why);
	}
	platform_device_unregister(s->device);
	return err;
}

int kmap_stress(unsigned int seconds, const char **why)
{
	struct stress *s = kvzalloc(sizeof(*s), GFP_KERNEL);
	int err = -ENOMEM;

	*why = "no memory";
	if (!s)
		return err;
	s->pages = kmap_test_alloc(PAGES);
	if (s->pages)
		err = run_with_device(s, seconds, why);
	kmap_test_free(s->pages, PAGES);
	kvfree(s);
	return err;
}
