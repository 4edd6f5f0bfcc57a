// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmap_watch.c - what pkmap's tracepoints and counters tell the stress test.
 */
#include <linux/compiler.h>
#include <linux/percpu.h>

#include "kmap_test.h"
#include "kmap_watch.h"
#ifdef CONFIG_PKMAP
#include "linux.h"
#include "trace.h"
#endif

#if defined(CONFIG_PKMAP) && defined(CONFIG_TRACEPOINTS)
static DEFINE_PER_CPU(unsigned long, pins);
/*
 * The slot that was cleaned last, and how long the run is that it ends.  They
 * change under the window's lock.
 */
static const void *last_cleaned;
static unsigned long run_length;
static unsigned long runs;

static void see_pin(void *data, unsigned long pfn, const void *addr)
{
	if (addr)
		this_cpu_inc(pins);
}

static void see_clean(void *data, const void *addr)
{
	run_length = addr == last_cleaned + PAGE_SIZE ? run_length + 1 : 1;
	last_cleaned = addr;
	runs += run_length == 2;
}

/* The end of a batch ends a run. */
static void see_reclaim(void *data, const void *addr, size_t npages,
			unsigned int slots)
{
	last_cleaned = NULL;
}

int kmap_watch_begin(void)
{
	int err = register_trace_pkmap_pin(see_pin, NULL);

	runs = 0;
	if (!err)
		err = register_trace_pkmap_clean(see_clean, NULL);
	if (!err)
		err = register_trace_pkmap_reclaim(see_reclaim, NULL);
	return err;
}

void kmap_watch_end(void)
{
	unregister_trace_pkmap_reclaim(see_reclaim, NULL);
	unregister_trace_pkmap_clean(see_clean, NULL);
	unregister_trace_pkmap_pin(see_pin, NULL);
	tracepoint_synchronize_unregister();
}

unsigned long kmap_watch_pins(void)
{
	return this_cpu_read(pins);
}

unsigned long kmap_watch_runs(void)
{
	return READ_ONCE(runs);
}
#else
int kmap_watch_begin(void)
{
	return 0;
}

void kmap_watch_end(void)
{
}

unsigned long kmap_watch_pins(void)
{
	return 0;
}

unsigned long kmap_watch_runs(void)
{
	return 0;
}
#endif

unsigned long kmap_watch_reclaims(void)
{
#ifdef CONFIG_PKMAP
	struct pkmap_stats stats;

	pkmap_linux_read_stats(&stats);
	return stats.reclaims;
#else
	return 0;
#endif
}
