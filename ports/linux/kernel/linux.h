/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux.h - the Linux port of pkmap: what one window of it needs.
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
 * From how many bytes on the whole cache is cleaned.  To clean a range on ARM
 * takes as many steps as the range has lines, and most VIVT caches have 8 to 32
 * KiB.  But XScale, SA110 and SA1100 clean a line and then invalidate it: what an
 * interrupt that gets the slot writes in between would be lost.  The whole cache
 * they clean by pushing lines out.  Nor do others promise that
 * flush_kernel_vmap_range() does for a few slots what flush_cache_kmaps() does
 * for all.
 */
#if defined(CONFIG_ARM) && !defined(CONFIG_CPU_XSCALE) && \
	!defined(CONFIG_CPU_CACHE_V4WB)
#define WHOLE_BYTES SZ_32K
#else
#define WHOLE_BYTES 1
#endif

/* A window's port, the first argument of each operation. */
struct pkmap_linux {
	struct mutex lock; /* the window's */
	/*
	 * Whoever waits for a slot, whatever its colour.  Its lock is a raw
	 * one, held for as long as it takes to wake the waiters, so that hard
	 * interrupts may take it on every kernel.
	 */
	struct swait_queue_head waiters;
	struct irq_work wake_work; /* wakes them for an NMI */
	/* Where the slots are, and where their page table entries will be. */
	unsigned long base;
	pte_t **ptes;
	/* Translations removed since the last TLB flush.  Under the lock. */
	unsigned int cleared;
};

/* What the window of kmap() does; KUnit makes windows that do the same. */
extern const struct pkmap_ops pkmap_linux_ops;

/* Context: any that may make a window.  @ptes is read with the first map. */
void pkmap_linux_init(struct pkmap_linux *port, unsigned long base,
		      pte_t **ptes);

/* The counters of kmap()'s window.  Context: any. */
void pkmap_linux_read_stats(struct pkmap_stats *stats);

#endif /* PKMAP_LINUX_H */
