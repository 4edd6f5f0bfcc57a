// SPDX-License-Identifier: MIT
/*
 * unpinned.c - a look-up that holds nothing: all that Linux had before 2.6.30.
 *
 * kmap() and kunmap() take one spinlock with interrupts on, so they are for
 * tasks only (kmap.c).  An interrupt that needs a page's address can only look
 * it up, as page_address() does.
 *
 * What is wrong: the address may be out of date at once.  While DMA code
 * invalidates a page's lines there, the slot can be torn down and show another
 * page, whose lines are then thrown away (the "rfc" scenario).
 */
#include "kmap.h"

struct unpinned {
	struct kmap kmap;
	pkmap_along shown[SLOTS_MAX];
};

static size_t size(const struct pkmap_config *config)
{
	return slots_size(config, sizeof(struct unpinned));
}

static void init(void *mem, const struct pkmap_config *config)
{
	struct unpinned *u = mem;
	uint32_t slot;

	u->kmap.shown = u->shown;
	for (slot = 0; slot < SLOTS_MAX; slot++)
		pkmap_along_store_relaxed(&u->shown[slot], PKMAP_NO_PFN);
	kmap_init(&u->kmap, &scheme_unpinned, config);
}

static void *look_up(void *mem, pkmap_pfn pfn)
{
	struct unpinned *u = mem;
	const uint32_t slot = slots_find(&u->kmap.slots, u->shown, pfn);

	/* Pairs with the release in show() (kmap.c). */
	pkmap_fence_acquire();
	return slot == PKMAP_NO_SLOT ? NULL : slots_addr(&u->kmap.slots, slot);
}

static void nothing_to_unpin(void *mem, void *addr)
{
	(void)mem;
	(void)addr;
}

const struct scheme scheme_unpinned = {
	.name = "unpinned",
	.size = size,
	.init = init,
	.map = kmap_map,
	.unmap = kmap_unmap,
	.pin = look_up,
	.unpin = nothing_to_unpin,
	.local_map = slots_local_map_unpinned,
	.local_unmap = slots_local_unmap,
	.dma_map = slots_dma_map,
	.dma_unmap = slots_dma_unmap,
	.flush_unused = kmap_flush_unused,
	.check_end = kmap_check_end,
};
