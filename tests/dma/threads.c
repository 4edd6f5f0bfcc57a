// SPDX-License-Identifier: MIT
/*
 * DMA calls on the posix port.  Threads, and interrupts on top of them, give
 * bytes of pages to a device that reads and writes the frames' file, while the
 * other threads map and reclaim those pages.
 *
 * usage: dma_threads [ROUNDS]
 *
 * An owner is a thread or the interrupts on top of it.  Each has bytes of its
 * own in every page, and remembers what it or the device wrote there last.
 */
#include "tests/stress/stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NTHREADS 4u
#define NOWNERS	 (2 * NTHREADS)
#define NSLOTS	 8u
#define NPAGES	 32u
#define LINE	 64u
#define BYTES	 500u /* per owner and page: not a multiple of a line */

#ifdef PKMAP_DMA_TRACKER
#define TRACKER_ENTRIES NOWNERS
#else
#define TRACKER_ENTRIES 0
#endif

static struct pkmap_posix *port;
static struct pkmap_window *win;
/* The port's layer, and one whose operations read the lines. */
static struct pkmap_dma *dma[2];
static void *own_mem;
static size_t page_size;
static uint32_t written[NOWNERS][NPAGES];
static atomic_ulong local_maps; /* that the tracker reported */

static const struct pkmap_dma_device device = { .addr_mask = UINT64_MAX };

/* Bytes of one owner in one page. */
struct piece {
	struct worker *worker;
	bool in_interrupt;
	struct pkmap_dma *dma;
	struct pkmap_dma_buffer buf;
	uint32_t *written;
};

static struct piece some_piece(struct worker *me, bool in_interrupt)
{
	const unsigned int owner = 2 * me->nr + in_interrupt;
	const pkmap_pfn pfn = stress_random(me, in_interrupt) % NPAGES;

	return (struct piece){
		.worker = me,
		.in_interrupt = in_interrupt,
		.dma = dma[stress_random(me, in_interrupt) % 2],
		.buf = { .pfn = pfn, .offset = owner * BYTES, .len = BYTES },
		.written = &written[owner][pfn],
	};
}

/* The contents that belong to a number; that of new frames is 0. */
static void make_contents(uint8_t *data, uint32_t number)
{
	uint32_t k;

	for (k = 0; k < BYTES; k++)
		data[k] = (uint8_t)(number * (2 * k + 1) >> k % 16);
}

static void check_contents(const struct piece *p, const char *who,
			   const uint8_t *data)
{
	uint8_t expected[BYTES];

	make_contents(expected, *p->written);
	if (memcmp(data, expected, BYTES))
		stress_fail("%s finds other data in page %lu than %s %u and "
			    "its device wrote",
			    who, p->buf.pfn,
			    p->in_interrupt ? "interrupt" : "thread",
			    p->worker->nr);
}

static uint32_t next_number(const struct piece *p)
{
	return *p->written = stress_random(p->worker, p->in_interrupt);
}

static void access_at(const struct piece *p, void *page, bool write)
{
	uint8_t *data = (uint8_t *)page + p->buf.offset;

	check_contents(p, "the CPU", data);
	if (write)
		make_contents(data, next_number(p));
}

static void cpu_accesses(const struct piece *p, bool write)
{
	void *page;

	if (p->in_interrupt || stress_random(p->worker, false) % 4 == 0) {
		stress_must(pkmap_local_map(win, p->buf.pfn, &page));
		access_at(p, page, write);
		stress_must(pkmap_local_unmap(win, page));
	} else {
		stress_must(pkmap_map(win, p->buf.pfn, NULL, &page));
		access_at(p, page, write);
		stress_must(pkmap_unmap(win, page));
	}
}

/* The segment's address is an offset in the file. */
static void device_works(const struct piece *p, enum pkmap_dma_dir dir,
			 const struct pkmap_dma_segment *seg)
{
	const int fd = pkmap_posix_fd(port);
	uint8_t data[BYTES];

	if (seg->addr != p->buf.pfn * (uint64_t)page_size + p->buf.offset ||
	    seg->len != BYTES)
		stress_fail("a segment is not the buffer");
	if (dir & PKMAP_DMA_TO_DEVICE) {
		if (pread(fd, data, BYTES, (off_t)seg->addr) != BYTES)
			stress_fail("pread");
		check_contents(p, "the device", data);
	}
	if (dir & PKMAP_DMA_FROM_DEVICE) {
		make_contents(data, next_number(p));
		if (pwrite(fd, data, BYTES, (off_t)seg->addr) != BYTES)
			stress_fail("pwrite");
	}
}

static void pass_to_and_fro(const struct piece *p, enum pkmap_dma_dir dir)
{
	stress_must(pkmap_dma_sync_for_cpu(p->dma, &device, &p->buf, 1, dir));
	cpu_accesses(p, true);
	stress_must(
		pkmap_dma_sync_for_device(p->dma, &device, &p->buf, 1, dir));
}

static void transfer(struct worker *me, bool in_interrupt)
{
	const struct piece p = some_piece(me, in_interrupt);
	const enum pkmap_dma_dir dir =
		(enum pkmap_dma_dir)(1 + stress_random(me, in_interrupt) % 3);
	struct pkmap_dma_segment seg;
	void *held = NULL;

	if (!in_interrupt && stress_random(me, false) % 4 == 0)
		stress_must(pkmap_map(win, p.buf.pfn, NULL, &held));
	cpu_accesses(&p, true);
	stress_must(pkmap_dma_map(p.dma, &device, &p.buf, 1, dir, &seg, 1) - 1);
	device_works(&p, dir, &seg);
	if (stress_random(me, in_interrupt) % 2) {
		pass_to_and_fro(&p, dir);
		device_works(&p, dir, &seg);
	}
	stress_must(pkmap_dma_unmap(p.dma, &device, &p.buf, 1, dir));
	cpu_accesses(&p, false);
	if (held)
		stress_must(pkmap_unmap(win, held));
}

/* Rarely, so that the thread gets most of the time on a slow machine too. */
static void interrupt(struct worker *me)
{
	if (stress_random(me, true) % 4 == 0)
		transfer(me, true);
}

static void run(struct worker *me)
{
	unsigned long k;

	for (k = 0; k < me->rounds; k++) {
		atomic_store(&me->doing, "a transfer");
		transfer(me, false);
		atomic_fetch_add(&me->done, 1);
	}
}

static void report(void *arg, const struct pkmap_report *r)
{
	(void)arg;
	stress_fail("%s reports misuse %d of page %lu", r->call, (int)r->what,
		    r->pfn);
}

/* The interrupted thread may have a local map of the same page. */
static void dma_report(void *arg, const struct pkmap_dma_report *r)
{
	(void)arg;
	if (r->what == PKMAP_DMA_LOCAL_MAP) {
		atomic_fetch_add(&local_maps, 1);
		return;
	}
	stress_fail("%s reports misuse %d of a buffer in page %lu", r->call,
		    (int)r->what, r->buf.pfn);
}

/* The window is strict, so this faults if the page is not mapped. */
__attribute__((no_sanitize("thread"))) static void
read_lines(void *arg, enum pkmap_cache_op op, void *addr, size_t bytes)
{
	const volatile char *line = addr;
	size_t k;

	(void)arg;
	(void)op;
	for (k = 0; k < bytes; k += LINE)
		(void)line[k];
}

static void open_own_dma(void)
{
	static const struct pkmap_dma_ops ops = { .cache = read_lines };
	const struct pkmap_dma_config config = {
		.win = win,
		.ops = &ops,
		.line_bytes = LINE,
	};

	if (posix_memalign(&own_mem, PKMAP_ALIGN, pkmap_dma_size(&config)))
		stress_fail("out of memory");
	stress_must(pkmap_dma_init(own_mem, &config, &dma[1]));
}

static void open_port(void)
{
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = NPAGES,
		.nslots = NSLOTS,
		.strict = true,
		.tracker_entries = TRACKER_ENTRIES,
		.report = report,
		.dma_report = dma_report,
	};

	stress_must(pkmap_posix_open(&config, &port));
	win = pkmap_posix_window(port);
	dma[0] = pkmap_posix_dma(port);
	page_size = pkmap_posix_page_size(port);
}

static void check_stats(struct pkmap_dma *d, unsigned long misuses)
{
	struct pkmap_dma_stats stats;

	pkmap_dma_read_stats(d, &stats);
	printf("# %lu transfers; pages found: %lu in use, %lu idle, %lu not "
	       "mapped\n",
	       stats.maps, stats.in_use, stats.idle, stats.not_mapped);
	if (!stats.in_use || !stats.idle || !stats.not_mapped)
		stress_fail("not all states of a page were found");
	if (stats.unmaps != stats.maps || stats.refused ||
	    stats.misuses != misuses)
		stress_fail("%lu unmaps, %lu refused calls, %lu misuses",
			    stats.unmaps, stats.refused, stats.misuses);
	if (pkmap_dma_leaks(d, NULL))
		stress_fail("buffers have not been unmapped");
}

int main(int argc, char **argv)
{
	const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) :
						10000;
	struct worker workers[NTHREADS];
	unsigned int k;

	puts("1..1");
	fflush(stdout);
	open_port();
	open_own_dma();
	for (k = 0; k < NTHREADS; k++)
		workers[k] = (struct worker){
			.role = "thread",
			.run = run,
			.interrupt = interrupt,
			.rounds = rounds,
		};
	stress_run(workers, NTHREADS);
	check_stats(dma[0], atomic_load(&local_maps));
	check_stats(dma[1], 0);
	stress_must(pkmap_posix_close(port));
	free(own_mem);
	puts("ok 1 - right data, no call failed, and nothing stays held");
	return 0;
}
