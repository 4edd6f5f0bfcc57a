// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkmap_kunit.c - tests of kmap()'s window.
 *
 * Others use that window too, though rarely while KUnit runs: where a test
 * compares counters, it tries again if somebody else may have been counted.
 * Misuse of this window prints a warning, which a test must not do; the
 * conformance kit tests that on windows of its own.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/initrd.h>
#include <linux/kthread.h>
#include <linux/platform_device.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "linux.h"
#include "pkmap_kunit.h"
#include "trace.h"

#define NPAGES	   (3 * LAST_PKMAP)
#define DMA_PAGES  4 /* contiguous */
#define TRIES	   20
#define LONG_WHILE (20 * HZ) /* a wait that takes longer has failed */

static struct page **pages; /* NULL if there is too little high memory */
static struct page *dma_pages;
static struct platform_device *device; /* not coherent */

struct interrupt {
	struct hrtimer timer;
	void (*run)(void *arg);
	void *arg;
	bool done;
};

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct interrupt *irq = container_of(timer, struct interrupt, timer);

	irq->run(irq->arg);
	/* Pairs with the acquire in pkmap_kunit_interrupt(). */
	smp_store_release(&irq->done, true);
	return HRTIMER_NORESTART;
}

void pkmap_kunit_interrupt(void (*run)(void *arg), void *arg)
{
	struct interrupt irq = { .run = run, .arg = arg };

	preempt_disable();
	hrtimer_init_on_stack(&irq.timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	irq.timer.function = on_timer;
	hrtimer_start(&irq.timer, ns_to_ktime(10 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_PINNED_HARD);
	/* Pairs with the release in on_timer(). */
	while (!smp_load_acquire(&irq.done))
		cpu_relax();
	hrtimer_cancel(&irq.timer);
	destroy_hrtimer_on_stack(&irq.timer);
	preempt_enable();
}

void pkmap_kunit_relax(void)
{
	usleep_range(20, 100);
}

static struct pkmap_stats read_stats(void)
{
	struct pkmap_stats s;

	pkmap_linux_read_stats(&s);
	return s;
}

static void write_words(void *addr, u32 value)
{
	memset32(addr, value, PAGE_SIZE / sizeof(value));
}

static bool has_words(const void *addr, u32 value)
{
	const u32 *word = addr;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
		if (READ_ONCE(word[i]) != value)
			return false;
	}
	return true;
}

/* The same through kmap_local_page(), at another address if kmap() has none. */
static bool local_has_words(struct page *page, u32 value)
{
	const void *addr = kmap_local_page(page);
	const bool has = has_words(addr, value);

	kunmap_local(addr);
	return has;
}

static pte_t slot_pte(const void *addr)
{
	return pkmap_page_table[PKMAP_NR((unsigned long)addr)];
}

static bool shows(const void *addr, struct page *page)
{
	const pte_t pte = slot_pte(addr);

	return pte_present(pte) && pte_pfn(pte) == page_to_pfn(page);
}

static bool torn_down(const void *addr)
{
	char byte;

	return pte_none(slot_pte(addr)) &&
	       copy_from_kernel_nofault(&byte, addr, 1);
}

/* The address at which a pin finds the page; the pin ends at once. */
static void *find_by_pin(struct page *page)
{
	void *addr = kmap_high_get(page);

	if (addr)
		kunmap_high(page);
	return addr;
}

static void test_map(struct kunit *test)
{
	void *addr = kmap(pages[0]);

	KUNIT_EXPECT_TRUE(test, (unsigned long)addr >= PKMAP_BASE);
	KUNIT_EXPECT_TRUE(test, (unsigned long)addr < PKMAP_ADDR(LAST_PKMAP));
	KUNIT_EXPECT_TRUE(test, shows(addr, pages[0]));
	KUNIT_EXPECT_PTR_EQ(test, page_address(pages[0]), addr);
	kunmap(pages[0]);

	/* The mapping stays, idle, until somebody needs the slot. */
	KUNIT_EXPECT_PTR_EQ(test, page_address(pages[0]), addr);
	KUNIT_EXPECT_TRUE(test, shows(addr, pages[0]));
	kmap_flush_unused();
	KUNIT_EXPECT_NULL(test, page_address(pages[0]));
	KUNIT_EXPECT_TRUE(test, torn_down(addr));
}

/* kmap_to_page() is not called elsewhere: it warns about window addresses. */
static void test_low_page(struct kunit *test)
{
	void *low = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, low);
	low = PTR_ALIGN_DOWN(low, PAGE_SIZE);
	page = virt_to_page(low);
	KUNIT_EXPECT_PTR_EQ(test, page_address(page), low);
	KUNIT_EXPECT_PTR_EQ(test, kmap(page), low);
	KUNIT_EXPECT_PTR_EQ(test, kmap_to_page(low), page);
	kunmap(page);
	KUNIT_EXPECT_PTR_EQ(test, page_address(page), low);
}

static void test_nested(struct kunit *test)
{
	void *addr = kmap(pages[0]);

	write_words(addr, 1);
	KUNIT_EXPECT_PTR_EQ(test, kmap(pages[0]), addr);
	KUNIT_EXPECT_PTR_EQ(test, kmap(pages[0]), addr);
	kunmap(pages[0]);
	kunmap(pages[0]);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, shows(addr, pages[0]));
	KUNIT_EXPECT_TRUE(test, has_words(addr, 1));
	kunmap(pages[0]);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, torn_down(addr));
}

static void test_pin(struct kunit *test)
{
	void *addr;

	KUNIT_EXPECT_NULL(test, find_by_pin(pages[0]));
	addr = kmap(pages[0]);
	write_words(addr, 2);
	KUNIT_EXPECT_PTR_EQ(test, kmap_high_get(pages[0]), addr);
	kunmap(pages[0]);
	kmap_flush_unused();
	KUNIT_EXPECT_PTR_EQ(test, page_address(pages[0]), addr);
	KUNIT_EXPECT_TRUE(test, shows(addr, pages[0]));
	KUNIT_EXPECT_TRUE(test, has_words(addr, 2));

	kunmap_high(pages[0]);
	/* The page is idle, and still found. */
	KUNIT_EXPECT_PTR_EQ(test, find_by_pin(pages[0]), addr);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, torn_down(addr));
	KUNIT_EXPECT_NULL(test, find_by_pin(pages[0]));
}

struct pin_interrupt {
	struct page *page;
	void *addr;
	bool hard;
	bool shows;
};

static void pin_in_interrupt(void *arg)
{
	struct pin_interrupt *irq = arg;

	irq->hard = in_hardirq() && irqs_disabled();
	irq->addr = kmap_high_get(irq->page);
	irq->shows = irq->addr && has_words(irq->addr, 3);
}

static void unmap_in_interrupt(void *page)
{
	kunmap_high(page);
}

/* The interrupt's pin outlives it, and another interrupt ends it. */
static void test_pin_in_interrupt(struct kunit *test)
{
	struct pin_interrupt irq = { .page = pages[0] };
	void *addr;

	pkmap_kunit_interrupt(pin_in_interrupt, &irq);
	KUNIT_EXPECT_TRUE(test, irq.hard);
	KUNIT_EXPECT_NULL(test, irq.addr);
	if (irq.addr)
		kunmap_high(pages[0]);

	addr = kmap(pages[0]);
	write_words(addr, 3);
	kunmap(pages[0]);
	pkmap_kunit_interrupt(pin_in_interrupt, &irq);
	KUNIT_EXPECT_PTR_EQ(test, irq.addr, addr);
	KUNIT_EXPECT_TRUE(test, irq.shows);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, shows(addr, pages[0]));

	if (irq.addr)
		pkmap_kunit_interrupt(unmap_in_interrupt, pages[0]);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, torn_down(addr));
}

static void test_local_of_mapped(struct kunit *test)
{
	void *addr = kmap(pages[0]);
	void *local;

	write_words(addr, 4);
	local = kmap_local_page(pages[0]);
	KUNIT_EXPECT_PTR_EQ(test, local, addr);
	kunmap(pages[0]);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, has_words(local, 4));
	kunmap_local(local);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, torn_down(addr));
}

static void test_local_of_unmapped(struct kunit *test)
{
	void *local = kmap_local_page(pages[0]);

	KUNIT_EXPECT_PTR_NE(test, page_address(pages[0]), local);
	KUNIT_EXPECT_NULL(test, find_by_pin(pages[0]));
	write_words(local, 5);
	kunmap_local(local);
	KUNIT_EXPECT_TRUE(test, has_words(kmap(pages[0]), 5));
	kunmap(pages[0]);
}

static void test_flush_unused(struct kunit *test)
{
	void *addrs[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		addrs[i] = kmap(pages[i]);
	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		/* Now a TLB holds the translation. */
		write_words(addrs[i], i);
		if (i % 2 == 0)
			kunmap(pages[i]);
	}
	kmap_flush_unused();
	for (i = 0; i < ARRAY_SIZE(addrs); i += 2) {
		KUNIT_EXPECT_TRUE(test, torn_down(addrs[i]));
		KUNIT_EXPECT_NULL(test, page_address(pages[i]));
		KUNIT_EXPECT_TRUE(test, shows(addrs[i + 1], pages[i + 1]));
		KUNIT_EXPECT_TRUE(test, has_words(addrs[i + 1], i + 1));
		kunmap(pages[i + 1]);
	}
}

/* A word that is different for each page and each round. */
static u32 stamp(unsigned int i, unsigned int round)
{
	return (i * 4 + round) * 0x9e3779b1u + 1;
}

static unsigned int count_wrong(unsigned int round)
{
	unsigned int wrong = 0;
	unsigned int i;
	void *addr;

	for (i = 0; i < NPAGES; i++) {
		addr = kmap(pages[i]);
		if (round && !has_words(addr, stamp(i, round - 1)))
			wrong++;
		write_words(addr, stamp(i, round));
		kunmap(pages[i]);
	}
	return wrong;
}

static void test_content_follows_page(struct kunit *test)
{
	const unsigned long before = read_stats().reclaimed;
	unsigned int wrong = 0;
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, count_wrong(i), 0);
	KUNIT_EXPECT_GE(test, read_stats().reclaimed - before, 2 * NPAGES);
	kmap_flush_unused();
	for (i = 0; i < NPAGES; i++)
		wrong += !local_has_words(pages[i], stamp(i, 2));
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* Maps one page after the other until no slot is left, and then one more. */
struct filler {
	struct task_struct *task;
	struct completion done;
	unsigned int first;
	unsigned int end; /* so far */
	bool enough;
	bool shown;
};

static int run_filler(void *arg)
{
	struct filler *f = arg;
	void *addr;

	f->shown = true;
	while (!READ_ONCE(f->enough) && f->end < NPAGES) {
		addr = kmap(pages[f->end]);
		f->shown &= shows(addr, pages[f->end]);
		f->end++;
	}
	complete_all(&f->done);
	return 0;
}

/* Returns when the filler sleeps, or is about to. */
static void start_filler(struct kunit *test, struct filler *f,
			 unsigned int first)
{
	const unsigned long before = read_stats().waits;

	*f = (struct filler){ .first = first, .end = first };
	init_completion(&f->done);
	f->task = kthread_create(run_filler, f, "pkmap_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->task);
	get_task_struct(f->task);
	wake_up_process(f->task);
	while (read_stats().waits == before && !completion_done(&f->done))
		pkmap_kunit_relax();
	WRITE_ONCE(f->enough, true);
	KUNIT_EXPECT_FALSE(test, completion_done(&f->done));
}

static void expect_woken(struct kunit *test, struct filler *f)
{
	KUNIT_EXPECT_NE(test, 0,
			wait_for_completion_timeout(&f->done, LONG_WHILE));
}

/* Unmaps what the filler has mapped from page @i on. */
static void end_filler(struct kunit *test, struct filler *f, unsigned int i)
{
	unsigned int end = READ_ONCE(f->end);

	for (; i < end; i++)
		kunmap(pages[i]);
	/* Wakes it in case nobody else did. */
	while (!wait_for_completion_timeout(&f->done, HZ))
		wake_up_process(f->task);
	for (; i < f->end; i++)
		kunmap(pages[i]);
	KUNIT_EXPECT_TRUE(test, f->shown);
	kthread_stop(f->task);
	put_task_struct(f->task);
}

/* All slots are in use, and a thread waits until @let_go frees one. */
static void check_woken(struct kunit *test, void (*let_go)(void *page))
{
	struct filler f;

	start_filler(test, &f, 0);
	let_go(pages[0]);
	expect_woken(test, &f);
	KUNIT_EXPECT_GT(test, f.end, LAST_PKMAP / 2);
	KUNIT_EXPECT_LE(test, f.end, LAST_PKMAP + 1);
	end_filler(test, &f, 1);
}

static void let_go_in_task(void *page)
{
	kunmap(page);
}

static void let_go_in_interrupt(void *page)
{
	pkmap_kunit_interrupt(unmap_in_interrupt, page);
}

/* No real NMI, but under the same restrictions as one. */
static void unmap_in_nmi(void *page)
{
	nmi_enter();
	kunmap_high(page);
	nmi_exit();
}

static void let_go_in_nmi(void *page)
{
	pkmap_kunit_interrupt(unmap_in_nmi, page);
}

static void test_woken_by_task(struct kunit *test)
{
	check_woken(test, let_go_in_task);
}

static void test_woken_by_interrupt(struct kunit *test)
{
	check_woken(test, let_go_in_interrupt);
}

static void test_woken_by_nmi(struct kunit *test)
{
	check_woken(test, let_go_in_nmi);
}

/* Two threads wait to map the same page, and then share its slot. */
static void test_woken_together(struct kunit *test)
{
	struct filler f;
	struct filler g;

	start_filler(test, &f, 0);
	start_filler(test, &g, f.end);
	kunmap(pages[0]);
	expect_woken(test, &f);
	expect_woken(test, &g);
	end_filler(test, &f, 1);
	end_filler(test, &g, g.first);
}

/* DMA cache maintenance of contiguous pages. */
struct dma_call {
	struct page *page;
	unsigned int npages;
	enum dma_data_direction dir;
	bool passed;
};

static void do_dma(void *arg)
{
	struct dma_call *call = arg;
	const size_t bytes = call->npages * PAGE_SIZE;
	dma_addr_t at =
		dma_map_page(&device->dev, call->page, 0, bytes, call->dir);

	call->passed = !dma_mapping_error(&device->dev, at);
	if (call->passed)
		dma_unmap_page(&device->dev, at, bytes, call->dir);
}

static void at_once(void (*run)(void *arg), void *arg)
{
	run(arg);
}

/* Whether it makes @pins pins of mapped pages, and @misses of others. */
static bool dma_pins(struct dma_call *call, unsigned long pins,
		     unsigned long misses,
		     void (*where)(void (*run)(void *arg), void *arg))
{
	struct pkmap_stats before;
	struct pkmap_stats after;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		before = read_stats();
		where(do_dma, call);
		after = read_stats();
		if (!call->passed)
			return false;
		if (after.pins - before.pins == pins &&
		    after.pin_misses - before.pin_misses == misses)
			return true;
	}
	return false;
}

/* Caches are maintained before a transfer, and again after one to memory. */
static void check_dma(struct kunit *test,
		      void (*where)(void (*run)(void *arg), void *arg))
{
	struct dma_call call = {
		.page = dma_pages,
		.npages = DMA_PAGES,
		.dir = DMA_TO_DEVICE,
	};
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, dma_pins(&call, 0, DMA_PAGES, where));
	for (i = 0; i < DMA_PAGES; i++)
		kmap(dma_pages + i);
	KUNIT_EXPECT_TRUE(test, dma_pins(&call, DMA_PAGES, 0, where));
	kunmap(dma_pages);
	call.dir = DMA_FROM_DEVICE;
	KUNIT_EXPECT_TRUE(test, dma_pins(&call, 2 * DMA_PAGES, 0, where));

	/* No pin is left: only pages in use stay mapped. */
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, dma_pins(&call, 2 * (DMA_PAGES - 1), 2, where));
	for (i = 1; i < DMA_PAGES; i++)
		kunmap(dma_pages + i);
	kmap_flush_unused();
	KUNIT_EXPECT_TRUE(test, dma_pins(&call, 0, 2 * DMA_PAGES, where));
}

static void test_dma(struct kunit *test)
{
	check_dma(test, at_once);
}

static void test_dma_in_interrupt(struct kunit *test)
{
	check_dma(test, pkmap_kunit_interrupt);
}

/* Frees a page and allocates one: is it the same again?  It usually is. */
static bool free_and_alloc(struct page **page)
{
	const gfp_t gfp = GFP_HIGHUSER | __GFP_NOFAIL;
	struct page *const old = *page;
	struct page *others[64];
	unsigned int n = 0;

	__free_page(old);
	*page = alloc_page(gfp);
	while (*page != old && n < ARRAY_SIZE(others)) {
		others[n++] = *page;
		*page = alloc_page(gfp);
	}
	while (n--)
		__free_page(others[n]);
	return *page == old;
}

/* Whether a page keeps its content while it is free. */
static bool free_keeps_content(void)
{
	return !want_init_on_alloc(GFP_HIGHUSER) && !want_init_on_free() &&
	       !page_poisoning_enabled();
}

/* Maps other pages until every slot shows another page than before. */
static void recycle_all(void)
{
	unsigned int i;

	for (i = 1; i < NPAGES; i++) {
		kmap(pages[i]);
		kunmap(pages[i]);
	}
}

/* The page's last owner has left an idle mapping, and dirty lines on VIVT. */
static void check_left_mapped(struct kunit *test, struct page *page, void *addr)
{
	struct dma_call call = {
		.page = page,
		.npages = 1,
		.dir = DMA_TO_DEVICE,
	};
	void *local;

	KUNIT_EXPECT_PTR_EQ(test, find_by_pin(page), addr);
	KUNIT_EXPECT_TRUE(test, dma_pins(&call, 1, 0, at_once));
	local = kmap_local_page(page);
	KUNIT_EXPECT_PTR_EQ(test, local, addr);
	kunmap_local(local);
}

static void test_freed_while_idle(struct kunit *test)
{
	void *addr = kmap(pages[0]);

	write_words(addr, 7);
	kunmap(pages[0]);
	if (!free_and_alloc(&pages[0]))
		kunit_skip(test, "the freed page was not allocated again");
	KUNIT_ASSERT_PTR_EQ(test, page_address(pages[0]), addr);
	check_left_mapped(test, pages[0], addr);
	kmap_flush_unused();
	if (free_keeps_content())
		KUNIT_EXPECT_TRUE(test, local_has_words(pages[0], 7));

	write_words(kmap(pages[0]), 8);
	kunmap(pages[0]);
	if (!free_and_alloc(&pages[0]))
		kunit_skip(test, "the freed page was not allocated again");
	recycle_all();
	KUNIT_EXPECT_NULL(test, page_address(pages[0]));
	if (free_keeps_content())
		KUNIT_EXPECT_TRUE(test, local_has_words(pages[0], 8));
}

/* What the new owner writes survives when the old mapping is torn down. */
static void test_written_while_idle(struct kunit *test)
{
	void *addr = kmap(pages[0]);
	void *local;

	write_words(addr, 9);
	kunmap(pages[0]);
	if (!free_and_alloc(&pages[0]))
		kunit_skip(test, "the freed page was not allocated again");
	local = kmap_local_page(pages[0]);
	write_words(local, 10);
	kunmap_local(local);
	recycle_all();
	KUNIT_EXPECT_TRUE(test, local_has_words(pages[0], 10));
	KUNIT_EXPECT_TRUE(test, has_words(kmap(pages[0]), 10));
	kunmap(pages[0]);
}

/* How often a tracepoint was hit with a page, or at all. */
struct hits {
	unsigned long pfn;
	atomic_t n;
	const void *addr; /* the last */
};

static void on_page(void *data, unsigned long pfn, const void *addr)
{
	struct hits *hits = data;

	if (pfn != hits->pfn)
		return;
	hits->addr = addr;
	atomic_inc(&hits->n);
}

static void on_reclaim(void *data, const void *addr, size_t npages,
		       unsigned int slots)
{
	struct hits *hits = data;

	if (slots && slots <= npages && (unsigned long)addr >= PKMAP_BASE)
		atomic_inc(&hits->n);
}

static void on_wait(void *data, u32 event)
{
	struct hits *hits = data;

	atomic_inc(&hits->n);
}

struct traced {
	struct hits map;
	struct hits pin;
	struct hits unmap;
	struct hits reclaim;
	struct hits wait;
};

static void start_tracing(struct kunit *test, struct traced *t)
{
	KUNIT_EXPECT_EQ(test, 0, register_trace_pkmap_map(on_page, &t->map));
	KUNIT_EXPECT_EQ(test, 0, register_trace_pkmap_pin(on_page, &t->pin));
	KUNIT_EXPECT_EQ(test, 0,
			register_trace_pkmap_unmap(on_page, &t->unmap));
	KUNIT_EXPECT_EQ(test, 0,
			register_trace_pkmap_reclaim(on_reclaim, &t->reclaim));
	KUNIT_EXPECT_EQ(test, 0, register_trace_pkmap_wait(on_wait, &t->wait));
}

static void stop_tracing(struct traced *t)
{
	unregister_trace_pkmap_map(on_page, &t->map);
	unregister_trace_pkmap_pin(on_page, &t->pin);
	unregister_trace_pkmap_unmap(on_page, &t->unmap);
	unregister_trace_pkmap_reclaim(on_reclaim, &t->reclaim);
	unregister_trace_pkmap_wait(on_wait, &t->wait);
	tracepoint_synchronize_unregister();
}

static void test_tracepoints(struct kunit *test)
{
	const unsigned long pfn = page_to_pfn(pages[NPAGES - 2]);
	struct traced t = {
		.map.pfn = pfn,
		.pin.pfn = pfn,
		.unmap.pfn = pfn,
	};
	void *addr;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "no tracepoints in this kernel");
	start_tracing(test, &t);
	addr = kmap(pages[NPAGES - 2]);
	KUNIT_EXPECT_PTR_EQ(test, kmap_high_get(pages[NPAGES - 2]), addr);
	kunmap_high(pages[NPAGES - 2]);
	kunmap(pages[NPAGES - 2]);
	kmap_flush_unused();
	KUNIT_EXPECT_NULL(test, find_by_pin(pages[NPAGES - 2]));
	check_woken(test, let_go_in_interrupt);
	stop_tracing(&t);

	KUNIT_EXPECT_EQ(test, atomic_read(&t.map.n), 1);
	KUNIT_EXPECT_PTR_EQ(test, t.map.addr, addr);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.pin.n), 2);
	KUNIT_EXPECT_NULL(test, t.pin.addr);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.unmap.n), 2);
	KUNIT_EXPECT_PTR_EQ(test, t.unmap.addr, addr);
	KUNIT_EXPECT_GE(test, atomic_read(&t.reclaim.n), 1);
	KUNIT_EXPECT_GE(test, atomic_read(&t.wait.n), 1);
}

#define MOST_RUN 6 /* slots; from eight on, the whole cache is cleaned */

/* Adjacent slots, and how many of them were cleaned by address, in order. */
struct run {
	unsigned int slot;
	unsigned int nslots;
	unsigned int cleaned; /* so far, in order */
	bool disorder;
};

static void on_clean(void *data, const void *addr)
{
	struct run *run = data;
	const unsigned int nr = PKMAP_NR((unsigned long)addr) - run->slot;

	if (nr >= run->nslots)
		return; /* somebody else's */
	run->disorder |= nr != run->cleaned;
	run->cleaned++;
}

/* Notes for each slot which page was mapped there, or NULL. */
static void map_half(struct page **shown)
{
	unsigned int i;
	void *addr;

	memset(shown, 0, LAST_PKMAP * sizeof(*shown));
	for (i = 0; i < LAST_PKMAP / 2; i++) {
		addr = kmap(pages[i]);
		write_words(addr, stamp(i, 0));
		shown[PKMAP_NR((unsigned long)addr)] = pages[i];
	}
}

static void unmap_shown(struct page **shown, unsigned int first,
			unsigned int end)
{
	for (; first < end; first++) {
		if (shown[first])
			kunmap(shown[first]);
		shown[first] = NULL;
	}
}

static bool find_run(struct page **shown, struct run *run)
{
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < LAST_PKMAP && n < run->nslots; i++)
		n = shown[i] ? n + 1 : 0;
	run->slot = i - n;
	return n == run->nslots;
}

/* Has the slots of a run torn down together, and notes what is cleaned. */
static void tear_down_run(struct kunit *test, struct page **shown,
			  struct run *run)
{
	run->cleaned = 0;
	KUNIT_EXPECT_EQ(test, 0, register_trace_pkmap_clean(on_clean, run));
	unmap_shown(shown, run->slot, run->slot + run->nslots);
	kmap_flush_unused();
	unregister_trace_pkmap_clean(on_clean, run);
	tracepoint_synchronize_unregister();
}

/* With idle mappings of others the whole cache may be cleaned: try again. */
static void check_run(struct kunit *test, struct page **shown,
		      unsigned int nslots)
{
	struct run run = { .nslots = nslots };
	unsigned int i;

	for (i = 0; i < TRIES && run.cleaned != nslots; i++) {
		kmap_flush_unused();
		map_half(shown);
		if (find_run(shown, &run))
			tear_down_run(test, shown, &run);
		unmap_shown(shown, 0, LAST_PKMAP);
	}
	KUNIT_EXPECT_EQ(test, run.cleaned, nslots);
	KUNIT_EXPECT_FALSE(test, run.disorder);
}

/* Each page of a run is cleaned by a call of its own (linux_clean()). */
static void test_adjacent_slots(struct kunit *test)
{
	struct page **shown =
		kunit_kcalloc(test, LAST_PKMAP, sizeof(*shown), GFP_KERNEL);
	unsigned int wrong = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, shown);
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "no tracepoints in this kernel");
	if (WHOLE_BYTES <= MOST_RUN * PAGE_SIZE)
		kunit_skip(test, "nothing is cleaned by address here");
	for (i = 2; i <= MOST_RUN; i++)
		check_run(test, shown, i);
	kmap_flush_unused();
	for (i = 0; i < LAST_PKMAP / 2; i++)
		wrong += !local_has_words(pages[i], stamp(i, 0));
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void free_pages_of_test(void)
{
	unsigned int i;

	for (i = 0; pages && i < NPAGES; i++) {
		if (pages[i])
			__free_page(pages[i]);
	}
	kvfree(pages);
	pages = NULL;
	if (dma_pages)
		__free_pages(dma_pages, get_order(DMA_PAGES * PAGE_SIZE));
	dma_pages = NULL;
}

static bool alloc_pages_of_test(void)
{
	const gfp_t gfp = GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN;
	bool high = true;
	unsigned int i;

	pages = kvcalloc(NPAGES, sizeof(*pages), GFP_KERNEL);
	for (i = 0; pages && high && i < NPAGES; i++) {
		pages[i] = alloc_page(gfp);
		high = pages[i] && PageHighMem(pages[i]);
	}
	dma_pages = alloc_pages(gfp, get_order(DMA_PAGES * PAGE_SIZE));
	return pages && high && dma_pages && PageHighMem(dma_pages);
}

static int kmap_suite_init(struct kunit_suite *suite)
{
	/* It is unpacked into high memory, through kmap_local_page(). */
	wait_for_initramfs();
	device = platform_device_register_simple("pkmap_kunit", -1, NULL, 0);
	if (IS_ERR(device))
		return PTR_ERR(device);
	if (!alloc_pages_of_test())
		free_pages_of_test();
	return 0;
}

static void kmap_suite_exit(struct kunit_suite *suite)
{
	kmap_flush_unused();
	free_pages_of_test();
	platform_device_unregister(device);
}

static int kmap_init(struct kunit *test)
{
	if (!pages)
		kunit_skip(test, "not enough high memory");
	kmap_flush_unused();
	return 0;
}

static struct kunit_case kmap_cases[] = {
	KUNIT_CASE(test_map),
	KUNIT_CASE(test_low_page),
	KUNIT_CASE(test_nested),
	KUNIT_CASE(test_pin),
	KUNIT_CASE(test_pin_in_interrupt),
	KUNIT_CASE(test_local_of_mapped),
	KUNIT_CASE(test_local_of_unmapped),
	KUNIT_CASE(test_flush_unused),
	KUNIT_CASE(test_content_follows_page),
	KUNIT_CASE(test_woken_by_task),
	KUNIT_CASE(test_woken_by_interrupt),
	KUNIT_CASE(test_woken_by_nmi),
	KUNIT_CASE(test_woken_together),
	KUNIT_CASE(test_dma),
	KUNIT_CASE(test_dma_in_interrupt),
	KUNIT_CASE(test_freed_while_idle),
	KUNIT_CASE(test_written_while_idle),
	KUNIT_CASE(test_tracepoints),
	KUNIT_CASE(test_adjacent_slots),
	{},
};

static struct kunit_suite kmap_suite = {
	.name = "pkmap_kmap",
	.suite_init = kmap_suite_init,
	.suite_exit = kmap_suite_exit,
	.init = kmap_init,
	.test_cases = kmap_cases,
};
kunit_test_suite(kmap_suite);
