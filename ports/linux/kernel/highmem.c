// SPDX-License-Identifier: GPL-2.0-only
/*
 * highmem.c - kmap(), kunmap() and kmap_high_get() on top of pkmap.
 *
 * This replaces the part of mm/highmem.c that implements kmap().  The rest
 * stays there: kmap_local_page() is one of its functions, and calls
 * kmap_high_get() for the pin.  A slot is a page table entry of the kmap area.
 *
 * The window treats the cache as VIVT: flush_cache_kmaps() does whatever the
 * architecture needs before a slot shows another page, which may be nothing.
 * Where caches alias and the architecture has page colours, a page gets a slot
 * of its colour instead, and nothing has to be flushed.
 */
#include <linux/bug.h>
#include <linux/cacheflush.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <asm/tlbflush.h>

#include "linux.h"
#include "trace.h"

#if IS_ENABLED(CONFIG_PKMAP_KUNIT_TEST)
#define VISIBLE_FOR_TESTS __visible
#else
#define VISIBLE_FOR_TESTS
#endif

/*
 * The window takes the address of the struct page for the page's number: every
 * caller has that, so there is nothing to compute.  Colours depend on the real
 * number.
 */
#ifdef get_pkmap_color
static inline pkmap_pfn page_number(const struct page *page)
{
	return page_to_pfn(page);
}

static inline unsigned long number_to_pfn(pkmap_pfn number)
{
	return number;
}
#else
static inline pkmap_pfn page_number(const struct page *page)
{
	return (pkmap_pfn)page;
}

static inline unsigned long number_to_pfn(pkmap_pfn number)
{
	return page_to_pfn((struct page *)number);
}
#endif

static pte_t *slot_pte(struct pkmap_linux *port, unsigned long addr)
{
	return &(*port->ptes)[(addr - port->base) >> PAGE_SHIFT];
}

#ifdef CONFIG_ARM
/*
 * Other CPUs learn of the entry through the slot's word.  The word's release
 * orders the entry before it for their loads, but neither for their page table
 * walkers nor for ours: that takes a dsb.  (On SMP, mm/highmem.c gets one from
 * spin_unlock().)  Before ARMv6 the dsb drains the write buffer, which may
 * still hold the entry on ARM1020E, ARM1022 and ARM1026.  ARM720T has no such
 * operation, and mm/highmem.c does without it.
 */
static void set_slot_pte(unsigned long addr, pte_t *ptep, pte_t pte)
{
	set_pte_ext(ptep, pte, 0);
	if (!IS_ENABLED(CONFIG_CPU_ARM720T)) {
		dsb(ishst);
		isb();
	}
}
#else
static void set_slot_pte(unsigned long addr, pte_t *ptep, pte_t pte)
{
	set_pte_at(&init_mm, addr, ptep, pte);
}
#endif

static int linux_set(void *p, void *addr, pkmap_pfn number, bool read_only)
{
	const unsigned long at = (unsigned long)addr;
	pte_t pte = pfn_pte(number_to_pfn(number), kmap_prot);

	if (unlikely(read_only))
		pte = pte_wrprotect(pte);
	set_slot_pte(at, slot_pte(p, at), pte);
	return 0;
}

static void linux_clear(void *p, void *addr, size_t npages)
{
	struct pkmap_linux *port = p;
	unsigned long at = (unsigned long)addr;
	pte_t *pte = slot_pte(port, at);

	port->cleared += npages;
	for (; npages; npages--, at += PAGE_SIZE)
		pte_clear(&init_mm, at, pte++);
}

/*
 * Before ARMv6, a TLB has some 64 entries, and is flushed whole at every change
 * of address space: flushing more pages than that one by one only takes longer.
 * Other TLBs are large, and also hold the entries of processes, which are worth
 * keeping.  (Not every PowerPC has flush_tlb_all().)
 */
static void flush_translations(unsigned long start, size_t npages)
{
#if defined(CONFIG_ARM) && __LINUX_ARM_ARCH__ < 6
	if (npages > 64) {
		flush_tlb_all();
		return;
	}
#endif
	flush_tlb_kernel_range(start, start + npages * PAGE_SIZE);
}

/* May interrupt other CPUs: none waits for the flush with interrupts off. */
static void linux_flush_tlb(void *p, void *addr, size_t npages, bool this_cpu)
{
	struct pkmap_linux *port = p;

	flush_translations((unsigned long)addr, npages);
	trace_pkmap_reclaim(addr, npages, port->cleared);
	port->cleared = 0;
}

/*
 * A page at a time: Feroceon with range operations cleans a single page,
 * however many bytes it is asked to clean (docs/linux.md, section 10).
 */
static void linux_clean(void *p, void *addr, size_t bytes)
{
	for (; bytes; bytes -= PAGE_SIZE, addr += PAGE_SIZE) {
		flush_kernel_vmap_range(addr, PAGE_SIZE);
		trace_pkmap_clean(addr);
	}
}

static void linux_clean_all(void *p)
{
	flush_cache_kmaps();
#ifdef CONFIG_CPU_MOHAWK
	dsb(); /* what was written back may be in the write buffer */
#endif
}

static void linux_lock(void *p)
{
	struct pkmap_linux *port = p;

	mutex_lock(&port->lock);
}

static bool linux_trylock(void *p)
{
	struct pkmap_linux *port = p;

	return mutex_trylock(&port->lock);
}

static void linux_unlock(void *p)
{
	struct pkmap_linux *port = p;

	mutex_unlock(&port->lock);
}

/* The deadline is in nanoseconds of ktime_get(). */
static int linux_wait(void *p, pkmap_a32 *event, uint32_t seen,
		      const struct pkmap_wait *wait)
{
	struct pkmap_linux *port = p;
	ktime_t deadline = ns_to_ktime(wait->deadline);
	ktime_t *expires = &deadline;
	DECLARE_SWAITQUEUE(self);
	int state = TASK_UNINTERRUPTIBLE;
	int err = 0;

	if (wait->deadline == PKMAP_NO_DEADLINE)
		expires = NULL;
	if (wait->flags & PKMAP_WAIT_INTERRUPTIBLE)
		state = TASK_INTERRUPTIBLE;
	trace_pkmap_wait(seen);
	do {
		/* Pairs with the queue's lock in wake_waiters(). */
		if (prepare_to_swait_event(&port->waiters, &self, state))
			err = PKMAP_EINTR;
		else if (pkmap_a32_load_acquire(event) != seen)
			break;
		else if (!schedule_hrtimeout(expires, HRTIMER_MODE_ABS))
			err = PKMAP_ETIMEDOUT;
	} while (!err);
	finish_swait(&port->waiters, &self);
	return err;
}

/*
 * Wakes all waiters while it holds the queue's lock, so that one that goes back
 * to sleep is not woken again.  (Interrupts cannot call swake_up_all().)
 */
static void wake_waiters(struct pkmap_linux *port)
{
	struct swait_queue_head *q = &port->waiters;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->lock, flags);
	while (swait_active(q))
		swake_up_locked(q);
	raw_spin_unlock_irqrestore(&q->lock, flags);
}

static void wake_from_work(struct irq_work *work)
{
	wake_waiters(container_of(work, struct pkmap_linux, wake_work));
}

static void linux_wake(void *p, pkmap_a32 *event)
{
	struct pkmap_linux *port = p;

	/* An NMI may have interrupted the holder of the queue's lock. */
	if (in_nmi())
		irq_work_queue(&port->wake_work);
	else
		wake_waiters(port);
}

/* kmap() and the like allow no other misuse than these two. */
static void linux_report(void *p, const struct pkmap_report *report)
{
	WARN_ONCE(1, "pkmap: %s: page %px addr %px\n",
		  report->what == PKMAP_MISUSE_SATURATED ?
			  "mapped too often, stays mapped" :
			  "kunmap() of a page that nobody has mapped",
		  (void *)report->pfn, report->addr);
}

VISIBLE_FOR_TESTS const struct pkmap_ops pkmap_linux_ops = {
	.set = linux_set,
	.clear = linux_clear,
	.flush_tlb = linux_flush_tlb,
	.cache_clean_inval = linux_clean,
	.cache_clean_inval_all = linux_clean_all,
	.lock = linux_lock,
	.trylock = linux_trylock,
	.unlock = linux_unlock,
	.wait = linux_wait,
	.wake = linux_wake,
	.report = linux_report,
};

/* This window has no local maps: kmap_local_page() is the kernel's own. */
struct pkmap_local *pkmap_find_local(struct pkmap_window *w, pkmap_pfn pfn,
				     enum local_state least,
				     enum local_state most)
{
	return NULL;
}

/* Out of line only because the KUnit tests have windows of their own. */
VISIBLE_FOR_TESTS void pkmap_linux_init(struct pkmap_linux *port,
					unsigned long base, pte_t **ptes)
{
	mutex_init(&port->lock);
	init_swait_queue_head(&port->waiters);
	init_irq_work(&port->wake_work, wake_from_work);
	port->base = base;
	port->ptes = ptes;
	port->cleared = 0;
}

/* The most that a window takes, as pkmap.h says. */
#define WINDOW_BYTES \
	((20 + PKMAP_WORD_BYTES) * LAST_PKMAP + PKMAP_ALIGN * NR_CPUS + 1024)

static char window_mem[WINDOW_BYTES] __aligned(PKMAP_ALIGN);
static struct pkmap_linux window_port;
/* pkmap_init() makes it there.  A constant address need not be loaded. */
static struct pkmap_window *const window = (void *)window_mem;

/*
 * Runs before the first kmap().  The window accepts every page, because kmap()
 * has already checked that it is in high memory.  Flattened, because little
 * remains of pkmap_init() with a constant configuration, and __init frees it.
 */
__visible __attribute__((__flatten__)) void __init page_address_init(void)
{
	const struct pkmap_config config = {
		.ops = &pkmap_linux_ops,
		.port = &window_port,
		.base = (void *)PKMAP_BASE,
		.nslots = LAST_PKMAP,
		.page_shift = PAGE_SHIFT,
		.npages = PKMAP_NO_PFN,
#ifdef get_pkmap_color
		.cache.kind = PKMAP_CACHE_VIPT,
		.cache.colours = DCACHE_N_COLORS,
#else
		.cache.kind = PKMAP_CACHE_VIVT,
		.cache.whole_bytes = WHOLE_BYTES,
#endif
	};
	struct pkmap_window *made;

	pkmap_linux_init(&window_port, PKMAP_BASE, &pkmap_page_table);
	if (pkmap_size(&config) > sizeof(window_mem) ||
	    pkmap_init(window_mem, &config, &made))
		panic("pkmap: no window at 0x%lx", (unsigned long)PKMAP_BASE);
}

__visible void *kmap_high(struct page *page)
{
	void *addr;

	/* Cannot fail: it waits without a deadline, and linux_set() succeeds. */
	pkmap_map(window, page_number(page), NULL, &addr);
	trace_pkmap_map(page_to_pfn(page), addr);
	return addr;
}
EXPORT_SYMBOL(kmap_high);

#ifdef ARCH_NEEDS_KMAP_HIGH_GET
/* From any context, an NMI included; see pkmap_pin(). */
__visible void *kmap_high_get(struct page *page)
{
	void *addr = pkmap_pin(window, page_number(page));

	trace_pkmap_pin(page_to_pfn(page), addr);
	return addr;
}
#endif

__visible void kunmap_high(struct page *page)
{
	const pkmap_pfn number = page_number(page);

	if (trace_pkmap_unmap_enabled())
		trace_pkmap_unmap(page_to_pfn(page),
				  pkmap_pfn_to_addr(window, number));
	pkmap_unmap_pfn(window, number);
}
EXPORT_SYMBOL(kunmap_high);

__visible __cold void __kmap_flush_unused(void)
{
	pkmap_flush_unused(window);
}

__visible void *page_address(const struct page *page)
{
	if (!PageHighMem(page))
		return lowmem_page_address(page);
	return pkmap_pfn_to_addr(window, page_number(page));
}
EXPORT_SYMBOL(page_address);

#ifdef CONFIG_DEBUG_FS
__visible __cold void pkmap_linux_read_stats(struct pkmap_stats *stats)
{
	pkmap_read_stats(window, stats);
}
#endif
