/* SPDX-License-Identifier: MIT */
/*
 * kmap.h - slots whose users are counted under one spinlock: Linux's kmap(),
 * with and without a pin (locked.c, unpinned.c).
 *
 * A slot's count says what it is:
 *
 *	0	free
 *	1	shows a page that nobody uses: idle
 *	n	shows a page with n - 1 users
 */
#ifndef MACHINE_SCHEMES_KMAP_H
#define MACHINE_SCHEMES_KMAP_H

#include "slots.h"

struct kmap {
	struct slots slots;
	/*
	 * For each slot its page, or PKMAP_NO_PFN, for look-ups without the
	 * lock.  NULL if there are none.
	 */
	pkmap_along *shown;
	bool irqs_off; /* while the lock is held, as interrupts take it, too */

	struct machine_spinlock lock;
	/* Under the lock. */
	uint32_t count[SLOTS_MAX];
	pkmap_pfn pfn[SLOTS_MAX];
	uint32_t next[SLOTS_MAX]; /* for each colour: the next slot to try */
	uint32_t waiters;
	/* Changes when a slot becomes idle and somebody waits. */
	pkmap_a32 event;
};

void kmap_init(struct kmap *k, const struct scheme *scheme,
	       const struct pkmap_config *config);

/* kmap_unlock() is given what kmap_lock() returned. */
bool kmap_lock(struct kmap *k);
void kmap_unlock(struct kmap *k, bool irqs_were_on);
/* Under the lock: gets the slot that shows @pfn, or returns PKMAP_NO_SLOT. */
uint32_t kmap_get(struct kmap *k, pkmap_pfn pfn);

/* For struct scheme. */
int kmap_map(void *mem, const pkmap_pfn *pfns, uint32_t n,
	     const struct pkmap_wait *wait, void **addrs);
int kmap_unmap(void *mem, void *addr);
void kmap_flush_unused(void *mem);
const char *kmap_check_end(void *mem);

#endif /* MACHINE_SCHEMES_KMAP_H */
