// SPDX-License-Identifier: MIT
/*
 * The tracker of DMA buffers.  Threads and timer signals map, sync and unmap
 * buffers of their own, while another thread keeps asking for leaks.
 *
 * usage: stress_tracker [ROUNDS]
 *
 * The drivers make no mistakes, and none of their calls may be reported or
 * refused; each misuse of the misuser must be, once.  The only page that
 * threads share is sent to devices, each thread sending a part of its own.
 *
 * Each thread has short buffers next to those of the others, and long ones far
 * away: an entry that was read half as a short one and half as a long one would
 * overlap with buffers of others.
 */
#include "stress.h"

#include <pkmap/dma.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define NPAGES	  208u
#define ENTRIES	  24u /* at most 17 are used */
#define DRIVERS	  3u
#define SHARED	  0u		       /* the page that all threads send */
#define FORGOTTEN 1u		       /* the page that is never unmapped */
#define SHORT(me) (2 + 8 * (me)->nr)   /* the first of 8 pages */
#define LONG(me)  (48 + 32 * (me)->nr) /* and of 32 */
#define KINDS	  (PKMAP_DMA_TRACKER_FULL + 1)

static struct stress_window window;
static struct pkmap_dma *dma;
static atomic_uint busy; /* drivers and misuser that have not ended */
static atomic_ulong made[KINDS];
static atomic_ulong reported[KINDS];
static atomic_ulong forgotten; /* reports of the leak */

/* The drivers', the misuser's, and one with a buffer that is never unmapped. */
static const struct pkmap_dma_device devices[] = {
	{ .addr_mask = UINT64_MAX, .coherent = true },
	{ .addr_mask = UINT64_MAX, .coherent = true },
	{ .addr_mask = UINT64_MAX, .coherent = true },
};

static void no_lines(void *port, enum pkmap_cache_op op, uint64_t phys,
		     uint64_t bytes)
{
	(void)port;
	stress_fail("operation %d on %lu bytes at %#lx of a coherent device",
		    (int)op, (unsigned long)bytes, (unsigned long)phys);
}

static void count_report(void *port, const struct pkmap_dma_report *report)
{
	(void)port;
	if (report->dev == &devices[2])
		atomic_fetch_add(&forgotten, 1);
	else
		atomic_fetch_add(&reported[report->what], 1);
}

static const struct pkmap_dma_ops ops = {
	.cache_phys = no_lines,
	.report = count_report,
};

/* A list of buffers, and how it is mapped. */
struct transfer {
	const struct pkmap_dma_device *dev;
	enum pkmap_dma_dir dir;
	uint32_t n;
	struct pkmap_dma_buffer bufs[2];
};

static void map(const struct transfer *x)
{
	struct pkmap_dma_segment segs[2];

	if (pkmap_dma_map(dma, x->dev, x->bufs, x->n, x->dir, segs, 2) < 1)
		stress_fail("a map failed");
}

static int unmap(const struct transfer *x)
{
	return pkmap_dma_unmap(dma, x->dev, x->bufs, x->n, x->dir);
}

static int sync_to_and_fro(const struct transfer *x)
{
	int err = pkmap_dma_sync_for_cpu(dma, x->dev, x->bufs, x->n, x->dir);

	if (err)
		return err;
	return pkmap_dma_sync_for_device(dma, x->dev, x->bufs, x->n, x->dir);
}

/* A short buffer, or a short and a long one.  Interrupts use the last page. */
static struct transfer own_buffers(struct worker *me, bool in_interrupt)
{
	const uint32_t any = stress_random(me, in_interrupt);

	return (struct transfer){
		.dev = &devices[0],
		.dir = (enum pkmap_dma_dir)(1 + any % 3),
		.n = in_interrupt ? 1 : 1 + (any >> 2) % 2,
		.bufs = {
			{ .pfn = SHORT(me) + (in_interrupt ? 7 : (any >> 4) % 3),
			  .offset = (any >> 8) % 1024,
			  .len = 1 + (any >> 18) % 1024 },
			{ .pfn = LONG(me), .len = 1 + (any >> 12) % 0x20000 },
		},
	};
}

static void interrupt(struct worker *me)
{
	const struct transfer x = own_buffers(me, true);

	map(&x);
	stress_must(sync_to_and_fro(&x));
	stress_must(unmap(&x));
}

/* Each thread's part of the shared page begins and ends at another place. */
static struct transfer shared_buffer(const struct worker *me)
{
	return (struct transfer){
		.dev = &devices[0],
		.dir = PKMAP_DMA_TO_DEVICE,
		.n = 1,
		.bufs = { { .pfn = SHARED, .offset = 10 * me->nr, .len = 100 } },
	};
}

static void drive(struct worker *me)
{
	const struct transfer shared = shared_buffer(me);
	struct transfer x;
	struct transfer part;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "valid calls");
		x = own_buffers(me, false);
		map(&x);
		map(&shared);
		stress_must(sync_to_and_fro(&x));
		part = x;
		part.n = 1;
		part.bufs[0].len = 1;
		stress_must(sync_to_and_fro(&part));
		stress_must(unmap(&shared));
		stress_must(unmap(&x));
		atomic_fetch_add(&me->done, 1);
	}
	atomic_fetch_sub(&busy, 1);
}

/* Checks the result @err of a call that must be refused, and counts it. */
static void must_refuse(enum pkmap_dma_misuse what, int err)
{
	if (err != PKMAP_EINVAL)
		stress_fail("misuse %d was not refused", (int)what);
	atomic_fetch_add(&made[what], 1);
}

static void misuse_mapped(const struct transfer *mapped)
{
	struct transfer x = *mapped;

	x.bufs[0].len++;
	must_refuse(PKMAP_DMA_UNMAP_LENGTH, unmap(&x));
	must_refuse(PKMAP_DMA_SYNC_UNMAPPED, sync_to_and_fro(&x));
	x = *mapped;
	x.dir = PKMAP_DMA_BIDIRECTIONAL;
	must_refuse(PKMAP_DMA_UNMAP_DIRECTION, unmap(&x));
	must_refuse(PKMAP_DMA_SYNC_DIRECTION, sync_to_and_fro(&x));
	x = *mapped;
	x.dev = &devices[0];
	must_refuse(PKMAP_DMA_UNMAP_DEVICE, unmap(&x));
	must_refuse(PKMAP_DMA_SYNC_DEVICE, sync_to_and_fro(&x));
	x = *mapped;
	x.bufs[0].offset = 99;
	map(&x);
	atomic_fetch_add(&made[PKMAP_DMA_OVERLAP], 1);
	stress_must(unmap(&x));
}

static void misuse(struct worker *me)
{
	const struct transfer x = {
		.dev = &devices[1],
		.dir = PKMAP_DMA_FROM_DEVICE,
		.n = 1,
		.bufs = { { .pfn = SHORT(me), .len = 100 } },
	};
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "misuses");
		must_refuse(PKMAP_DMA_UNMAP_UNMAPPED, unmap(&x));
		map(&x);
		misuse_mapped(&x);
		stress_must(unmap(&x));
		atomic_fetch_add(&me->done, 1);
	}
	atomic_fetch_sub(&busy, 1);
}

static void look_for_leaks(struct worker *me)
{
	while (atomic_load(&busy)) {
		atomic_store(&me->doing, "pkmap_dma_leaks");
		if (pkmap_dma_leaks(dma, NULL) > ENTRIES)
			stress_fail("more leaks than entries");
		if (pkmap_dma_leaks(dma, &devices[2]) != 1)
			stress_fail("the one leak was not found");
		sched_yield();
		atomic_fetch_add(&me->done, 1);
	}
}

static void *open_layer(void)
{
	const struct pkmap_dma_config config = {
		.win = window.win,
		.ops = &ops,
		.line_bytes = 64,
		.tracker_entries = ENTRIES,
	};
	void *mem = NULL;

	if (posix_memalign(&mem, PKMAP_ALIGN, pkmap_dma_size(&config)))
		stress_fail("out of memory");
	stress_must(pkmap_dma_init(mem, &config, &dma));
	return mem;
}

/* How many buffers of the drivers are reported as leaks is chance. */
static void check_reports(void)
{
	unsigned int what;

	printf("# %lu buffers reported as leaks while they were mapped\n",
	       atomic_load(&reported[PKMAP_DMA_NEVER_UNMAPPED]));
	if (pkmap_dma_leaks(dma, NULL) != 1)
		stress_fail("not exactly one buffer is still mapped");
	if (atomic_load(&forgotten) != 1)
		stress_fail("one leak reported %lu times",
			    atomic_load(&forgotten));
	for (what = 0; what < KINDS; what++) {
		if (what != PKMAP_DMA_NEVER_UNMAPPED &&
		    atomic_load(&reported[what]) != atomic_load(&made[what]))
			stress_fail("misuse %u: done %lu times, reported %lu",
				    what, atomic_load(&made[what]),
				    atomic_load(&reported[what]));
	}
}

static void forget_one(void)
{
	const struct transfer x = {
		.dev = &devices[2],
		.dir = PKMAP_DMA_FROM_DEVICE,
		.n = 1,
		.bufs = { { .pfn = FORGOTTEN, .len = 100 } },
	};

	map(&x);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	struct worker workers[DRIVERS + 2] = { 0 };
	void *mem;
	unsigned int i;

	puts("1..1");
	fflush(stdout);
	stress_open(&window, 8, NPAGES);
	mem = open_layer();
	forget_one();
	atomic_store(&busy, DRIVERS + 1);
	for (i = 0; i < DRIVERS + 2; i++) {
		workers[i].role = "driver";
		workers[i].run = drive;
		workers[i].interrupt = interrupt;
		workers[i].rounds = rounds;
	}
	workers[DRIVERS].role = "misuser";
	workers[DRIVERS].run = misuse;
	workers[DRIVERS + 1].role = "leaks";
	workers[DRIVERS + 1].run = look_for_leaks;
	stress_run(workers, DRIVERS + 2);
	check_reports();
	stress_close(&window);
	free(mem);
	puts("ok 1 - every misuse was reported, and nothing else");
	return 0;
}
