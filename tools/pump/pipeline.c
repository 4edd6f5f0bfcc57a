// SPDX-License-Identifier: MIT
/*
 * The pump at work:
 *
 *	IN -> device -> frame -> CPU -> frame -> device -> OUT
 *
 * There is a thread for each device, one for each CPU, and the main thread,
 * which watches.  A thread that fails stops the pool, which ends all of them.
 */
#include "driver.h"
#include "holes.h"
#include "pump.h"
#include "tools/common/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Each of the two devices has at most one frame at a time. */
#ifdef PKMAP_DMA_TRACKER
#define TRACKER_ENTRIES 8
#else
#define TRACKER_ENTRIES 0
#endif

struct cpu {
	struct pipeline *pipeline;
	struct irq_cpu irq;
};

struct pipeline {
	const struct pump_options *options;
	struct progress *progress;
	struct failure *failure;
	struct pkmap_posix *hm;
	struct pool pool;
	struct irq irq;
	struct driver reader;
	struct driver writer;
	struct cpu *cpus;
	pthread_t *threads;
	uint32_t nthreads; /* threads that were started */
	off_t size;
	uint64_t start_ns;
	_Atomic uint64_t written;
	_Atomic uint64_t holes; /* bytes in holes: neither read nor written */
};

/* Fails too once another thread has: then the pool gives no more frames. */
static int read_data(struct pipeline *p, const struct data *data)
{
	off_t page_size = (off_t)p->options->page_size;
	struct work work;

	for (work.offset = data->begin; work.offset < data->end;
	     work.offset += page_size) {
		off_t left = data->end - work.offset;

		work.len = (size_t)(left < page_size ? left : page_size);
		if (!pool_take_cold(&p->pool, &work.pfn) ||
		    driver_fill(&p->reader, &work))
			return -1;
		frame_begin(&p->pool.frames[work.pfn].stable);
		pool_put(&p->pool, &p->pool.filled, &work);
	}
	return 0;
}

static int read_file(struct pipeline *p)
{
	struct data data;
	off_t offset;

	for (offset = 0; offset < p->size; offset = data.end) {
		data = next_data(p->reader.device.from, offset, p->size);
		if (data.end == offset)
			return driver_too_short(&p->reader);
		p->holes += (uint64_t)(data.begin - offset);
		if (read_data(p, &data))
			return -1;
	}
	return 0;
}

static void *run_reader(void *arg)
{
	struct pipeline *p = arg;

	if (read_file(p))
		pool_stop(&p->pool);
	pool_close(&p->pool, &p->pool.filled);
	return NULL;
}

static int write_file(struct pipeline *p)
{
	struct work work;

	while (pool_take(&p->pool, &p->pool.copied, &work)) {
		if (driver_drain(&p->writer, &work))
			return -1;
		p->written += work.len;
		frame_end(&p->pool.frames[work.pfn].stable);
		pool_free(&p->pool, work.pfn);
	}
	return 0;
}

static void *run_writer(void *arg)
{
	struct pipeline *p = arg;

	if (write_file(p))
		pool_stop(&p->pool);
	pool_finish(&p->pool);
	return NULL;
}

/*
 * Maps both pages in one call: otherwise, threads that each hold one slot and
 * wait for another could use up the window and wait forever.
 */
static int copy_page(struct pipeline *p, pkmap_pfn to, pkmap_pfn from,
		     size_t len)
{
	struct pkmap_window *win = pkmap_posix_window(p->hm);
	const pkmap_pfn pfns[2] = { to, from };
	void *addrs[2];
	int err;

	err = pkmap_map_pages(win, pfns, 2, NULL, addrs);
	if (err)
		return fail(p->failure, 0, "cannot map two pages: %s",
			    pkmap_strerror(err));
	frame_begin(&p->pool.frames[to].held);
	frame_begin(&p->pool.frames[from].held);
	memcpy(addrs[0], addrs[1], len);
	frame_end(&p->pool.frames[to].held);
	frame_end(&p->pool.frames[from].held);
	if (pkmap_unmap(win, addrs[0]) || pkmap_unmap(win, addrs[1]))
		return fail(p->failure, 0,
			    "a page was unmapped while it was in use");
	return 0;
}

static int copy_pages(struct cpu *cpu)
{
	struct pipeline *p = cpu->pipeline;
	struct work from;
	struct work to;

	while (pool_take(&p->pool, &p->pool.filled, &from)) {
		to = from;
		if (!pool_take_hot(&p->pool, &to.pfn))
			return 0;
		irq_cpu_work_on(&cpu->irq, from.pfn);
		if (copy_page(p, to.pfn, from.pfn, from.len))
			return -1;
		frame_begin(&p->pool.frames[to.pfn].stable);
		pool_put(&p->pool, &p->pool.copied, &to);
		frame_end(&p->pool.frames[from.pfn].stable);
		pool_free(&p->pool, from.pfn);
	}
	return 0;
}

static void *run_cpu(void *arg)
{
	struct cpu *cpu = arg;
	struct pipeline *p = cpu->pipeline;
	int err = irq_cpu_start(&cpu->irq);

	if (err) {
		fail(p->failure, err, "cannot start the interrupt timer");
		pool_stop(&p->pool);
		return NULL;
	}
	if (copy_pages(cpu))
		pool_stop(&p->pool);
	irq_cpu_stop(&cpu->irq);
	pool_close(&p->pool, &p->pool.copied);
	return NULL;
}

static struct irq_counts count_irqs(struct pipeline *p)
{
	struct irq_counts counts = { 0 };
	uint32_t i;

	for (i = 0; i < p->options->threads; i++)
		irq_cpu_count(&p->cpus[i].irq, &counts);
	return counts;
}

static void show_progress(struct pipeline *p)
{
	char done[SIZE_TEXT];
	char all[SIZE_TEXT];
	char rate[SIZE_TEXT];
	double seconds = (double)(now_ns() - p->start_ns) / 1e9;
	struct pkmap_stats stats;

	if (!progress_due(p->progress))
		return;
	pkmap_read_stats(pkmap_posix_window(p->hm), &stats);
	progress_show(p->progress, "%s of %s, %s/s, hits %.1f %%, pins %lu",
		      size_text(done, (double)(p->written + p->holes)),
		      size_text(all, (double)p->size),
		      size_text(rate, (double)p->written / seconds),
		      100 * hit_ratio(&stats), count_irqs(p).pins);
}

static void check_irqs(struct pipeline *p)
{
	const struct irq_fault *fault = irq_fault(&p->irq);

	if (!fault)
		return;
	fail(p->failure, 0, "interrupt check of frame %lu, at %p: %s",
	     fault->pfn, fault->addr, fault->what);
	pool_stop(&p->pool);
}

static void watch(struct pipeline *p)
{
	show_progress(p);
	check_irqs(p);
	if (stop_requested()) {
		fail(p->failure, 0, "interrupted");
		pool_stop(&p->pool);
	}
}

static struct timespec next_look(void)
{
	uint64_t ns = now_ns() + PROGRESS_INTERVAL_NS;

	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};
}

static int start_thread(struct pipeline *p, void *(*run)(void *), void *arg)
{
	int err = pthread_create(&p->threads[p->nthreads], NULL, run, arg);

	if (err)
		return fail(p->failure, err, "cannot start a thread");
	p->nthreads++;
	return 0;
}

static int start_threads(struct pipeline *p)
{
	uint32_t i;

	if (start_thread(p, run_writer, p) || start_thread(p, run_reader, p))
		return -1;
	for (i = 0; i < p->options->threads; i++) {
		if (start_thread(p, run_cpu, &p->cpus[i]))
			return -1;
	}
	return 0;
}

/* Threads block all signals except the timer interrupt of their CPU. */
static void run_threads(struct pipeline *p)
{
	struct timespec until;
	sigset_t before;
	sigset_t all;
	uint32_t i;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (start_threads(p))
		pool_stop(&p->pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	do {
		watch(p);
		until = next_look();
	} while (!pool_has_ended(&p->pool, &until));
	for (i = 0; i < p->nthreads; i++)
		pthread_join(p->threads[i], NULL);
	check_irqs(p);
}

static void report(struct pipeline *p, struct pump_result *result)
{
	result->bytes = p->size;
	result->holes = (off_t)p->holes;
	result->seconds = (double)(now_ns() - p->start_ns) / 1e9;
	result->device_in = device_method(&p->reader.device);
	result->device_out = device_method(&p->writer.device);
	result->irq = count_irqs(p);
	pkmap_read_stats(pkmap_posix_window(p->hm), &result->stats);
	pkmap_dma_read_stats(pkmap_posix_dma(p->hm), &result->dma);
	if (result->stats.misuses)
		fail(p->failure, 0, "the window refused %lu calls",
		     result->stats.misuses);
}

static void check_leaks(struct pipeline *p)
{
	uint32_t n = pkmap_dma_leaks(pkmap_posix_dma(p->hm), NULL);

	if (n)
		fail_also(p->failure, "frames still held by devices: %u", n);
}

/* Reports of the DMA tracker.  Leaks are left to check_leaks(). */
static void dma_report(void *arg, const struct pkmap_dma_report *report)
{
	struct pipeline *p = arg;

	if (report->what == PKMAP_DMA_NEVER_UNMAPPED)
		return;
	fail(p->failure, 0, "%s() of frame %lu: %s", report->call,
	     report->buf.pfn, pkmap_dma_strmisuse(report->what));
	pool_stop(&p->pool);
}

static int open_window(struct pipeline *p)
{
	const struct pump_options *options = p->options;
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = options->frames,
		.page_size = options->page_size,
		.nslots = options->slots,
		.strict = options->strict,
		.tracker_entries = TRACKER_ENTRIES,
		.dma_report = dma_report,
		.report_arg = p,
	};
	int err = pkmap_posix_open(&config, &p->hm);

	if (!err)
		return 0;
	return fail(p->failure, err == PKMAP_EINVAL ? 0 : errno,
		    "cannot create a window (%s)", pkmap_strerror(err));
}

static int allocate_threads(struct pipeline *p)
{
	uint32_t n = p->options->threads;
	uint64_t rate = p->options->irq_rate;
	uint32_t i;

	irq_init(&p->irq, p->hm, &p->pool, rate ? n * 1000000000ull / rate : 0);
	p->cpus = calloc(n, sizeof(*p->cpus));
	p->threads = calloc(n + 2, sizeof(*p->threads));
	if (!p->cpus || !p->threads)
		return fail(p->failure, ENOMEM, "cannot start the threads");
	for (i = 0; i < n; i++) {
		p->cpus[i].pipeline = p;
		irq_cpu_init(&p->cpus[i].irq, &p->irq, i);
	}
	return 0;
}

static struct driver make_driver(struct pipeline *p, int from, int to,
				 const char *path)
{
	const struct pump_options *options = p->options;
	uint64_t last = (uint64_t)options->frames * options->page_size - 1;

	return (struct driver){
		.device = {
			.dma.addr_mask = UINT64_MAX >> __builtin_clzll(last),
			.from = from,
			.to = to,
		},
		.dma = pkmap_posix_dma(p->hm),
		.page_size = options->page_size,
		.path = path,
		.failure = p->failure,
	};
}

int pipeline_run(const struct pump_options *options, int in, int out,
		 off_t size, struct progress *progress, struct failure *failure,
		 struct pump_result *result)
{
	struct pipeline p = {
		.options = options,
		.progress = progress,
		.failure = failure,
		.size = size,
		.start_ns = now_ns(),
	};

	if (open_window(&p))
		return -1;
	p.reader = make_driver(&p, in, pkmap_posix_fd(p.hm), options->in);
	p.writer = make_driver(&p, pkmap_posix_fd(p.hm), out, options->out);
	if (pool_init(&p.pool, options->frames, options->threads)) {
		fail(failure, ENOMEM, "cannot allocate the frames");
		goto close_window;
	}
	if (!allocate_threads(&p)) {
		run_threads(&p);
		check_leaks(&p);
		report(&p, result);
	}
	free(p.threads);
	free(p.cpus);
	pool_destroy(&p.pool);
close_window:
	if (pkmap_posix_close(p.hm))
		fail(failure, 0, "a page is still mapped at the end");
	return has_failed(failure) ? -1 : 0;
}
