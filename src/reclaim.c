// SPDX-License-Identifier: MIT
/*
 * reclaim.c - taking slots back from idle pages: clean before claim.
 *
 * All under the window's lock, in task context, with interrupts on:
 *
 *	mark	idle slots get CLEANING
 *	clean	their cache lines are cleaned and invalidated (VIVT only)
 *	claim	those that are still idle and CLEANING lose both, and MAPPED
 *	clear	their translations go, then one TLB flush for all of them
 *	free	they are pushed on their colour's stack
 *
 * Until it is claimed a slot can be got by anybody, which clears CLEANING; so
 * nobody waits for reclaim, and a slot that was used again while its lines were
 * being cleaned, if only for a moment, is not claimed.  What is claimed has no
 * line in a VIVT cache: that is what makes a pin's "not mapped" true (I8).
 *
 * The batch needs no memory of its own: a slot's word and pfn say how far it
 * is (window_priv.h), so each step sweeps over the same slots again.
 */
#include "window_priv.h"

/*
 * A range of slots of one colour, or (step 1) of all: @count places from place
 * @start on, around the end.  Place p is slot lane + p * step.
 */
struct sweep {
	uint32_t lane;
	uint32_t step;
	uint32_t size; /* places in the lane */
	uint32_t start;
	uint32_t count;	 /* at most size */
	uint32_t marked; /* slots that were given CLEANING */
};

/* Adjacent slots within a sweep. */
struct run {
	uint32_t slot;
	uint32_t count;
	uint32_t next; /* place in the sweep to go on from */
};

static uint32_t sweep_slot(const struct sweep *s, uint32_t k)
{
	uint32_t place = s->start + k;

	if (place >= s->size)
		place -= s->size;
	return s->lane + place * s->step;
}

static struct sweep sweep_all(const struct pkmap_window *w)
{
	return (struct sweep){
		.step = 1,
		.size = w->nslots,
		.count = w->nslots,
	};
}

/*
 * Idle slots that have not been used since the hand last passed lose nothing
 * by being reclaimed first; the others lose their REFERENCED.
 *
 * The acquire pairs with the release of the put that left the slot idle: its
 * lines are cleaned after all use of the page.
 */
static bool mark(pkmap_a32 *word, bool second_chance)
{
	uint32_t old = pkmap_a32_load_relaxed(word);

	if (!word_idle(old) || old & WORD_CLEANING)
		return false;
	if (second_chance && old & WORD_REFERENCED) {
		pkmap_a32_cas_acquire(word, &old, WORD_MAPPED);
		return false;
	}
	return pkmap_a32_cas_acquire(word, &old, WORD_MAPPED | WORD_CLEANING);
}

/* Moves the clock's hand, two laps at most, until a batch is marked. */
static struct sweep sweep_clock(struct pkmap_window *w,
				struct pkmap_colour *colour)
{
	struct sweep s = {
		.lane = (uint32_t)(colour - w->colour),
		.step = w->colour_mask + 1,
		.size = slots_per_colour(w),
		.start = colour->hand,
	};
	uint32_t passed;

	for (passed = 0; passed < 2 * s.size && s.marked < w->batch; passed++) {
		s.marked +=
			mark(&w->word[s.lane + colour->hand * s.step], true);
		if (++colour->hand == s.size)
			colour->hand = 0;
	}
	s.count = passed < s.size ? passed : s.size;
	return s;
}

static bool is_cleaning(const struct pkmap_window *w, uint32_t slot)
{
	return pkmap_a32_load_relaxed(&w->word[slot]) & WORD_CLEANING;
}

static bool is_claimed(const struct pkmap_window *w, uint32_t slot)
{
	return !(pkmap_a32_load_relaxed(&w->word[slot]) & WORD_MAPPED) &&
	       pkmap_along_load_relaxed(&w->pfn[slot]) != PKMAP_NO_PFN;
}

/* The next run of slots for which @is holds, from place r->next on. */
static bool next_run(const struct pkmap_window *w, const struct sweep *s,
		     bool (*is)(const struct pkmap_window *w, uint32_t slot),
		     struct run *r)
{
	uint32_t k = r->next;

	while (k < s->count && !is(w, sweep_slot(s, k)))
		k++;
	if (k == s->count)
		return false;

	r->slot = sweep_slot(s, k);
	r->count = 0;
	do {
		r->count++;
		k++;
	} while (k < s->count && sweep_slot(s, k) == r->slot + r->count &&
		 is(w, r->slot + r->count));
	r->next = k;
	return true;
}

static void clean_lines(struct pkmap_window *w, const struct sweep *s)
{
	struct run r = { 0 };

	if (w->cache.kind != PKMAP_CACHE_VIVT || !s->marked)
		return;
	if (w->cache.whole_bytes &&
	    (size_t)s->marked << w->page_shift >= w->cache.whole_bytes) {
		w->ops->cache_clean_inval_all(w->port);
		return;
	}
	while (next_run(w, s, is_cleaning, &r))
		w->ops->cache_clean_inval(w->port, slot_addr(w, r.slot),
					  (size_t)r.count << w->page_shift);
}

/*
 * The release pairs with the acquire fence of a pin that misses: it comes
 * after the cleaning.
 */
static uint32_t claim(struct pkmap_window *w, const struct sweep *s)
{
	uint32_t claimed = 0;
	uint32_t slot;
	uint32_t old;
	uint32_t k;

	for (k = 0; k < s->count; k++) {
		slot = sweep_slot(s, k);
		old = WORD_MAPPED | WORD_CLEANING;
		if (!pkmap_a32_cas_release(&w->word[slot], &old, 0))
			continue;
		pkmap_index_remove(w, slot);
		claimed++;
	}
	return claimed;
}

static void clear_translations(struct pkmap_window *w, const struct sweep *s)
{
	uint32_t low = w->nslots;
	uint32_t high = 0;
	struct run r = { 0 };

	while (next_run(w, s, is_claimed, &r)) {
		w->ops->clear(w->port, slot_addr(w, r.slot), r.count);
		if (r.slot < low)
			low = r.slot;
		if (r.slot + r.count > high)
			high = r.slot + r.count;
	}
	if (!w->ops->flush_tlb)
		return;
	w->ops->flush_tlb(w->port, slot_addr(w, low), high - low, false);
	count(&w->tlb_flushes);
}

/*
 * A free slot holds no pfn: a reader that was carried onto it must not take it
 * for a page that is mapped elsewhere by now.
 */
void pkmap_push_free(struct pkmap_window *w, uint32_t slot)
{
	struct pkmap_colour *colour = slot_colour(w, slot);

	pkmap_assert(!(pkmap_a32_load_relaxed(&w->word[slot]) & WORD_FLAGS));
	pkmap_along_store_release(&w->pfn[slot], PKMAP_NO_PFN);
	pkmap_a32_store_release(&w->next[slot], colour->free);
	colour->free = slot;
	colour->nfree++;
}

uint32_t pkmap_pop_free(struct pkmap_window *w, struct pkmap_colour *colour)
{
	uint32_t slot = colour->free;

	if (!colour->nfree)
		return PKMAP_NO_SLOT;
	colour->free = pkmap_a32_load_relaxed(&w->next[slot]);
	colour->nfree--;
	return slot;
}

/* In strides, so that slots handed out in turn have words in other lines. */
static void free_claimed(struct pkmap_window *w, const struct sweep *s)
{
	uint32_t offset;
	uint32_t slot;
	uint32_t k;

	for (offset = 0; offset < SLOTS_PER_LINE; offset++) {
		for (k = offset; k < s->count; k += SLOTS_PER_LINE) {
			slot = sweep_slot(s, k);
			if (is_claimed(w, slot))
				pkmap_push_free(w, slot);
		}
	}
}

/* Frees what is marked and stays idle.  Returns how many slots that were. */
static uint32_t tear_down(struct pkmap_window *w, const struct sweep *s)
{
	uint32_t claimed;

	clean_lines(w, s);
	claimed = claim(w, s);
	if (!claimed)
		return 0;
	clear_translations(w, s);
	free_claimed(w, s);
	pkmap_along_add_relaxed(&w->reclaimed, claimed);
	return claimed;
}

/* Frees a batch of slots of a colour, or fewer if fewer are idle, or none. */
void pkmap_reclaim(struct pkmap_window *w, struct pkmap_colour *colour)
{
	struct sweep s = sweep_clock(w, colour);

	if (tear_down(w, &s))
		count(&w->reclaims);
}

uint32_t pkmap_tear_down_idle(struct pkmap_window *w)
{
	struct sweep s = sweep_all(w);
	uint32_t slot;

	for (slot = 0; slot < w->nslots; slot++)
		s.marked += mark(&w->word[slot], false);
	return tear_down(w, &s);
}

uint32_t pkmap_flush_unused(struct pkmap_window *w)
{
	uint32_t freed;

	pkmap_lock(w, NULL);
	freed = pkmap_tear_down_idle(w);
	pkmap_unlock(w);
	return freed;
}

/* The slots from the first to the last that shows a page of the range. */
static struct sweep sweep_pages(struct pkmap_window *w, pkmap_pfn first,
				pkmap_pfn npages)
{
	struct sweep s = sweep_all(w);
	uint32_t low = w->nslots;
	uint32_t high = 0;
	pkmap_pfn k;
	uint32_t slot;

	if (npages >= w->nslots)
		return s;
	for (k = 0; k < npages; k++) {
		slot = pkmap_find(w, first + k);
		if (slot == PKMAP_NO_SLOT)
			continue;
		if (slot < low)
			low = slot;
		if (slot >= high)
			high = slot + 1;
	}
	s.start = low;
	s.count = low < high ? high - low : 0;
	return s;
}

static bool shows_page_of(const struct pkmap_window *w, uint32_t slot,
			  pkmap_pfn first, pkmap_pfn npages)
{
	pkmap_pfn pfn = pkmap_along_load_relaxed(&w->pfn[slot]);

	return pfn != PKMAP_NO_PFN && pfn - first < npages;
}

/* Whether a page of the range is mapped, or (@users) in use. */
static bool range_mapped(struct pkmap_window *w, const struct sweep *s,
			 pkmap_pfn first, pkmap_pfn npages, bool users)
{
	uint32_t slot;
	uint32_t k;

	for (k = 0; k < s->count; k++) {
		slot = sweep_slot(s, k);
		if (shows_page_of(w, slot, first, npages) &&
		    (!users ||
		     word_in_use(pkmap_a32_load_relaxed(&w->word[slot]))))
			return true;
	}
	return false;
}

int pkmap_forget(struct pkmap_window *w, pkmap_pfn first, pkmap_pfn npages)
{
	uint32_t slot;
	struct sweep s;
	uint32_t k;
	bool busy;

	pkmap_lock(w, NULL);
	s = sweep_pages(w, first, npages);
	busy = range_mapped(w, &s, first, npages, true);
	if (busy)
		goto unlock;
	for (k = 0; k < s.count; k++) {
		slot = sweep_slot(&s, k);
		if (shows_page_of(w, slot, first, npages))
			s.marked += mark(&w->word[slot], false);
	}
	tear_down(w, &s);
	busy = range_mapped(w, &s, first, npages, false);
unlock:
	pkmap_unlock(w);
	return busy ? PKMAP_EBUSY : 0;
}
