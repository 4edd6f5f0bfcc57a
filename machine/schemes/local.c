// SPDX-License-Identifier: MIT
/*
 * local.c - local maps, like Linux's kmap_atomic() on ARM: at the page's window
 * address if it can be pinned there, else in the next of this CPU's slots.
 *
 * A local map is known by its address alone.  Callers must end the last one
 * first.
 */
#include "slots.h"

/* How many slots of a CPU are for @use. */
static uint32_t nslots_for(const struct slots *s, enum local_use use)
{
	return use == FOR_DMA ? s->config.dma_slots : s->config.local_slots;
}

/* Slot @k of CPU @nr for @use; those for DMA come after the others. */
static void *local_addr(const struct slots *s, uint32_t nr, enum local_use use,
			uint32_t k, pkmap_pfn pfn)
{
	const struct pkmap_config *c = &s->config;
	const size_t place = nr * (c->local_slots + c->dma_slots) + k +
			     (use == FOR_DMA ? c->local_slots : 0);
	const size_t page = place * s->ncolours + slots_first(s, pfn);

	return (char *)c->local_base + (page << c->page_shift);
}

/*
 * Shows a page in CPU @nr's next slot for @use.  The caller has called
 * local_enter(); if this fails, it calls local_leave().
 */
static int open_slot(struct slots *s, uint32_t nr, enum local_use use,
		     pkmap_pfn pfn, void **addr)
{
	const struct pkmap_config *c = &s->config;
	const uint32_t depth = s->depth[nr][use];
	int err = PKMAP_EBUSY;

	if (depth == nslots_for(s, use))
		goto leave;
	/* From here on, interrupts use the slots after this one. */
	s->depth[nr][use] = depth + 1;
	*addr = local_addr(s, nr, use, depth, pfn);
	err = c->ops->set(c->port, *addr, pfn, c->read_only);
	if (!err)
		return 0;
	s->depth[nr][use] = depth;
leave:
	c->ops->local_leave(c->port);
	return err;
}

int slots_local_open(struct slots *s, enum local_use use, pkmap_pfn pfn,
		     void **addr)
{
	const int nr = s->config.ops->local_enter(s->config.port);

	if (nr < 0)
		return nr;
	return open_slot(s, (uint32_t)nr, use, pfn, addr);
}

void slots_local_close(struct slots *s, enum local_use use, void *addr)
{
	const struct pkmap_config *c = &s->config;
	const int nr = c->ops->local_cpu(c->port);

	if (c->cache.kind == PKMAP_CACHE_VIVT)
		c->ops->cache_clean_inval(c->port, addr,
					  (size_t)1 << c->page_shift);
	c->ops->clear(c->port, addr, 1);
	if (c->ops->flush_tlb)
		c->ops->flush_tlb(c->port, addr, 1, true);
	s->depth[nr][use]--;
	c->ops->local_leave(c->port);
}

int slots_local_map(void *mem, pkmap_pfn pfn, void **addr)
{
	struct slots *s = mem;
	const struct pkmap_config *c = &s->config;
	const int nr = c->ops->local_enter(c->port);

	if (nr < 0)
		return nr;
	*addr = s->scheme->pin(mem, pfn);
	if (*addr)
		return 0;
	return open_slot(s, (uint32_t)nr, FOR_LOCAL_MAPS, pfn, addr);
}

/* Without a pin, nothing keeps an address in the window valid. */
int slots_local_map_unpinned(void *mem, pkmap_pfn pfn, void **addr)
{
	return slots_local_open(mem, FOR_LOCAL_MAPS, pfn, addr);
}

int slots_local_unmap(void *mem, void *addr)
{
	struct slots *s = mem;

	if (slots_of(s, addr) >= s->config.nslots) {
		slots_local_close(s, FOR_LOCAL_MAPS, addr);
		return 0;
	}
	s->scheme->unpin(mem, addr);
	s->config.ops->local_leave(s->config.port);
	return 0;
}
