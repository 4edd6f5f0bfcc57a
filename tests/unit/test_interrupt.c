// SPDX-License-Identifier: MIT
/*
 * test_interrupt.c - every call, interrupted before each of its atomic
 * operations in turn, on a VIVT cache.
 *
 * src/ is compiled once more for it, with an atomic.h that counts operations and
 * lets an interrupt come before one of them.  The handler uses a page that
 * reclaim may be working on.  If it can pin the page, it reads and writes it; if
 * it is told that the page is not mapped, it does as a driver does, and lets a
 * device write to memory.  In the end every page must hold what was written
 * last, by the CPU or a device (I1, I2).
 */
#include "tests/fake/fake_port.h"
#include "interrupt_points.h"
#include "unit_test.h"

/* Pages 0 to 3 fill the window; the task maps pages 10 and 11. */
#define NSLOTS	  4u
#define TASK_PAGE 10u

static struct {
	struct fake f;
	void *held[NSLOTS]; /* the window's pages, if in use */
	void *kept;	    /* what a handler left pinned */
} s;

static bool slept;

/* The wait is the last moment at which the interrupt can come. */
static void interrupt_in_wait(struct fake *f, const struct fake_event *e)
{
	(void)f;
	(void)e;
	if (!armed)
		return;
	armed = false;
	slept = true;
	handler();
}

static void dma_to(pkmap_pfn pfn)
{
	void *addr = fake_pin(&s.f, pfn);

	if (!addr) {
		fake_device_writes(&s.f, pfn, true);
		return;
	}
	fake_store(&s.f, addr, pfn);
	fake_unmap(&s.f, addr);
}

/* What interrupts do. */

static void dma_to_first(void)
{
	dma_to(0);
}

static void dma_to_all(void)
{
	pkmap_pfn pfn;

	for (pfn = 0; pfn < NSLOTS; pfn++)
		dma_to(pfn);
}

static void dma_to_task_page(void)
{
	dma_to(TASK_PAGE);
}

/* The look-ups say what a pin says. */
static void look_up_all(void)
{
	pkmap_pfn pfn;
	void *addr;
	void *pinned;

	for (pfn = 0; pfn <= TASK_PAGE; pfn++) {
		addr = pkmap_pfn_to_addr(s.f.win, pfn);
		pinned = fake_pin(&s.f, pfn);
		CHECK(addr == pinned);
		if (!pinned)
			continue;
		CHECK(pkmap_addr_to_pfn(s.f.win, pinned) == pfn);
		fake_unmap(&s.f, pinned);
	}
}

static void keep_second(void)
{
	s.kept = fake_pin(&s.f, 1);
	if (s.kept)
		fake_store(&s.f, s.kept, 1);
	else
		fake_device_writes(&s.f, 1, true);
}

static void local_map_first(void)
{
	void *addr = fake_local_map(&s.f, 0);

	fake_store(&s.f, addr, 0);
	fake_local_unmap(&s.f, addr);
}

static void local_map_task_page(void)
{
	void *outer = fake_local_map(&s.f, 0);
	void *addr = fake_local_map(&s.f, TASK_PAGE);

	fake_store(&s.f, addr, TASK_PAGE);
	fake_local_unmap(&s.f, addr);
	fake_local_unmap(&s.f, outer);
}

static void let_go(void)
{
	uint32_t i;

	for (i = 0; i < NSLOTS; i++) {
		if (s.held[i])
			fake_unmap(&s.f, s.held[i]);
		s.held[i] = NULL;
	}
}

/* What they interrupt. */

static void task_map(void)
{
	void *addr = fake_map(&s.f, TASK_PAGE);

	fake_store(&s.f, addr, TASK_PAGE);
	fake_unmap(&s.f, addr);
}

static void task_map_pages(void)
{
	const pkmap_pfn pfns[] = { TASK_PAGE, 0, TASK_PAGE + 1 };
	void *addrs[3];
	uint32_t i;

	CHECK(!pkmap_map_pages(s.f.win, pfns, 3, NULL, addrs));
	for (i = 0; i < 3; i++)
		fake_store(&s.f, addrs[i], pfns[i]);
	for (i = 0; i < 3; i++)
		fake_unmap(&s.f, addrs[i]);
}

static void task_hit(void)
{
	void *addr = fake_map(&s.f, 0);

	fake_store(&s.f, addr, 0);
	fake_unmap(&s.f, addr);
}

static void task_pin(void)
{
	dma_to(0);
	dma_to(TASK_PAGE);
}

static void task_flush(void)
{
	CHECK(pkmap_flush_unused(s.f.win) <= NSLOTS);
}

static void task_forget(void)
{
	int err = pkmap_forget(s.f.win, 0, NSLOTS, PKMAP_NOWAIT);

	CHECK(!err || err == PKMAP_EBUSY);
}

static void task_local_map(void)
{
	void *addr = fake_local_map(&s.f, TASK_PAGE);

	fake_store(&s.f, addr, TASK_PAGE);
	fake_local_unmap(&s.f, addr);
}

static void open_window(bool in_use)
{
	pkmap_pfn pfn;
	void *addr;

	fake_init(&s.f);
	s.f.config.cache.kind = PKMAP_CACHE_VIVT;
	fake_open(&s.f);
	s.kept = NULL;
	for (pfn = 0; pfn < NSLOTS; pfn++) {
		addr = fake_map(&s.f, pfn);
		s.held[pfn] = in_use ? addr : NULL;
		fake_store(&s.f, addr, pfn);
		if (!in_use)
			fake_unmap(&s.f, addr);
	}
	fake_clear_log(&s.f);
	s.f.hook_op = FAKE_WAIT;
	s.f.hook = interrupt_in_wait;
}

static void close_window(void)
{
	let_go();
	if (s.kept) {
		CHECK(fake_pin(&s.f, 1) == s.kept);
		fake_unmap(&s.f, s.kept);
		fake_unmap(&s.f, s.kept);
	}
	fake_check_index(&s.f);
	fake_close(&s.f);
	fake_check_memory(&s.f);
}

/* Runs @task with an interrupt at its nth point, for each n there is. */
static void sweep(void (*task)(void), void (*interrupt)(void), bool in_use)
{
	unsigned int n = 0;
	bool came;

	do {
		open_window(in_use);
		handler = interrupt;
		points_left = n++;
		armed = true;
		slept = false;
		task();
		came = !armed;
		armed = false;
		if (n == 1)
			CHECK(came);
		/* The task can do it again. */
		task();
		close_window();
	} while (came && !slept);
}

static void sweep_idle(void (*task)(void))
{
	sweep(task, dma_to_first, false);
	sweep(task, dma_to_all, false);
	sweep(task, dma_to_task_page, false);
	sweep(task, keep_second, false);
	sweep(task, look_up_all, false);
	sweep(task, local_map_first, false);
	sweep(task, local_map_task_page, false);
}

static void map(void)
{
	sweep_idle(task_map);
}

static void map_pages(void)
{
	sweep_idle(task_map_pages);
}

static void hit(void)
{
	sweep_idle(task_hit);
}

static void pin(void)
{
	sweep_idle(task_pin);
}

static void flush(void)
{
	sweep_idle(task_flush);
}

static void forget(void)
{
	sweep_idle(task_forget);
}

/*
 * No DMA to TASK_PAGE: a driver ends its local maps before a device gets the
 * page.
 */
static void local_map(void)
{
	sweep(task_local_map, dma_to_all, false);
	sweep(task_local_map, keep_second, false);
	sweep(task_local_map, local_map_first, false);
	sweep(task_local_map, local_map_task_page, false);
}

/*
 * All slots are in use, and the interrupt unmaps them: before the task looks,
 * while it announces that it waits, or while it sleeps.  If it does not wake
 * up, the fake port fails the test.
 */
static void waiting(void)
{
	sweep(task_map, let_go, true);
	sweep(task_map_pages, let_go, true);
}

/*
 * Two unmaps too many at the same time: the second interrupts the first before
 * point n, and m points later a pin comes.  Both are refused, and neither the
 * pin nor the page is harmed.
 */
static unsigned int points_to_pin;
static unsigned int refused;

static void unmap_page_0(void)
{
	int err = pkmap_unmap(s.f.win, s.held[0]);

	CHECK(err == PKMAP_EINVAL);
	refused++;
}

static void unmap_then_pin(void)
{
	unmap_page_0();
	handler = dma_to_first;
	points_left = points_to_pin;
	armed = true;
}

static bool unmap_twice(unsigned int n, unsigned int m)
{
	bool came;

	open_window(true);
	fake_unmap(&s.f, s.held[0]);
	refused = 0;
	handler = unmap_then_pin;
	points_left = n;
	points_to_pin = m;
	armed = true;
	unmap_page_0();
	came = !armed;
	if (handler == unmap_then_pin) {
		armed = false;
		unmap_page_0();
	}
	armed = false;

	CHECK(refused == 2);
	CHECK(fake_stats(&s.f).misuses == 2);
	CHECK(s.f.report.what == PKMAP_MISUSE_IDLE);
	s.held[0] = NULL;
	close_window();
	return came;
}

static void one_unmap_too_many(void)
{
	unsigned int n;
	unsigned int m;

	for (n = 0; unmap_twice(n, 0); n++) {
		for (m = 1; unmap_twice(n, m); m++)
			;
	}
	CHECK(n > 1);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(map),
	UNIT_TEST(map_pages),
	UNIT_TEST(hit),
	UNIT_TEST(pin),
	UNIT_TEST(flush),
	UNIT_TEST(forget),
	UNIT_TEST(local_map),
	UNIT_TEST(waiting),
	UNIT_TEST(one_unmap_too_many),
	{ 0 },
};
