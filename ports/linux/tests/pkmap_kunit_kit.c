// SPDX-License-Identifier: GPL-2.0-only
/*
 * pkmap_kunit_kit.c - runs the conformance kit on windows that have the port's
 * operations.
 *
 * The test adds what kmap()'s window does not have: local maps, DMA calls, and
 * reports that stay out of the log.
 */
#include <kunit/test.h>
#include <linux/cacheflush.h>
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/cachetype.h>
#include <asm/tlbflush.h>

#include "conformance/conformance.h"
#include "linux.h"
#include "pkmap_kunit.h"

#define NPAGES	    CONFORMANCE_PAGES
#define LOCAL_SLOTS CONFORMANCE_LOCAL_SLOTS
#define DMA_SLOTS   (cache_is_vivt() ? 0 : CONFORMANCE_DMA_SLOTS)

/* A test has one at a time. */
struct second_task {
	struct task_struct *task;
	struct completion done;
	void (*run)(void *arg);
	void *arg;
};

struct kit {
	struct conformance conf;
	struct kunit *test;
	struct page *pages;
	struct second_task second;
	struct kit_window *windows;
};

/* A window, its slots, and behind them its local slots. */
struct kit_window {
	struct pkmap_linux port;
	struct kit_window *next;
	struct kit *kit;
	struct vm_struct *area;
	pte_t *ptes; /* of all slots, contiguous */
	unsigned long base;
	struct pkmap_window *win;
	size_t bytes;
	void *mem;
	void *dma_mem;
};

static struct kit_window *port_window(void *port)
{
	return container_of(port, struct kit_window, port);
}

/* The port takes a struct page for a page's number; the kit has a real pfn. */
static int kit_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	return pkmap_linux_ops.set(port, addr, (pkmap_pfn)pfn_to_page(pfn),
				   read_only);
}

/* A local slot concerns this CPU only; others cannot be interrupted here. */
static void kit_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu)
{
	const unsigned long start = (unsigned long)addr;

	if (this_cpu)
		local_flush_tlb_kernel_range(start, start + npages * PAGE_SIZE);
	else
		pkmap_linux_ops.flush_tlb(port, addr, npages, false);
}

static int kit_local_enter(void *port)
{
	preempt_disable();
	return smp_processor_id();
}

static int kit_local_cpu(void *port)
{
	return preemptible() ? PKMAP_EINVAL : raw_smp_processor_id();
}

static void kit_local_leave(void *port)
{
	preempt_enable();
}

static void kit_report(void *port, const struct pkmap_report *report)
{
	conformance_report(&port_window(port)->kit->conf, report);
}

static struct pkmap_ops kit_ops;

/*
 * Also cleans where it is only asked to invalidate.  Before a transfer that
 * does no harm.  After a transfer no line is dirty: those that were have been
 * written back before it, and nobody has written since.
 */
static void kit_cache(void *port, enum pkmap_cache_op op, void *addr,
		      size_t bytes)
{
	dmac_flush_range(addr, addr + bytes);
}

static const struct pkmap_dma_ops kit_dma_ops = { .cache = kit_cache };

static int first_pte(pte_t *pte, unsigned long addr, void *arg)
{
	pte_t **first = arg;

	if (!*first)
		*first = pte;
	return 0;
}

/*
 * Page table entries are contiguous within a PMD only.  So the area is twice as
 * large as needed: a PMD's end may be inside one half of it, but not inside
 * both.
 */
static bool find_slots(struct kit_window *kw, size_t bytes)
{
	unsigned long start;

	kw->area = get_vm_area(2 * bytes, VM_MAP);
	if (!kw->area)
		return false;
	start = (unsigned long)kw->area->addr;
	if ((start ^ (start + bytes - 1)) & PMD_MASK)
		start = ALIGN(start, PMD_SIZE);
	kw->base = start;
	return !apply_to_page_range(&init_mm, start, bytes, first_pte,
				    &kw->ptes);
}

static bool make_window(struct kit_window *kw, uint32_t nslots, bool read_only)
{
	const struct conformance *conf = &kw->kit->conf;
	const uint32_t ncpus = nr_cpu_ids;
	struct pkmap_config config = {
		.ops = &kit_ops,
		.port = &kw->port,
		.nslots = nslots,
		.page_shift = PAGE_SHIFT,
		.npages = PKMAP_NO_PFN,
		.cache.kind = PKMAP_CACHE_VIPT,
		.cache.speculative = true,
		.read_only = read_only,
		.local_slots = conf->local_slots,
		.dma_slots = conf->dma_slots,
		.ncpus = ncpus,
	};

	if (cache_is_vivt()) {
		config.cache = (struct pkmap_cache){
			.kind = PKMAP_CACHE_VIVT,
			.whole_bytes =
				min_t(size_t, 2 * PAGE_SIZE, WHOLE_BYTES),
		};
	}
	if (!find_slots(kw, PAGE_SIZE * (nslots + ncpus * (conf->local_slots +
							   conf->dma_slots))))
		return false;
	config.base = (void *)kw->base;
	config.local_base = config.base + nslots * PAGE_SIZE;
	kw->bytes = pkmap_size(&config);
	if (!kw->bytes)
		return false;
	kw->mem = alloc_pages_exact(kw->bytes, GFP_KERNEL);
	pkmap_linux_init(&kw->port, kw->base, &kw->ptes);
	return kw->mem && !pkmap_init(kw->mem, &config, &kw->win);
}

static void free_window(struct kit_window **at)
{
	struct kit_window *kw = *at;

	*at = kw->next;
	if (kw->mem)
		free_pages_exact(kw->mem, kw->bytes);
	if (kw->area)
		free_vm_area(kw->area);
	kfree(kw->dma_mem);
	kfree(kw);
}

static void kit_failed(struct conformance *conf, const char *file, int line,
		       const char *text)
{
	struct kit *kit = conf->port;

	kunit_err(kit->test, "%s:%d: %s\n", file, line, text);
}

static void kit_skipped(struct conformance *conf, const char *why)
{
	struct kit *kit = conf->port;

	/* KUnit counts it, but prints no reason for a test with parameters. */
	kunit_info(kit->test, "skipped: %s\n", why);
	kunit_mark_skipped(kit->test, "%s", why);
}

static struct pkmap_window *kit_open(struct conformance *conf, uint32_t nslots,
				     bool read_only)
{
	struct kit_window *kw = kzalloc(sizeof(*kw), GFP_KERNEL);
	struct kit *kit = conf->port;

	if (!kw) {
		kit_failed(conf, __FILE__, __LINE__, "no memory");
		return NULL;
	}
	kw->kit = kit;
	kw->next = kit->windows;
	kit->windows = kw;
	if (make_window(kw, nslots, read_only))
		return kw->win;
	kit_failed(conf, __FILE__, __LINE__, "no window");
	free_window(&kit->windows);
	return NULL;
}

static struct kit_window **find_window(struct conformance *conf,
				       struct pkmap_window *win)
{
	struct kit *kit = conf->port;
	struct kit_window **at = &kit->windows;

	while ((*at)->win != win)
		at = &(*at)->next;
	return at;
}

static int kit_close(struct conformance *conf, struct pkmap_window *win)
{
	int err = pkmap_fini(win);

	if (!err)
		free_window(find_window(conf, win));
	return err;
}

static int run_second(void *arg)
{
	struct second_task *second = arg;

	allow_signal(SIGUSR1);
	second->run(second->arg);
	flush_signals(current);
	complete(&second->done);
	return 0;
}

static bool kit_start(struct conformance *conf, void (*run)(void *arg),
		      void *arg)
{
	struct kit *kit = conf->port;
	struct second_task *second = &kit->second;

	second->run = run;
	second->arg = arg;
	init_completion(&second->done);
	second->task = kthread_create(run_second, second, "pkmap_kunit");
	if (IS_ERR(second->task))
		return false;
	get_task_struct(second->task);
	wake_up_process(second->task);
	return true;
}

static void kit_join(struct conformance *conf)
{
	struct kit *kit = conf->port;

	/* A thread that is stopped before it has started never runs. */
	wait_for_completion(&kit->second.done);
	kthread_stop(kit->second.task);
	put_task_struct(kit->second.task);
}

static void kit_disturb(struct conformance *conf)
{
	struct kit *kit = conf->port;

	send_sig(SIGUSR1, kit->second.task, 0);
}

static void kit_relax(struct conformance *conf)
{
	pkmap_kunit_relax();
}

static void kit_interrupt(struct conformance *conf, void (*run)(void *arg),
			  void *arg)
{
	pkmap_kunit_interrupt(run, arg);
}

static uint64_t kit_deadline(struct conformance *conf, uint64_t ns)
{
	return ktime_get_ns() + ns;
}

/* kmap() does not map the page, so this is an address of its own. */
static uint32_t kit_peek(struct conformance *conf, pkmap_pfn pfn, size_t offset)
{
	void *addr = kmap_local_page(pfn_to_page(pfn));
	const uint32_t value = *(uint32_t *)(addr + offset);

	kunmap_local(addr);
	return value;
}

static void kit_poke(struct conformance *conf, pkmap_pfn pfn, size_t offset,
		     uint32_t value)
{
	void *addr = kmap_local_page(pfn_to_page(pfn));

	*(uint32_t *)(addr + offset) = value;
	kunmap_local(addr);
}

static struct pkmap_dma *kit_dma(struct conformance *conf,
				 struct pkmap_window *win)
{
	struct kit_window *kw = *find_window(conf, win);
	const struct pkmap_dma_config config = {
		.win = win,
		.ops = &kit_dma_ops,
		.line_bytes = L1_CACHE_BYTES,
	};
	const size_t bytes = pkmap_dma_size(&config);
	struct pkmap_dma *dma;

	if (!bytes || kw->dma_mem)
		return NULL;
	kw->dma_mem = kmalloc(bytes + PKMAP_ALIGN, GFP_KERNEL);
	if (!kw->dma_mem ||
	    pkmap_dma_init(PTR_ALIGN(kw->dma_mem, PKMAP_ALIGN), &config, &dma))
		return NULL;
	return dma;
}

/*
 * Where the kernel is the manager of its domain, it may write to every page,
 * and only the entry shows the difference.  The store puts back the byte that
 * was loaded.
 */
static bool kit_faults(struct conformance *conf, void *addr, bool store)
{
	char byte;

	if (copy_from_kernel_nofault(&byte, addr, 1))
		return true;
	if (store && IS_ENABLED(CONFIG_CPU_USE_DOMAINS))
		return !pte_write(*virt_to_kpte((unsigned long)addr));
	return store && copy_to_kernel_nofault(addr, &byte, 1);
}

static const struct conformance kit_conformance = {
	.page_size = PAGE_SIZE,
	.colours = 1,
	.local_slots = LOCAL_SLOTS,
	.strict = true,
	.open = kit_open,
	.close = kit_close,
	.failed = kit_failed,
	.skipped = kit_skipped,
	.start = kit_start,
	.join = kit_join,
	.relax = kit_relax,
	.interrupt = kit_interrupt,
	.disturb = kit_disturb,
	.deadline = kit_deadline,
	.peek = kit_peek,
	.poke = kit_poke,
	.dma = kit_dma,
	.faults = kit_faults,
};

static int kit_suite_init(struct kunit_suite *suite)
{
	kit_ops = pkmap_linux_ops;
	kit_ops.set = kit_set;
	kit_ops.flush_tlb = kit_flush_tlb;
	kit_ops.local_enter = kit_local_enter;
	kit_ops.local_cpu = kit_local_cpu;
	kit_ops.local_leave = kit_local_leave;
	kit_ops.report = kit_report;
	return 0;
}

static int kit_init(struct kunit *test)
{
	struct kit *kit = kunit_kzalloc(test, sizeof(*kit), GFP_KERNEL);

	if (!kit)
		return -ENOMEM;
	kit->conf = kit_conformance;
	kit->conf.port = kit;
	kit->conf.dma_slots = DMA_SLOTS;
	kit->test = test;
	kit->pages = alloc_pages(GFP_HIGHUSER, get_order(NPAGES * PAGE_SIZE));
	if (!kit->pages)
		return -ENOMEM;
	kit->conf.first_pfn = page_to_pfn(kit->pages);
	/* Their previous owners may have left idle mappings. */
	kmap_flush_unused();
	test->priv = kit;
	return 0;
}

/* A window that could not be closed keeps its memory and the pages. */
static void kit_exit(struct kunit *test)
{
	struct kit *kit = test->priv;

	if (kit && !kit->windows)
		__free_pages(kit->pages, get_order(NPAGES * PAGE_SIZE));
}

static void kit_test(struct kunit *test)
{
	struct kit *kit = test->priv;
	const int preemption = preempt_count();
	bool passed;

	if (cache_is_vipt_aliasing())
		kunit_skip(test, "the kit does not choose addresses by colour");
	if (!PageHighMem(kit->pages))
		kunit_skip(test, "no contiguous pages of high memory");
	passed = conformance_run(&kit->conf, test->param_value);
	/* A test that failed may have left local maps open. */
	while (preempt_count() > preemption)
		preempt_enable();
	KUNIT_EXPECT_TRUE(test, passed);
}

static const void *next_test(const void *previous, char *name)
{
	const struct conformance_test *next = conformance_tests;

	if (previous)
		next = (const struct conformance_test *)previous + 1;
	if (next == conformance_tests + conformance_ntests)
		return NULL;
	strscpy(name, next->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}

static struct kunit_case kit_cases[] = {
	KUNIT_CASE_PARAM(kit_test, next_test),
	{},
};

static struct kunit_suite kit_suite = {
	.name = "pkmap_conformance",
	.suite_init = kit_suite_init,
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = kit_cases,
};
kunit_test_suite(kit_suite);
