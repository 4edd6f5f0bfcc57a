/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - what mm/highmem.c of Linux 6.1 needs from the rest of the kernel,
 * in a process.  It takes the place of every header that the file includes.
 *
 * Where it is simpler than a kernel, that makes the file faster or does not
 * matter:
 *
 *   Disabling and enabling interrupts is a store to a variable of the thread; a
 *   signal that finds it set becomes pending.  On ARM it is an instruction that
 *   waits for the pipeline.
 *   A spinlock is one atomic operation and one store (spin.h).
 *   There is no preemption count, and nothing is checked or traced.
 *   All pages are in high memory, and that is not checked.
 *   A translation is a word in an array; with a file of pages, also an
 *   mmap(MAP_FIXED), as in pkmap's posix port.
 *   Removing a translation is a store.  A TLB flush only counts up, where a
 *   kernel has to interrupt the other CPUs.
 *
 * Slots and page addresses are as on 32-bit ARM: one colour, and a hash table
 * from page to address with 128 buckets, each with a lock
 * (HASHED_PAGE_VIRTUAL).  With -DWANT_PAGE_VIRTUAL the address is in struct
 * page, as on machines with memory to spare.
 */
#ifndef BENCH_LINUX_KERNEL_H
#define BENCH_LINUX_KERNEL_H

#include "shim.h"
#include "bench/worker/spin.h"

#include <stdlib.h>

#define CONFIG_HIGHMEM
#define ARCH_NEEDS_KMAP_HIGH_GET

/* Compiler and language. */
#define __init
#define __read_mostly
#define __cacheline_aligned_in_smp   __attribute__((__aligned__(64)))
#define ____cacheline_aligned_in_smp __attribute__((__aligned__(64)))
#define EXPORT_SYMBOL(name)	     extern int shim_unused
#define ARRAY_SIZE(array)	     (sizeof(array) / sizeof((array)[0]))
#define min_t(type, a, b)	     ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define BUG()			     abort()
#define BUG_ON(x)		     (__builtin_expect(!!(x), 0) ? abort() : (void)0)
#define WARN_ON_ONCE(x)		     (x)

typedef struct {
	long n;
} atomic_long_t;

/* Interrupts. */
static inline unsigned long irqs_save(void)
{
	unsigned long were_off = (unsigned long)this_cpu.irqs_off;

	this_cpu.irqs_off = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return were_off;
}

static inline void irqs_restore(unsigned long were_off)
{
	if (were_off)
		return;
	atomic_signal_fence(memory_order_seq_cst);
	this_cpu.irqs_off = 0;
	if (__builtin_expect(this_cpu.pending, 0))
		take_pending();
}

/* Locks. */
typedef struct spin spinlock_t;

#define DEFINE_SPINLOCK(name) spinlock_t name

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->next = 0;
	lock->owner = 0;
}

static inline void spin_lock_irq(spinlock_t *lock)
{
	irqs_save();
	spin_take(lock);
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	spin_drop(lock);
	irqs_restore(0);
}

#define spin_lock_irqsave(lock, flags) \
	do { \
		(flags) = irqs_save(); \
		spin_take(lock); \
	} while (0)

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_drop(lock);
	irqs_restore(flags);
}

/* Lists: rings of nodes, of which the head is no entry. */
struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline int list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	node->next = head;
	node->prev = head->prev;
	node->prev->next = node;
	head->prev = node;
}

static inline void list_del(struct list_head *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

#define shim_entry(node, type, member) \
	((type *)((char *)(node)-offsetof(type, member)))

#define list_for_each_entry(at, head, member) \
	for ((at) = shim_entry((head)->next, __typeof__(*(at)), member); \
	     &(at)->member != (head); \
	     (at) = shim_entry((at)->member.next, __typeof__(*(at)), member))

/* Tasks and wait queues. */
struct task {
	_Atomic uint32_t state; /* not 0: sleeping, or about to sleep */
	struct kmap_ctrl {
		int idx;
		struct pte {
			unsigned long val;
		} pteval[1];
	} kmap_ctrl;
};

extern _Thread_local struct task this_task;

#define current			(&this_task)
#define TASK_UNINTERRUPTIBLE	1
#define __set_current_state(to) ((void)(current->state = (to)))

typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head waiters;
} wait_queue_head_t;

typedef struct wait_queue_entry {
	struct list_head node;
	struct task *task;
} wait_queue_entry_t;

#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = { .waiters = { &name.waiters, &name.waiters } }
#define DECLARE_WAITQUEUE(name, who) wait_queue_entry_t name = { .task = (who) }

void add_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry);
void remove_wait_queue(wait_queue_head_t *queue, wait_queue_entry_t *entry);
void wake_up(wait_queue_head_t *queue);
void schedule(void);

static inline int waitqueue_active(const wait_queue_head_t *queue)
{
	return !list_empty(&queue->waiters);
}

/* Pages and their addresses. */
#define PAGE_SIZE		  4096ul
#define PAGE_MASK		  (~(PAGE_SIZE - 1))

#define PKMAP_BASE		  SHIM_BASE
#define LAST_PKMAP_MASK		  (LAST_PKMAP - 1)
#define PKMAP_NR(addr)		  (((unsigned long)(addr)-PKMAP_BASE) / PAGE_SIZE)
#define PKMAP_ADDR(nr)		  (PKMAP_BASE + (unsigned long)(nr)*PAGE_SIZE)

#define PageHighMem(page)	  1
#define lowmem_page_address(page) NULL
#define page_size(page)		  PAGE_SIZE
#define compound_nr(page)	  1
#define virt_to_page(addr)	  NULL

#ifdef WANT_PAGE_VIRTUAL
#define page_address(page)	     ((page)->virtual)
#define set_page_address(page, addr) ((void)((page)->virtual = (addr)))
static inline void page_address_init(void)
{
}
#else
#define HASHED_PAGE_VIRTUAL
void *page_address(const struct page *page);
void set_page_address(struct page *page, void *virtual);
void page_address_init(void);
#endif

/* The kernel's hash function, so that chains are as long as there. */
static inline uint32_t hash_ptr(const void *ptr, unsigned int bits)
{
	return (uint32_t)((uint64_t)(uintptr_t)ptr * 0x61c8864680b583ebull >>
			  (64 - bits));
}

/* Translations. */
typedef struct pte pte_t;
typedef int pgprot_t;

extern pte_t *pkmap_page_table;

#define kmap_prot			   0
#define init_mm				   shim_unused
#define mk_pte(page, prot)		   ((pte_t){ ((page)-shim_pages + 1) << 12 })
#define pte_page(pte)			   (shim_pages + ((pte).val >> 12) - 1)
#define pte_pfn(pte)			   (((pte).val >> 12) - 1)
#define pte_none(pte)			   (!(pte).val)
#define pte_clear(mm, at, pte)		   ((void)((pte)->val = 0))
#define set_pte_at(mm, at, ptep, pte)	   shim_set_pte(at, ptep, pte)
#define flush_cache_kmaps()		   ((void)0)
#define flush_tlb_kernel_range(start, end) ((void)shim_counts.flushes++)

extern int shim_unused;
extern int shim_fd;
/* Protected by the file's lock, which has a cache line of its own too. */
extern struct counts shim_counts __attribute__((__aligned__(64)));

void shim_mmap(unsigned long addr, unsigned long page);

static inline void shim_set_pte(unsigned long addr, pte_t *ptep, pte_t pte)
{
	*ptep = pte;
	shim_counts.misses++;
	if (shim_fd >= 0)
		shim_mmap(addr, pte_pfn(pte));
}

/* Needed only by functions that are not called here. */
struct zone {
	int unused;
};

#define NR_FREE_PAGES			0
#define for_each_populated_zone(zone)	for ((zone) = NULL; (zone);)
#define is_highmem(zone)		0
#define zone_page_state(zone, what)	0
#define FIX_KMAP_BEGIN			0
#define FIX_KMAP_END			0
#define __fix_to_virt(index)		0ul
#define arch_kmap_local_map_idx(i, pfn) (i)
#define kmap_local_page(page)		kmap_high(page)
#define kunmap_local(addr)		((void)(addr))
#define flush_dcache_page(page)		((void)(page))

#endif /* BENCH_LINUX_KERNEL_H */
