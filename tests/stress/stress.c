// SPDX-License-Identifier: MIT
#include "stress.h"

#include "src/window_priv.h"
#include "tests/hang.h"
#include "tests/random.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INTERRUPT_SIGNAL SIGUSR1
#define INTERRUPT_NS	 100000 /* less than 10 kHz */
#define STAMPS		 4u
#define OWNERS		 (2 * STRESS_WORKERS)
#define FIRST_COUNTER	 8u /* word of the page */

/* glibc has no name for it. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct area {
	struct stress_window *window;
	uint32_t stored[OWNERS][STRESS_PAGES];
	/* How often the port's operations were called. */
	atomic_ulong sets;
	atomic_ulong cleared;
	atomic_ulong waits;
};

static struct area areas[STRESS_WINDOWS];
static atomic_uint reclaims;
static const struct pkmap_ops *posix_ops;
static struct worker *watched;
static unsigned int nwatched;
static _Thread_local struct worker *self;

void stress_fail(const char *format, ...)
{
	char text[256] = "Bail out! ";
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - used - 1, format, args);
	va_end(args);
	strcat(text, "\n");
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(2);
	_exit(1);
}

static void report(void *arg, const struct pkmap_report *r)
{
	(void)arg;
	stress_fail("%s reports misuse %d: address %p, page %ld, slot %ld",
		    r->call, (int)r->what, r->addr, (long)r->pfn,
		    (long)r->slot);
}

static struct area *area_of_port(const void *port)
{
	unsigned int i;

	for (i = 0; i < STRESS_WINDOWS; i++)
		if (areas[i].window && areas[i].window->port == port)
			return &areas[i];
	stress_fail("an operation on a window that is not open");
}

static bool is_local(const struct area *area, const void *addr)
{
	const struct pkmap_window *win = area->window->win;

	return ((uintptr_t)addr - win->base) >> win->page_shift >= win->nslots;
}

static int count_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct area *area = area_of_port(port);
	int err = posix_ops->set(port, addr, pfn, read_only);

	if (!err && !is_local(area, addr))
		atomic_fetch_add(&area->sets, 1);
	return err;
}

static void count_clear(void *port, void *addr, size_t npages)
{
	struct area *area = area_of_port(port);

	if (is_local(area, addr)) {
		posix_ops->clear(port, addr, npages);
		return;
	}
	atomic_fetch_add(&reclaims, 1);
	posix_ops->clear(port, addr, npages);
	atomic_fetch_add(&reclaims, 1);
	atomic_fetch_add(&area->cleared, npages);
}

static int count_wait(void *port, pkmap_a32 *event, uint32_t seen,
		      const struct pkmap_wait *wait)
{
	atomic_fetch_add(&area_of_port(port)->waits, 1);
	return posix_ops->wait(port, event, seen, wait);
}

unsigned int stress_reclaims(void)
{
	return atomic_load_explicit(&reclaims, memory_order_acquire);
}

/* Replaces the port's operations by ours, which count and call them. */
static void watch_ops(struct pkmap_window *win)
{
	static struct pkmap_ops ops;

	if (!posix_ops) {
		posix_ops = win->ops;
		ops = *win->ops;
		ops.set = count_set;
		ops.clear = count_clear;
		ops.wait = count_wait;
	}
	win->ops = &ops;
}

/* With NULL: an area that no window has. */
static struct area *area_of(const struct stress_window *w)
{
	unsigned int i;

	for (i = 0; i < STRESS_WINDOWS; i++)
		if (areas[i].window == w)
			return &areas[i];
	stress_fail("more than %u windows", STRESS_WINDOWS);
}

static uint32_t stamp(pkmap_pfn pfn, size_t n)
{
	return (uint32_t)(pfn + 1) * 0x9e3779b1u + (uint32_t)n;
}

/* The word with the n-th stamp: the first, the last, and some between. */
static size_t stamp_word(const struct stress_window *w, size_t n)
{
	return n * (w->words - 1) / (STAMPS - 1);
}

static void stamp_pages(const struct stress_window *w)
{
	uint32_t *page = calloc(w->words, sizeof(*page));
	size_t bytes = w->words * sizeof(*page);
	pkmap_pfn pfn;
	size_t n;

	if (!page)
		stress_fail("out of memory");
	for (pfn = 0; pfn < w->npages; pfn++) {
		for (n = 0; n < STAMPS; n++)
			page[stamp_word(w, n)] = stamp(pfn, n);
		if (pwrite(pkmap_posix_fd(w->port), page, bytes,
			   (off_t)(pfn * bytes)) != (ssize_t)bytes)
			stress_fail("pwrite: %s", strerror(errno));
	}
	free(page);
}

void stress_open(struct stress_window *w, uint32_t nslots, pkmap_pfn npages)
{
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = npages,
		.nslots = nslots,
		.strict = true,
		.report = report,
	};
	struct area *area = area_of(NULL);

	stress_must(pkmap_posix_open(&config, &w->port));
	w->win = pkmap_posix_window(w->port);
	w->npages = npages;
	w->words = pkmap_posix_page_size(w->port) / sizeof(uint32_t);
	stamp_pages(w);
	memset(area, 0, sizeof(*area));
	area->window = w;
	watch_ops(w->win);
}

/* Checks the file, which a device would read, not the window. */
static void check_file(const struct stress_window *w)
{
	size_t bytes = w->words * sizeof(uint32_t);
	uint32_t *page = malloc(bytes);
	const struct area *area = area_of(w);
	pkmap_pfn pfn;
	size_t o;

	if (!page)
		stress_fail("out of memory");
	for (pfn = 0; pfn < w->npages; pfn++) {
		if (pread(pkmap_posix_fd(w->port), page, bytes,
			  (off_t)(pfn * bytes)) != (ssize_t)bytes)
			stress_fail("pread: %s", strerror(errno));
		stress_check(w, page, pfn);
		for (o = 0; o < OWNERS; o++)
			if (page[FIRST_COUNTER + o] != area->stored[o][pfn])
				stress_fail("I1: page %lu has %u of owner %zu, "
					    "who stored %u",
					    pfn, page[FIRST_COUNTER + o], o,
					    area->stored[o][pfn]);
	}
	free(page);
}

static void check_stats(const struct stress_window *w)
{
	struct area *area = area_of(w);
	struct pkmap_stats stats;
	unsigned long left;

	pkmap_read_stats(w->win, &stats);
	left = stats.misses - stats.reclaimed;
	if (stats.misses != atomic_load(&area->sets))
		stress_fail("%lu misses, but set() was called another number "
			    "of times",
			    stats.misses);
	if (stats.reclaimed != atomic_load(&area->cleared))
		stress_fail("%lu slots reclaimed, but clear() was called for "
			    "another number",
			    stats.reclaimed);
	if (stats.waits != atomic_load(&area->waits))
		stress_fail("%lu waits, but wait() was called another number "
			    "of times",
			    stats.waits);
	if (stats.misuses)
		stress_fail("%lu misuses", stats.misuses);
	if (pkmap_flush_unused(w->win) != left)
		stress_fail("not just %lu pages were still mapped", left);
}

void stress_close(struct stress_window *w)
{
	check_file(w);
	check_stats(w);
	stress_must(pkmap_posix_close(w->port));
	area_of(w)->window = NULL;
}

void stress_check(const struct stress_window *w, const void *addr,
		  pkmap_pfn pfn)
{
	const uint32_t *page = addr;
	size_t n;

	for (n = 0; n < STAMPS; n++) {
		uint32_t seen = page[stamp_word(w, n)];

		if (seen != stamp(pfn, n))
			stress_fail("I3: %p shows stamp %#x, not %#x of page "
				    "%lu",
				    addr, seen, stamp(pfn, n), pfn);
	}
}

void stress_use(struct worker *me, struct stress_window *w, void *addr,
		pkmap_pfn pfn, bool in_interrupt)
{
	const unsigned int owner = 2 * me->nr + in_interrupt;
	uint32_t *counter = (uint32_t *)addr + FIRST_COUNTER + owner;
	uint32_t *stored = &area_of(w)->stored[owner][pfn];

	stress_check(w, addr, pfn);
	if (*counter != *stored)
		stress_fail("I2: %s %u finds %u in page %lu at %p, stored %u",
			    me->role, me->nr, *counter, pfn, addr, *stored);
	*counter = ++*stored;
}

void stress_used_by_child(struct worker *me, struct stress_window *w,
			  pkmap_pfn pfn)
{
	area_of(w)->stored[2 * me->nr][pfn]++;
}

uint32_t stress_random(struct worker *me, bool in_interrupt)
{
	return random_next(&me->random[in_interrupt]);
}

pkmap_pfn stress_some_page(struct worker *me, const struct stress_window *w,
			   bool in_interrupt)
{
	return stress_random(me, in_interrupt) % w->npages;
}

bool stress_pin(struct worker *me, struct stress_window *w, pkmap_pfn pfn,
		bool in_interrupt)
{
	void *addr = pkmap_pin(w->win, pfn);

	if (!addr)
		return false;
	stress_use(me, w, addr, pfn, in_interrupt);
	stress_must(pkmap_unmap(w->win, addr));
	return true;
}

/* Armed once per interrupt, so that the task runs on a slow machine too. */
static void set_timer(struct worker *me)
{
	const struct itimerspec once = {
		.it_value.tv_nsec = INTERRUPT_NS + (long)me->nr * 1000,
	};

	if (timer_settime(me->timer, 0, &once, NULL))
		stress_fail("timer_settime: %s", strerror(errno));
}

static void on_timer(int sig)
{
	int saved = errno;

	(void)sig;
	if (self) {
		self->interrupt(self);
		set_timer(self);
	}
	errno = saved;
}

static unsigned long all_done(void)
{
	unsigned long done = 0;
	unsigned int i;

	for (i = 0; i < nwatched; i++)
		done += atomic_load(&watched[i].done);
	return done;
}

/* If there was no progress for long: prints what each thread is doing. */
static void on_alarm(int sig)
{
	static unsigned long before = (unsigned long)-1;
	unsigned long done = all_done();
	char text[160];
	int len;
	unsigned int i;

	(void)sig;
	if (done != before) {
		before = done;
		alarm(HANG_SECONDS);
		return;
	}
	for (i = 0; i < nwatched; i++) {
		len = snprintf(text, sizeof(text),
			       "# %s %u: %lu rounds, in %s\n", watched[i].role,
			       i, atomic_load(&watched[i].done),
			       atomic_load(&watched[i].doing));
		if (write(STDOUT_FILENO, text, (size_t)len) != len)
			break;
	}
	stress_fail("I7, I9: nothing has happened for %d seconds",
		    HANG_SECONDS);
}

static void start_timer(struct worker *me)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = INTERRUPT_SIGNAL,
		.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid),
	};

	if (timer_create(CLOCK_MONOTONIC, &event, &me->timer))
		stress_fail("timer_create: %s", strerror(errno));
	set_timer(me);
}

/* Stops the task's interrupts before the task ends. */
static void *work(void *arg)
{
	struct worker *me = arg;

	if (me->interrupt) {
		self = me;
		start_timer(me);
	}
	me->run(me);
	if (me->interrupt) {
		self = NULL;
		timer_delete(me->timer);
	}
	atomic_store(&me->doing, "nothing, it is done");
	return NULL;
}

static void handle(int sig, void (*handler)(int sig))
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_RESTART,
	};

	if (sigaction(sig, &action, NULL))
		stress_fail("sigaction: %s", strerror(errno));
}

static void start(struct worker *me, unsigned int nr)
{
	me->nr = nr;
	me->random[0] = (nr + 1) * 0x9e3779b97f4a7c15u;
	me->random[1] = (nr + 1) * 0xc2b2ae3d27d4eb4fu;
	atomic_store(&me->doing, "starting");
	if (pthread_create(&me->thread, NULL, work, me))
		stress_fail("cannot start a thread");
}

void stress_run(struct worker *workers, unsigned int n)
{
	sigset_t alarm_set;
	unsigned int i;

	watched = workers;
	nwatched = n;
	handle(INTERRUPT_SIGNAL, on_timer);
	handle(SIGALRM, on_alarm);
	/* Workers inherit the mask, so this thread gets the alarm. */
	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_set, NULL);
	for (i = 0; i < n; i++)
		start(&workers[i], i);
	pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
	alarm(HANG_SECONDS);
	for (i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	alarm(0);
}
