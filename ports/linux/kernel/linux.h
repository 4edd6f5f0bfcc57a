/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * linux.h - the Linux port of pkmap: what one window of it needs.
 */
#ifndef PKMAP_LINUX_H
#define PKMAP_LINUX_H

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/swait.h>
#include <pkmap/pkmap.h>

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
