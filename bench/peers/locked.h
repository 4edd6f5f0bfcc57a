/* SPDX-License-Identifier: MIT */
/*
 * locked.h - the peer "locked": the scheme of that name of the model machine
 * (machine/schemes/locked.c).  It reimplements Linux's, as a check of the peer
 * "linux" and of the shim below that.
 *
 * It finds a page by searching all slots: compare its counts, not its times.
 */
#include "table.h"

#include "machine/model/machine.h"
#include "machine/schemes/scheme.h"

static void *scheme_mem;

bool machine_irq_save(void)
{
	const bool were_on = !this_cpu.irqs_off;

	this_cpu.irqs_off = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return were_on;
}

void machine_irq_restore(bool were_on)
{
	if (!were_on)
		return;
	atomic_signal_fence(memory_order_seq_cst);
	this_cpu.irqs_off = 0;
	if (this_cpu.pending)
		take_pending();
}

void machine_spin_lock(struct machine_spinlock *lock)
{
	(void)lock;
	spin_take(&table.lock);
}

void machine_spin_unlock(struct machine_spinlock *lock)
{
	(void)lock;
	spin_drop(&table.lock);
}

/* Needed by the scheme's DMA calls, which are not used here. */
const struct pkmap_dma_ops machine_dma_ops;

uint32_t machine_line_bytes(void)
{
	return 64;
}

static const char *peer_open(const struct setup *setup)
{
	struct pkmap_config config;
	const char *why = table_make(setup, &config);
	size_t bytes;

	if (why)
		return why;
	bytes = scheme_locked.size(&config);
	if (!bytes)
		return "a window larger than the scheme can have";
	scheme_mem = calloc(1, bytes);
	if (!scheme_mem)
		return "no memory";
	scheme_locked.init(scheme_mem, &config);
	return NULL;
}

static inline void *peer_map(uint32_t pfn)
{
	const pkmap_pfn pfns[1] = { pfn };
	void *addr;

	return scheme_locked.map(scheme_mem, pfns, 1, NULL, &addr) ? NULL :
								     addr;
}

static inline void *peer_pin(uint32_t pfn)
{
	return scheme_locked.pin(scheme_mem, pfn);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	return !scheme_locked.unmap(scheme_mem, addr);
}

static void peer_count(struct counts *counts)
{
	counts->misses = table.sets;
	counts->flushes = table.flushes;
}
