// SPDX-License-Identifier: MIT
/*
 * forget.c - making sure that pages are no longer mapped anywhere.
 *
 * While the window's lock is held, no slot comes to show another page.  Local
 * slots may, but not one of the pages that are to be forgotten: the caller sees
 * to that.
 */
#include "window_priv.h"

/* A range of pages, without PKMAP_NO_PFN. */
struct pages {
	pkmap_pfn first;
	pkmap_pfn npages;
};

static bool contains(struct pages p, pkmap_pfn pfn)
{
	return pfn - p.first < p.npages;
}

/* The slots from the first to the last that shows one of the pages. */
static struct pkmap_span slots_of(struct pkmap_window *w, struct pages p)
{
	struct pkmap_span s = { .first = w->nslots };
	pkmap_pfn k;
	uint32_t slot;

	if (p.npages >= w->nslots)
		return (struct pkmap_span){ .end = w->nslots };
	for (k = 0; k < p.npages; k++) {
		slot = pkmap_index_walk(w, p.first + k);
		if (slot == PKMAP_NO_SLOT)
			continue;
		if (slot < s.first)
			s.first = slot;
		if (slot >= s.end)
			s.end = slot + 1;
	}
	return s;
}

/* One of the pages that the slots show; with @in_use, one that has a user. */
static pkmap_pfn page_in_slot(struct pkmap_window *w, struct pkmap_span s,
			      struct pages p, bool in_use)
{
	uint32_t slot;
	pkmap_pfn pfn;

	for (slot = s.first; slot < s.end; slot++) {
		pfn = pkmap_along_load_relaxed(&w->pfn[slot]);
		if (contains(p, pfn) &&
		    (!in_use ||
		     word_in_use(pkmap_a32_load_relaxed(slot_word(w, slot)))))
			return pfn;
	}
	return PKMAP_NO_PFN;
}

/*
 * One of the pages that a local slot of a CPU shows.
 *
 * The acquire pairs with the release in open_local() (local.c): whoever sees
 * that a place is open also sees its page, or that of a later map.
 */
static pkmap_pfn page_of_cpu(struct pkmap_window *w, struct pkmap_cpu *cpu,
			     struct pages p)
{
	const pkmap_along *dma = dma_pfn(w, cpu);
	const struct pkmap_local *l = cpu->stack;
	pkmap_pfn pfn;
	uint32_t k;

	for (k = 0; k < w->local_slots; k++) {
		if (pkmap_a32_load_acquire(&l[k].state) < LOCAL_OPEN)
			continue;
		pfn = pkmap_along_load_relaxed(&l[k].pfn);
		if (contains(p, pfn))
			return pfn;
	}
	for (k = 0; k < w->dma_slots; k++) {
		pfn = pkmap_along_load_relaxed(&dma[k]);
		if (contains(p, pfn))
			return pfn;
	}
	return PKMAP_NO_PFN;
}

/* One of the pages that somebody uses, or PKMAP_NO_PFN. */
static pkmap_pfn page_in_use(struct pkmap_window *w, struct pkmap_span s,
			     struct pages p)
{
	pkmap_pfn pfn = page_in_slot(w, s, p, true);
	uint32_t nr;

	for (nr = 0; pfn == PKMAP_NO_PFN && nr < w->ncpus; nr++)
		pfn = page_of_cpu(w, nth_cpu(w, nr), p);
	/*
	 * Pairs with the releases that say that a local slot shows nothing, or
	 * another page: it was cleaned and cleared before.
	 */
	pkmap_fence_acquire();
	return pfn;
}

/* Tears the pages down if all are idle.  Returns one that is left, if any. */
static pkmap_pfn forget_idle(struct pkmap_window *w, struct pages p)
{
	const struct pkmap_span s = slots_of(w, p);
	const pkmap_pfn used = page_in_use(w, s, p);

	if (used != PKMAP_NO_PFN)
		return used;
	pkmap_tear_down_pages(w, s, p.first, p.npages);
	return page_in_slot(w, s, p, false);
}

/* A page that was held too often stays where it is for good. */
static bool is_saturated(struct pkmap_window *w, pkmap_pfn pfn)
{
	const uint32_t slot = pkmap_index_walk(w, pfn);

	return slot != PKMAP_NO_SLOT &&
	       word_saturated(pkmap_a32_load_relaxed(slot_word(w, slot)));
}

/* Sleeps until somebody lets go of the page, unless nobody uses it. */
static int wait_for_page(struct pkmap_window *w, pkmap_pfn pfn,
			 const struct pkmap_wait *wait)
{
	struct pkmap_colour *colour = pfn_colour(w, pfn);
	const struct pages page = { pfn, 1 };
	uint32_t seen;
	int err = 0;

	if (is_saturated(w, pfn))
		return PKMAP_EBUSY;
	seen = pkmap_announce_waiter(w, colour);
	if (page_in_use(w, slots_of(w, page), page) != PKMAP_NO_PFN)
		err = pkmap_sleep(w, colour, seen, wait);
	pkmap_a32_sub_seq_cst(&w->waiters, 1);
	return err;
}

int pkmap_forget(struct pkmap_window *w, pkmap_pfn first, pkmap_pfn npages,
		 const struct pkmap_wait *wait)
{
	const bool never = wait && wait->flags & PKMAP_WAIT_NEVER;
	int err = never ? PKMAP_EBUSY : 0;
	struct pages p = { first, npages };
	pkmap_pfn left;

	if (npages > PKMAP_NO_PFN - first)
		p.npages = PKMAP_NO_PFN - first;
	if (!pkmap_lock(w, wait))
		return PKMAP_EAGAIN;

	while ((left = forget_idle(w, p)) != PKMAP_NO_PFN && !err)
		err = wait_for_page(w, left, wait);
	if (left == PKMAP_NO_PFN)
		pkmap_clear_now(w);
	pkmap_unlock(w);
	return left == PKMAP_NO_PFN ? 0 : err;
}
