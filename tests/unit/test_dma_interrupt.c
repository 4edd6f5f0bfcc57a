// SPDX-License-Identifier: MIT
/*
 * test_dma_interrupt.c - DMA calls that interrupt each call of the window before
 * each of its atomic operations in turn, and that are interrupted themselves.
 *
 * As in test_interrupt.c, every page holds what was written last, and the fake
 * port checks the rest.  On VIVT a line that is missed would lose what a device
 * stored; on other caches, slots could be mixed up.
 */
#include <setjmp.h>

#include "dma_recorder.h"
#include "interrupt_points.h"
#include "unit_test.h"

#define NSLOTS	  4u /* pages 0 to 3 fill the window, idle */
#define TASK_PAGE 8u

static struct dma_recorder r;

static void use(void *addr, uint32_t page)
{
	fake_store(&r.f, addr, DMA_FIRST + page);
}

/* A transfer from a device, or to one and back. */
static void transfer(uint32_t page, enum pkmap_dma_dir dir)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = DMA_FIRST + page,
		.len = DMA_PAGE,
	};

	dma_one(&r, DMA_MAP, buf, dir);
	if (dir == PKMAP_DMA_BIDIRECTIONAL)
		fake_device_reads(&r.f, buf.pfn);
	fake_device_writes(&r.f, buf.pfn, false);
	dma_one(&r, DMA_UNMAP, buf, dir);
}

static void dma_from(uint32_t page)
{
	transfer(page, PKMAP_DMA_FROM_DEVICE);
}

static void dma_both(uint32_t page)
{
	transfer(page, PKMAP_DMA_BIDIRECTIONAL);
}

/* What interrupts do. */

static void dma_to_first(void)
{
	dma_both(0);
}

static void dma_to_all(void)
{
	uint32_t page;

	for (page = 0; page < NSLOTS; page++)
		dma_from(page);
	dma_both(NSLOTS);
}

static void dma_to_task_page(void)
{
	dma_both(TASK_PAGE);
}

static void dma_to_others(void)
{
	dma_both(1);
	dma_from(TASK_PAGE + 1);
}

static void local_map_others(void)
{
	void *outer = fake_local_map(&r.f, DMA_FIRST + TASK_PAGE + 1);
	void *inner = fake_local_map(&r.f, DMA_FIRST + 1);

	use(inner, 1);
	use(outer, TASK_PAGE + 1);
	fake_local_unmap(&r.f, inner);
	fake_local_unmap(&r.f, outer);
}

/* What they interrupt. */

static void task_map(void)
{
	void *addr = fake_map(&r.f, DMA_FIRST + TASK_PAGE);

	use(addr, TASK_PAGE);
	fake_unmap(&r.f, addr);
}

static void task_flush(void)
{
	CHECK(pkmap_flush_unused(r.f.win) <= NSLOTS);
}

static void task_local_map(void)
{
	void *addr = fake_local_map(&r.f, DMA_FIRST + TASK_PAGE);

	use(addr, TASK_PAGE);
	fake_local_unmap(&r.f, addr);
}

static void task_dma(void)
{
	dma_both(0);
	dma_from(TASK_PAGE);
	dma_both(TASK_PAGE);
}

static void open_window(enum pkmap_cache_kind kind)
{
	uint32_t page;
	void *addr;

	dma_init(&r);
	r.f.config.cache.kind = kind;
	dma_open(&r);
	for (page = 0; page < NSLOTS; page++) {
		addr = fake_map(&r.f, DMA_FIRST + page);
		use(addr, page);
		fake_unmap(&r.f, addr);
	}
}

static void close_window(void)
{
	dma_close(&r);
	fake_check_memory(&r.f);
}

/* Runs @task with an interrupt at its nth point, for each n there is. */
static void sweep_on(enum pkmap_cache_kind kind, void (*task)(void),
		     void (*interrupt)(void))
{
	unsigned int n = 0;
	bool came;

	do {
		open_window(kind);
		handler = interrupt;
		points_left = n++;
		armed = true;
		task();
		came = !armed;
		armed = false;
		CHECK(came || n > 1);
		/* The task can do it again. */
		dma_clear_log(&r);
		task();
		close_window();
	} while (came);
}

static void sweep(void (*task)(void), void (*interrupt)(void))
{
	sweep_on(PKMAP_CACHE_VIVT, task, interrupt);
	sweep_on(PKMAP_CACHE_VIPT, task, interrupt);
}

static void map(void)
{
	sweep(task_map, dma_to_first);
	sweep(task_map, dma_to_all);
	sweep(task_map, dma_to_task_page);
}

static void flush(void)
{
	sweep(task_flush, dma_to_first);
	sweep(task_flush, dma_to_all);
}

static void local_map(void)
{
	sweep(task_local_map, dma_to_all);
	sweep(task_local_map, dma_to_others);
	sweep(task_local_map, dma_to_task_page);
}

static void dma(void)
{
	sweep(task_dma, dma_to_others);
	sweep(task_dma, local_map_others);
}

/* A CPU stops in the middle of a call: what the call showed is cleared. */
static jmp_buf ended;

static void end_cpu(void)
{
	longjmp(ended, 1);
}

static bool ends_in_dma(struct pkmap_dma_buffer buf)
{
	if (setjmp(ended))
		return true;
	dma_one(&r, DMA_MAP, buf, PKMAP_DMA_FROM_DEVICE);
	return false;
}

static bool abandon_at(unsigned int n)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = DMA_FIRST + TASK_PAGE,
		.len = DMA_PAGE,
	};
	bool came;

	open_window(PKMAP_CACHE_VIPT);
	handler = end_cpu;
	points_left = n;
	armed = true;
	came = ends_in_dma(buf);
	armed = false;
	r.f.any_context = false;
	r.f.cpu_gone = true;
	pkmap_local_abandon(r.f.win, DMA_CPU);
	CHECK(!r.f.count[FAKE_REPORT] || r.f.report.pfn == buf.pfn);
	CHECK(!pkmap_forget(r.f.win, buf.pfn, 1, PKMAP_NOWAIT));
	r.f.entered[DMA_CPU] = 0;
	dma_clear_log(&r);
	dma_from(TASK_PAGE);
	close_window();
	return came;
}

static void abandoned(void)
{
	unsigned int n = 0;

	while (abandon_at(n))
		n++;
	CHECK(n > 10);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(map), UNIT_TEST(flush),     UNIT_TEST(local_map),
	UNIT_TEST(dma), UNIT_TEST(abandoned), { 0 },
};
