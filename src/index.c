// SPDX-License-Identifier: MIT
/*
 * index.c - changing the index from pfn to slot.
 *
 * A hash table of chains: head[bucket] and each slot's next.  The only writer
 * is the holder of the window's lock; readers walk it without a lock
 * (index_walk() in window_priv.h).  A slot is inserted at the head, so that a
 * reader that is on it, wherever it came from, still has the whole chain ahead.
 *
 * A removed slot keeps its link until it is freed, so that a reader that is on
 * it gets back into the chain.
 */
#include "window_priv.h"

/* index_walk(), as often as it takes.  Returns the slot, or PKMAP_NO_SLOT. */
uint32_t pkmap_index_walk(const struct pkmap_window *w, pkmap_pfn pfn)
{
	uint32_t slot;

	do {
		index_walk(w, pfn, &slot);
	} while (unlikely(slot == WALK_AGAIN));
	return slot;
}

/* The slot that shows @pfn, whose bucket is at @head, or PKMAP_NO_SLOT. */
uint32_t pkmap_index_find(struct pkmap_window *w, const pkmap_a32 *head,
			  pkmap_pfn pfn)
{
	uint32_t slot = pkmap_a32_load_relaxed(head);

	while (!(slot & LINK_END)) {
		if (pkmap_along_load_relaxed(&w->pfn[slot]) == pfn)
			return slot;
		slot = pkmap_a32_load_relaxed(&w->next[slot]);
	}
	return PKMAP_NO_SLOT;
}

/* Each release pairs with the acquire of the same link in index_walk(). */
void pkmap_index_insert(struct pkmap_window *w, pkmap_a32 *head, uint32_t slot)
{
	pkmap_a32_store_release(&w->next[slot], pkmap_a32_load_relaxed(head));
	pkmap_a32_store_release(head, slot);
}

void pkmap_index_remove(struct pkmap_window *w, uint32_t slot)
{
	pkmap_pfn pfn = pkmap_along_load_relaxed(&w->pfn[slot]);
	pkmap_a32 *link = &w->head[pfn_bucket(w, pfn)];
	uint32_t at;

	while ((at = pkmap_a32_load_relaxed(link)) != slot) {
		pkmap_assert(!(at & LINK_END));
		link = &w->next[at];
	}
	pkmap_a32_store_release(link, pkmap_a32_load_relaxed(&w->next[slot]));
}
