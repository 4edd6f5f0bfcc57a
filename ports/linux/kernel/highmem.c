// SPDX-License-Identifier: GPL-2.0-only
/*
 * highmem.c - kmap(), kunmap() and kmap_high_get() on top of pkmap.
 *
 * This takes the place of the part of mm/highmem.c that maps pages of high
 * memory for everybody; kmap_local_page() is still there, and comes here for
 * the pin.  Slots are the page table entries of the kmap area.
 *
 * To the window every cache is VIVT: flush_cache_kmaps() is what the
 * architecture wants done before a slot shows another page, and does nothing
 * where nothing has to be.  Where caches alias and the architecture has colours
 * for that, pages have slots of their colour, and nothing has to be done either.
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
 * What the window takes for the number of a page is the address of its struct
 * page, which everybody comes with: one thing less to compute for each call.
 * Colours go by the real number.
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
 * Other CPUs learn of the entry through the slot's word, whose release orders
 * it before the word for their loads, but not for their page table walkers, nor
 * for ours: that takes a dsb.  (mm/highmem.c has it from its spin_unlock(), if
 * there are several CPUs.)  Before ARMv6 that drains the write buffer, where the
 * entry may still be on ARM1020E, ARM1022 and ARM1026.  ARM720T has no such
 * operation, and mm/highmem.c does without.
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
 * Before ARMv6, TLBs have some 64 entries, and are flushed whole with every
 * change of address space: to flush more pages than that one by one only takes
 * longer.  Others are large, and keep what belongs to processes.  (PowerPC has
 * no flush_tlb_all() everywhere.)
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

/* May take an inter-processor interrupt: none of ours waits for the answer. */
static void linux_flush_tlb(void *p, void *addr, size_t npages, bool this_cpu)
{
	struct pkmap_linux *port = p;

	flush_translations((unsigned long)addr, npages);
	trace_pkmap_reclaim(addr, npages, port->cleared);
	port->cleared = 0;
}

/*
 * A page at a time: Feroceon with range operations cleans one page, however
 * many bytes it is asked for (docs/linux.md, section 10).
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
	dsb(); /* what it wrote back may be in the write buffer */
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

/* The deadline is of ktime_get(), in nanoseconds. */
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
 * All of them, under one hold of the queue's lock, so that one that goes back to
 * sleep is not woken again.  (swake_up_all() is not for interrupts.)
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

	/* An NMI may have interrupted whoever holds the queue's lock. */
	if (in_nmi())
		irq_work_queue(&port->wake_work);
	else
		wake_waiters(port);
}

/* Other misuses than these two do not get through kmap() and the like. */
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

/* kmap() has no local maps: kmap_local_page() is the kernel's own. */
struct pkmap_local *pkmap_find_local(struct pkmap_window *w, pkmap_pfn pfn,
				     enum local_state least,
				     enum local_state most)
{
	return NULL;
}

/* Out of line for KUnit's windows only. */
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

/* What pkmap.h says a window takes at most. */
#define WINDOW_BYTES (24 * LAST_PKMAP + PKMAP_ALIGN * NR_CPUS + 1024)

static char window_mem[WINDOW_BYTES] __aligned(PKMAP_ALIGN);
static struct pkmap_linux window_port;
/* Where pkmap_init() makes it: a constant, so that it need not be looked up. */
static struct pkmap_window *const window = (void *)window_mem;

/*
 * Comes before the first map.  Every page is one of the window's: kmap() has
 * looked already whether it is in high memory.  Flattened, since what remains of
 * pkmap_init() with a constant configuration is little, and can be freed.
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

	/* It waits as long as it takes, and linux_set() does not fail. */
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
