// SPDX-License-Identifier: MIT
/*
 * DMA calls in interrupts of a task that maps and unmaps pages and makes DMA
 * calls itself.  The interrupts' calls find pages mapped, idle, being reclaimed
 * and not mapped.
 *
 * usage: dma_interrupted [INTERRUPTS]
 *
 * Runs until the map, the unmap and the reclaim of a page and a DMA call have
 * been interrupted INTERRUPTS times each, and the interrupts' calls have found
 * as many pages in use, as many idle, and as many not mapped.
 *
 * In each page the task has bytes of its own, some of which are a buffer, and
 * the interrupts have two buffers.  The transfer of the short one begins and
 * ends in one interrupt; it shares its first line with the task's bytes.  The
 * transfer of the long one goes on while the task uses the page.
 */
#include "soft_machine.h"

#include "tests/hang.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT_SIGNAL SIGUSR1
#define MAX_DELAY_NS	 40000u

/* Within each page: the task's bytes, and the buffers. */
#define TASK_BYTES	 1050u
#define TASK_BUFFER	 70u
#define TASK_END	 1000u
#define SHORT_START	 TASK_BYTES
#define SHORT_BYTES	 998u
#define LONG_START	 2048u
#define LONG_BYTES	 2048u

enum doing {
	SOMETHING_ELSE,
	MAPPING,
	UNMAPPING,
	RECLAIMING,
	CALLING_DMA,
	NDOING,
};

static const char *const doing_names[NDOING] = {
	[MAPPING] = "maps",
	[UNMAPPING] = "unmaps",
	[RECLAIMING] = "reclaims",
	[CALLING_DMA] = "DMA calls",
};

static struct {
	timer_t timer;
	uint64_t task_random;
	uint64_t interrupt_random;
	volatile enum doing doing;
	volatile unsigned long interrupted[NDOING];
	struct pkmap_dma_stats found; /* pages that the interrupts found */
	volatile pkmap_pfn current;   /* the page that the task uses next */
	void *held;
	uint8_t value[SOFT_BYTES];
	enum pkmap_dma_dir long_dir[SOFT_PAGES]; /* 0: not mapped */
} t;

static void compare(const char *who, const uint8_t *data, size_t phys, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++)
		if (data[k] != t.value[phys + k])
			soft_fail("%s has %#x at %#zx, which is %#x", who,
				  data[k], phys + k, t.value[phys + k]);
}

static const uint8_t *make_up(uint64_t *random, size_t phys, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++)
		t.value[phys + k] = (uint8_t)random_next(random);
	return &t.value[phys];
}

static pkmap_pfn some_page(uint64_t *random)
{
	return SOFT_LOW_PAGES +
	       random_next(random) % (SOFT_PAGES - SOFT_LOW_PAGES);
}

static size_t phys_of(const struct pkmap_dma_buffer *buf)
{
	return buf->pfn * SOFT_PAGE + buf->offset;
}

static void fill_buffer(uint64_t *random, const struct pkmap_dma_buffer *buf)
{
	void *page;

	soft_must(pkmap_local_map(soft_window(), buf->pfn, &page));
	soft_write((char *)page + buf->offset,
		   make_up(random, phys_of(buf), buf->len), buf->len);
	soft_must(pkmap_local_unmap(soft_window(), page));
}

static void check_buffer(const struct pkmap_dma_buffer *buf)
{
	uint8_t data[SOFT_PAGE];
	void *page;

	soft_must(pkmap_local_map(soft_window(), buf->pfn, &page));
	soft_read((char *)page + buf->offset, data, buf->len);
	compare("the CPU", data, phys_of(buf), buf->len);
	soft_must(pkmap_local_unmap(soft_window(), page));
}

static void device_works(uint64_t *random, const struct pkmap_dma_buffer *buf,
			 enum pkmap_dma_dir dir)
{
	const size_t phys = phys_of(buf);
	const uint64_t bus = SOFT_BUS_BASE + phys;
	uint8_t data[SOFT_PAGE];

	if (dir & PKMAP_DMA_TO_DEVICE) {
		soft_device_read(bus, data, buf->len);
		compare("the device", data, phys, buf->len);
	}
	if (dir & PKMAP_DMA_FROM_DEVICE)
		soft_device_write(bus, make_up(random, phys, buf->len),
				  buf->len);
}

static void give(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir)
{
	struct pkmap_dma_segment seg;

	if (pkmap_dma_map(soft_dma(), soft_device(), buf, 1, dir, &seg, 1) != 1)
		soft_fail("a DMA map failed");
	if (seg.addr != SOFT_BUS_BASE + phys_of(buf) || seg.len != buf->len)
		soft_fail("a segment is not the buffer");
}

static void take(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir)
{
	soft_must(pkmap_dma_unmap(soft_dma(), soft_device(), buf, 1, dir));
}

static void begin(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir)
{
	fill_buffer(&t.interrupt_random, buf);
	give(buf, dir);
}

static void end(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir)
{
	device_works(&t.interrupt_random, buf, dir);
	take(buf, dir);
	check_buffer(buf);
}

static enum pkmap_dma_dir some_dir(uint64_t *random)
{
	return (enum pkmap_dma_dir)(1 + random_next(random) % 3);
}

static void do_short_transfer(pkmap_pfn pfn)
{
	const size_t r = random_next(&t.interrupt_random) % (2 * SHORT_BYTES);
	const size_t skip = r < SHORT_BYTES ? r : 0;
	const enum pkmap_dma_dir dir = some_dir(&t.interrupt_random);
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.offset = SHORT_START + skip,
		.len = SHORT_BYTES - skip,
	};

	begin(&buf, dir);
	end(&buf, dir);
}

static void go_on_with_long_transfer(pkmap_pfn pfn)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.offset = LONG_START,
		.len = LONG_BYTES,
	};

	if (t.long_dir[pfn]) {
		end(&buf, t.long_dir[pfn]);
		t.long_dir[pfn] = (enum pkmap_dma_dir)0;
	} else {
		t.long_dir[pfn] = some_dir(&t.interrupt_random);
		begin(&buf, t.long_dir[pfn]);
	}
}

static void do_transfers(void)
{
	uint64_t *random = &t.interrupt_random;

	do_short_transfer(random_next(random) % 2 ? t.current :
						    some_page(random));
	go_on_with_long_transfer(random_next(random) % 2 ? t.current :
							   some_page(random));
}

static void interrupt_task(void)
{
	struct pkmap_dma_stats before;
	struct pkmap_dma_stats after;

	t.interrupted[t.doing]++;
	pkmap_dma_read_stats(soft_dma(), &before);
	do_transfers();
	pkmap_dma_read_stats(soft_dma(), &after);
	t.found.in_use += after.in_use - before.in_use;
	t.found.idle += after.idle - before.idle;
	t.found.not_mapped += after.not_mapped - before.not_mapped;
}

/* Armed once per interrupt, so that the task runs on a slow machine too. */
static void arm_timer(void)
{
	const struct itimerspec once = {
		.it_value.tv_nsec =
			1 +
			(long)(random_next(&t.interrupt_random) % MAX_DELAY_NS),
	};

	if (timer_settime(t.timer, 0, &once, NULL))
		soft_fail("timer_settime: %s", strerror(errno));
}

static void interrupt(int sig)
{
	const int saved = errno;

	(void)sig;
	if (!soft_is_busy())
		interrupt_task();
	arm_timer();
	errno = saved;
}

static void hang(int sig)
{
	(void)sig;
	soft_fail("not done after %d seconds: %lu maps, %lu unmaps, %lu "
		  "reclaims and %lu DMA calls have been interrupted",
		  HANG_SECONDS, t.interrupted[MAPPING],
		  t.interrupted[UNMAPPING], t.interrupted[RECLAIMING],
		  t.interrupted[CALLING_DMA]);
}

static void tearing_down(void)
{
	t.doing = RECLAIMING;
}

static void *map(pkmap_pfn pfn)
{
	void *page;

	t.current = pfn;
	t.doing = MAPPING;
	soft_must(pkmap_map(soft_window(), pfn, NULL, &page));
	t.doing = SOMETHING_ELSE;
	return page;
}

static void unmap(void *page)
{
	t.doing = UNMAPPING;
	soft_must(pkmap_unmap(soft_window(), page));
	t.doing = SOMETHING_ELSE;
}

/* The task checks its bytes of a page, and changes some. */
static void use(void *page, pkmap_pfn pfn)
{
	const size_t from = random_next(&t.task_random) % TASK_BYTES;
	uint8_t data[TASK_BYTES];

	soft_read(page, data, TASK_BYTES);
	compare("the task", data, pfn * SOFT_PAGE, TASK_BYTES);
	make_up(&t.task_random, pfn * SOFT_PAGE + from, TASK_BYTES - from);
	soft_write((char *)page + from, &t.value[pfn * SOFT_PAGE + from],
		   TASK_BYTES - from);
}

static void map_and_use(void)
{
	const pkmap_pfn pfn = some_page(&t.task_random);
	void *page = map(pfn);

	use(page, pfn);
	if (t.held)
		unmap(t.held);
	t.held = page;
}

static void map_and_unmap(void)
{
	const pkmap_pfn pfn = some_page(&t.task_random);
	int k;

	for (k = 0; k < 200; k++)
		unmap(map(pfn));
}

static void transfer(void)
{
	const enum pkmap_dma_dir dir = some_dir(&t.task_random);
	const struct pkmap_dma_buffer buf = {
		.pfn = some_page(&t.task_random),
		.offset = TASK_BUFFER,
		.len = TASK_END - TASK_BUFFER,
	};

	t.current = buf.pfn;
	fill_buffer(&t.task_random, &buf);
	t.doing = CALLING_DMA;
	give(&buf, dir);
	t.doing = SOMETHING_ELSE;
	device_works(&t.task_random, &buf, dir);
	t.doing = CALLING_DMA;
	take(&buf, dir);
	t.doing = SOMETHING_ELSE;
	check_buffer(&buf);
}

static void work(void)
{
	switch (random_next(&t.task_random) % 8) {
	case 0:
		t.doing = MAPPING;
		pkmap_flush_unused(soft_window());
		t.doing = SOMETHING_ELSE;
		break;
	case 1:
		soft_stir();
		break;
	case 2:
		map_and_use();
		break;
	case 3:
	case 4:
		transfer();
		break;
	default:
		map_and_unmap();
		break;
	}
}

static bool is_enough(unsigned long wanted)
{
	int doing;

	for (doing = MAPPING; doing < NDOING; doing++)
		if (t.interrupted[doing] < wanted)
			return false;
	return t.found.in_use >= wanted && t.found.idle >= wanted &&
	       t.found.not_mapped >= wanted;
}

static void handle(int sig, void (*handler)(int sig))
{
	const struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_RESTART,
	};

	if (sigaction(sig, &action, NULL))
		soft_fail("sigaction: %s", strerror(errno));
}

static void run_under_interrupts(unsigned long wanted)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = INTERRUPT_SIGNAL,
	};

	handle(INTERRUPT_SIGNAL, interrupt);
	handle(SIGALRM, hang);
	alarm(HANG_SECONDS);
	if (timer_create(CLOCK_MONOTONIC, &event, &t.timer))
		soft_fail("timer_create: %s", strerror(errno));
	arm_timer();
	while (!is_enough(wanted))
		work();
	handle(INTERRUPT_SIGNAL, SIG_IGN);
	timer_delete(t.timer);
	alarm(0);
}

static void finish(void)
{
	pkmap_pfn pfn;

	if (t.held)
		unmap(t.held);
	for (pfn = SOFT_LOW_PAGES; pfn < SOFT_PAGES; pfn++) {
		if (t.long_dir[pfn])
			go_on_with_long_transfer(pfn);
	}
	soft_clean_all();
	compare("memory", soft_memory(), 0, SOFT_BYTES);
}

static void test(unsigned int nr, const struct soft_kind *kind,
		 unsigned long wanted)
{
	static const struct soft_hooks hooks = {
		.around = soft_stir,
		.tearing_down = tearing_down,
	};
	int doing;

	memset(&t, 0, sizeof(t));
	t.task_random = nr;
	t.interrupt_random = nr + 1;
	t.current = SOFT_LOW_PAGES;
	soft_open(kind, &hooks, nr);
	run_under_interrupts(wanted);
	finish();
	soft_close();
	for (doing = MAPPING; doing < NDOING; doing++)
		printf("# %lu %s were interrupted\n", t.interrupted[doing],
		       doing_names[doing]);
	printf("# found %lu pages in use, %lu idle, %lu not mapped\n",
	       t.found.in_use, t.found.idle, t.found.not_mapped);
	printf("ok %u - right data, %s\n", nr, soft_kind_name(kind));
}

int main(int argc, char **argv)
{
	const unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 0) : 100;
	static const struct soft_kind kinds[] = {
		{ .cache = PKMAP_CACHE_VIVT, .write_allocate = true },
		{ .cache = PKMAP_CACHE_VIVT, .outer = true },
		{ .cache = PKMAP_CACHE_PIPT,
		  .speculative = true,
		  .write_allocate = true },
		{ .cache = PKMAP_CACHE_VIPT,
		  .speculative = true,
		  .outer = true,
		  .write_allocate = true },
	};
	const unsigned int n = sizeof(kinds) / sizeof(*kinds);
	unsigned int k;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%u\n", n);
	for (k = 0; k < n; k++)
		test(k + 1, &kinds[k], wanted);
	return 0;
}
