/* SPDX-License-Identifier: MIT */
/*
 * table.h - a port of pkmap whose translations are words in an array, as in a
 * kernel.  There is no memory at the addresses.
 */
#ifndef BENCH_PEERS_TABLE_H
#define BENCH_PEERS_TABLE_H

#include "bench/worker/peer.h"
#include "bench/worker/spin.h"

#include <pkmap/pkmap.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct {
	uint32_t page_shift;
	char *base;
	pkmap_pfn *translations; /* of each slot: page + 1, or 0 */
	/* What changes is in a cache line of its own. */
	_Alignas(PKMAP_ALIGN) struct spin lock;
	uint64_t sets;	  /* protected by the lock */
	uint64_t flushes; /* protected by the lock */
} table;

static pkmap_pfn *translation_of(void *addr)
{
	return &table.translations[(size_t)((char *)addr - table.base) >>
				   table.page_shift];
}

static int table_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	(void)port;
	(void)read_only;
	*translation_of(addr) = pfn + 1;
	table.sets++;
	return 0;
}

static void table_clear(void *port, void *addr, size_t npages)
{
	(void)port;
	memset(translation_of(addr), 0, npages * sizeof(pkmap_pfn));
}

static void table_flush_tlb(void *port, void *addr, size_t npages, bool one_cpu)
{
	(void)port;
	(void)addr;
	(void)npages;
	(void)one_cpu;
	table.flushes++;
}

static void table_lock(void *port)
{
	(void)port;
	spin_take(&table.lock);
}

static bool table_trylock(void *port)
{
	(void)port;
	return spin_try(&table.lock);
}

static void table_unlock(void *port)
{
	(void)port;
	spin_drop(&table.lock);
}

static int table_wait(void *port, pkmap_a32 *event, uint32_t seen,
		      const struct pkmap_wait *wait)
{
	(void)port;
	(void)wait;
	sleep_on(&event->v, seen);
	return 0;
}

static void table_wake(void *port, pkmap_a32 *event)
{
	(void)port;
	wake_sleepers(&event->v);
}

static const struct pkmap_ops table_ops = {
	.set = table_set,
	.clear = table_clear,
	.flush_tlb = table_flush_tlb,
	.lock = table_lock,
	.trylock = table_trylock,
	.unlock = table_unlock,
	.wait = table_wait,
	.wake = table_wake,
};

static const char *table_make(const struct setup *setup,
			      struct pkmap_config *config)
{
	const size_t bytes = (size_t)setup->nslots << setup->page_shift;

	table.page_shift = setup->page_shift;
	table.translations = calloc(setup->nslots, sizeof(*table.translations));
	table.base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (!table.translations || table.base == MAP_FAILED)
		return "no memory";
	*config = (struct pkmap_config){
		.ops = &table_ops,
		.base = table.base,
		.nslots = setup->nslots,
		.page_shift = setup->page_shift,
		.npages = setup->npages,
	};
	return NULL;
}

#endif /* BENCH_PEERS_TABLE_H */
