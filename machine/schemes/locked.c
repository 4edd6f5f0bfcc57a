// SPDX-License-Identifier: MIT
/*
 * locked.c - a pin that takes the lock of map and unmap: Linux since 2.6.30.
 *
 * kmap_high_get() adds a user to the page's slot under the lock.  Everybody
 * takes the lock with interrupts off, because a pin may be in an interrupt
 * (kmap.c).
 *
 * What is wrong: a map that tears down idle slots flushes the TLBs under that
 * lock.  If this takes an inter-processor interrupt, a CPU that waits for the
 * lock with interrupts off never answers, and the lock is never dropped:
 * deadlock (the "ipi" scenario).  An interrupt that cannot be masked cannot pin
 * at all: it could wait for a lock that its own CPU holds.
 */
#include "kmap.h"

static size_t size(const struct pkmap_config *config)
{
	return slots_size(config, sizeof(struct kmap));
}

static void init(void *mem, const struct pkmap_config *config)
{
	struct kmap *k = mem;

	k->irqs_off = true;
	kmap_init(k, &scheme_locked, config);
}

static void *pin(void *mem, pkmap_pfn pfn)
{
	struct kmap *k = mem;
	const bool irqs_were_on = kmap_lock(k);
	const uint32_t slot = kmap_get(k, pfn);

	kmap_unlock(k, irqs_were_on);
	return slot == PKMAP_NO_SLOT ? NULL : slots_addr(&k->slots, slot);
}

static void unpin(void *mem, void *addr)
{
	kmap_unmap(mem, addr);
}

const struct scheme scheme_locked = {
	.name = "locked",
	.size = size,
	.init = init,
	.map = kmap_map,
	.unmap = kmap_unmap,
	.pin = pin,
	.unpin = unpin,
	.local_map = slots_local_map,
	.local_unmap = slots_local_unmap,
	.dma_map = slots_dma_map,
	.dma_unmap = slots_dma_unmap,
	.flush_unused = kmap_flush_unused,
	.check_end = kmap_check_end,
};
