/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux.h - the Linux port of pkmap: what a window needs.
 */
#ifndef PKMAP_LINUX_H
#define PKMAP_LINUX_H

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/sizes.h>
#include <linux/swait.h>
#include <pkmap/pkmap.h>

/*
 * From this many bytes on, the whole cache is cleaned instead of a range.  On
 * ARM a range takes one step per line, and most VIVT caches have 8 to 32 KiB.
 * But XScale, SA110 and SA1100 clean a line of a range and then invalidate it:
 * what an interrupt that gets the slot writes in between would be lost.  They
 * clean the whole cache by pushing lines out, which is safe.  Other
 * architectures do not promise that flush_kernel_vmap_range() does for a few
 * slots what flush_cache_kmaps() does for all.
 */
#if defined(CONFIG_ARM) && !defined(CONFIG_CPU_XSCALE) && \
	!defined(CONFIG_CPU_CACHE_V4WB)
#define WHOLE_BYTES SZ_32K
#else
#define WHOLE_BYTES 1
#endif

/* The port of one window: the first argument of each operation. */
struct pkmap_linux {
	struct mutex lock; /* the window's */
	/*
	 * The tasks that wait for a slot, of whatever colour.  The queue's lock
	 * is held for as long as it takes to wake them, and is a raw one, so
	 * that hard interrupts may take it on every kernel.
	 */
	struct swait_queue_head waiters;
	struct irq_work wake_work; /* wakes them for an NMI */
	/* Where the slots are, and where their page table entries will be. */
	unsigned long base;
	pte_t **ptes;
	/* Translations removed since the last TLB flush, under the lock. */
	unsigned int cleared;
};

/* The operations of kmap()'s window, and of those that the KUnit tests make. */
extern const struct pkmap_ops pkmap_linux_ops;

/* @ptes is not read before the first map.  Context: that of pkmap_init(). */
void pkmap_linux_init(struct pkmap_linux *port, unsigned long base,
		      pte_t **ptes);

/* The counters of kmap()'s window.  Context: any. */
void pkmap_linux_read_stats(struct pkmap_stats *stats);

#endif /* PKMAP_LINUX_H */
