// SPDX-License-Identifier: MIT
/*
 * reclaim.c - taking slots back from idle pages: clean before claim.
 *
 * All under the window's lock, in task context, with interrupts on:
 *
 *	mark	idle slots get CLEANING
 *	clean	their cache lines are cleaned and invalidated (VIVT only)
 *	claim	those that are still MAPPED | CLEANING lose both flags, and are
 *		pushed on the stack of free slots
 *	clear	in the same pass, their translations are removed
 *	flush	one TLB flush for all of them
 *
 * Until a slot is claimed anybody can get it, which clears CLEANING.  So nobody
 * waits for reclaim, and a slot that was used while its lines were being
 * cleaned, if only for a moment, is not claimed.  A claimed slot has no line in
 * a VIVT cache, which is what makes a pin's "not mapped" true (I8).
 *
 * The batch needs no memory of its own: CLEANING marks the slots in it, and
 * each pass sweeps over the same slots again.
 */
#include "window_priv.h"

/*
 * @count slots, of one colour or (step 1) of all, starting at slot @first.
 * After the last slot of the window comes the first of the lane.
 */
struct sweep {
	uint32_t lane;
	uint32_t end; /* of the window */
	uint32_t step;
	uint32_t first;
	uint32_t count;	 /* at most each slot once */
	uint32_t marked; /* slots that were given CLEANING */
};

/* Adjacent slots. */
struct run {
	uint32_t slot;
	uint32_t count;
};

static struct sweep sweep_all(const struct pkmap_window *w)
{
	return (struct sweep){
		.end = w->nslots,
		.step = 1,
		.count = w->nslots,
	};
}

static inline uint32_t next_slot(struct sweep s, uint32_t slot)
{
	slot += s.step;
	return slot < s.end ? slot : s.lane;
}

/*
 * Marks an idle slot whose word was @old.  The acquire pairs with the release
 * of the put that left the slot idle: its lines are cleaned after all use of
 * the page.
 */
static bool mark(pkmap_a32 *word, uint32_t old)
{
	return pkmap_a32_cas_acquire(word, &old, WORD_MAPPED | WORD_CLEANING);
}

/*
 * Marks an idle slot that was not used since the hand last passed.  One that
 * was used loses its REFERENCED.  One may have CLEANING already, because an
 * excess unmap kept an earlier reclaim from claiming it, and a get made up for
 * that: it has to be had, or a map that finds no other slot would go round
 * until that get goes on.
 */
static bool mark_if_unused(pkmap_a32 *word)
{
	uint32_t old = pkmap_a32_load_relaxed(word);

	if ((old & ~WORD_CLEANING) == WORD_MAPPED)
		return mark(word, old);
	if (old == (WORD_MAPPED | WORD_REFERENCED))
		pkmap_a32_cas_acquire(word, &old, WORD_MAPPED);
	return false;
}

static bool mark_if_idle(pkmap_a32 *word)
{
	uint32_t old = pkmap_a32_load_relaxed(word);

	return word_idle(old) && mark(word, old);
}

/*
 * Moves the clock's hand until a batch is marked, but at most one lap if that
 * marks any slot.  If it marks none, it has taken REFERENCED off those that are
 * idle, and a second lap marks them.  The sweep goes from the first slot that
 * is marked to the last.
 */
static struct sweep mark_batch(struct pkmap_window *w,
			       struct pkmap_colour *colour)
{
	struct sweep s = {
		.lane = (uint32_t)(colour - w->colour),
		.end = w->nslots,
		.step = w->colour_mask + 1,
	};
	const uint32_t lap = slots_per_colour(w);
	const uint32_t batch = w->batch;
	uint32_t slot = colour->hand;
	uint32_t passed = 0; /* slots since the first that is marked */
	uint32_t left;

	for (left = 2 * lap; left && s.marked < batch; left--, passed++) {
		if (left == lap && s.marked)
			break;
		if (mark_if_unused(slot_word(w, slot))) {
			if (!s.marked++) {
				s.first = slot;
				passed = 0;
			}
			s.count = passed + 1;
		}
		slot = next_slot(s, slot);
	}
	colour->hand = slot;
	return s;
}

static bool continues_run(const struct pkmap_window *w, struct run r,
			  uint32_t slot)
{
	return slot == r.slot + r.count && w->slot_shift == w->page_shift;
}

static __attribute__((__noinline__)) void clean_run(struct pkmap_window *w,
						    struct run r)
{
	if (r.count)
		w->ops->cache_clean_inval(w->port, slot_addr(w, r.slot),
					  (size_t)r.count << w->page_shift);
}

static void clean_lines(struct pkmap_window *w, struct sweep s)
{
	uint32_t slot = s.first;
	struct run r = { 0 };
	uint32_t k;

	if (w->cache.kind != PKMAP_CACHE_VIVT || !s.marked)
		return;
	if (w->cache.whole_bytes &&
	    (size_t)s.marked << w->page_shift >= w->cache.whole_bytes) {
		w->ops->cache_clean_inval_all(w->port);
		return;
	}
	for (k = 0; k < s.count; k++, slot = next_slot(s, slot)) {
		if (!(pkmap_a32_load_relaxed(slot_word(w, slot)) &
		      WORD_CLEANING))
			continue;
		if (!continues_run(w, r, slot)) {
			clean_run(w, r);
			r = (struct run){ .slot = slot };
		}
		r.count++;
	}
	clean_run(w, r);
}

/*
 * A free slot holds no pfn: a reader that was carried onto it must not take it
 * for the slot of a page that is mapped elsewhere by now.
 */
static inline void push_free(struct pkmap_window *w, uint32_t slot)
{
	uint32_t *free = &slot_colour(w, slot)->free;

	pkmap_assert(
		!(pkmap_a32_load_relaxed(slot_word(w, slot)) & WORD_MAPPED));
	pkmap_along_store_release(&w->pfn[slot], PKMAP_NO_PFN);
	pkmap_a32_store_release(&w->next[slot], *free);
	*free = slot;
}

void pkmap_push_free(struct pkmap_window *w, uint32_t slot)
{
	push_free(w, slot);
}

uint32_t pkmap_pop_free(struct pkmap_window *w, struct pkmap_colour *colour)
{
	const uint32_t slot = colour->free;

	if (unlikely(slot == LINK_END_FREE))
		return PKMAP_NO_SLOT;
	colour->free = pkmap_a32_load_relaxed(&w->next[slot]);
	return slot;
}

/*
 * The release pairs with the acquire fence of a pin that misses, so that the
 * miss comes after the cleaning.
 */
static bool claim(pkmap_a32 *word)
{
	uint32_t old = WORD_MAPPED | WORD_CLEANING;

	return pkmap_a32_cas_release(word, &old, 0);
}

static __attribute__((__noinline__)) void clear_run(struct pkmap_window *w,
						    struct run r)
{
	if (r.count)
		w->ops->clear(w->port, slot_addr(w, r.slot), r.count);
}

/* Flushes the slots from @first up to @end, or all if that wraps around. */
static void flush_tlb(struct pkmap_window *w, uint32_t first, uint32_t end)
{
	if (!w->ops->flush_tlb)
		return;
	if (first >= end) {
		first = 0;
		end = w->nslots;
	}
	w->ops->flush_tlb(w->port, slot_addr(w, first),
			  (size_t)(end - first)
				  << (w->slot_shift - w->page_shift),
			  false);
	count(&w->tlb_flushes);
}

/*
 * Claims the marked slots that stayed idle, and removes their translations.
 * (While the lock is held, nobody takes them off their stacks again.)  Returns
 * how many slots were claimed.
 */
static uint32_t claim_marked(struct pkmap_window *w, struct sweep s)
{
	pkmap_a32 *word;
	uint32_t slot = s.first;
	uint32_t first = 0;
	struct run r = { 0 };
	uint32_t claimed = 0;
	uint32_t k;

	for (k = s.count; k; k--, slot = next_slot(s, slot)) {
		/* Look first: most slots that are swept over are not marked. */
		word = slot_word(w, slot);
		if (!(pkmap_a32_load_relaxed(word) & WORD_CLEANING) ||
		    !claim(word))
			continue;
		pkmap_index_remove(w, slot);
		push_free(w, slot);
		if (!continues_run(w, r, slot)) {
			clear_run(w, r);
			claimed += r.count;
			if (!claimed)
				first = slot;
			r = (struct run){ .slot = slot };
		}
		r.count++;
	}
	clear_run(w, r);
	claimed += r.count;
	if (claimed)
		flush_tlb(w, first, r.slot + r.count);
	return claimed;
}

/* Frees the marked slots that stay idle.  Returns how many there were. */
static uint32_t tear_down(struct pkmap_window *w, struct sweep s)
{
	uint32_t freed;

	clean_lines(w, s);
	freed = claim_marked(w, s);
	pkmap_along_add_relaxed(&w->reclaimed, freed);
	return freed;
}

/*
 * Frees a batch of slots of a colour, or fewer if fewer are idle.  Returns how
 * many.
 */
__attribute__((__noinline__)) uint32_t
pkmap_reclaim(struct pkmap_window *w, struct pkmap_colour *colour)
{
	uint32_t freed = tear_down(w, mark_batch(w, colour));

	if (freed)
		count(&w->reclaims);
	return freed;
}

uint32_t pkmap_tear_down_idle(struct pkmap_window *w)
{
	struct sweep s = sweep_all(w);
	uint32_t slot;

	for (slot = 0; slot < w->nslots; slot++)
		s.marked += mark_if_idle(slot_word(w, slot));
	return tear_down(w, s);
}

uint32_t pkmap_flush_unused(struct pkmap_window *w)
{
	uint32_t freed;

	pkmap_lock(w, NULL);
	freed = pkmap_tear_down_idle(w);
	pkmap_clear_now(w);
	pkmap_unlock(w);
	return freed;
}

/* The same for only those of @slots that show a page of the range. */
void pkmap_tear_down_pages(struct pkmap_window *w, struct pkmap_span slots,
			   pkmap_pfn first, pkmap_pfn npages)
{
	struct sweep s = {
		.end = w->nslots,
		.step = 1,
		.first = slots.first,
	};
	uint32_t slot;

	for (slot = slots.first; slot < slots.end; slot++, s.count++) {
		if (pkmap_along_load_relaxed(&w->pfn[slot]) - first < npages)
			s.marked += mark_if_idle(slot_word(w, slot));
	}
	tear_down(w, s);
}
