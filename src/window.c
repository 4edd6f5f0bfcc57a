// SPDX-License-Identifier: MIT
/*
 * window.c - getting and putting a slot, and the calls that never take a lock:
 * pin, unmap, look-ups.
 */
#include "window_priv.h"

/* Returns false if the lock is taken and @wait says not to wait for it. */
bool pkmap_lock(struct pkmap_window *w, const struct pkmap_wait *wait)
{
	if (wait && wait->flags & PKMAP_WAIT_NEVER)
		return w->ops->trylock(w->port);
	w->ops->lock(w->port);
	return true;
}

/* The release pairs with the acquire with which a waiter reads the event. */
void pkmap_wake(struct pkmap_window *w, struct pkmap_colour *colour)
{
	pkmap_a32_add_release(&colour->event, 1);
	w->ops->wake(w->port, &colour->event);
}

void pkmap_report(struct pkmap_window *w, const struct pkmap_report *report)
{
	pkmap_along_add_relaxed(&w->misuses, 1);
	if (w->ops->report)
		w->ops->report(w->port, report);
}

/* Reports a misuse.  Returns what the call is to return. */
int pkmap_refuse(struct pkmap_window *w, enum pkmap_misuse what,
		 const char *call, void *addr, pkmap_pfn pfn)
{
	const uintptr_t slot = addr_slot(w, addr);
	const struct pkmap_report report = {
		.what = what,
		.call = call,
		.addr = addr,
		.pfn = pfn,
		.slot = slot < w->nslots ? (uint32_t)slot : PKMAP_NO_SLOT,
	};

	pkmap_report(w, &report);
	switch (what) {
	case PKMAP_MISUSE_SATURATED:
		return 0;
	case PKMAP_MISUSE_FOREIGN:
	case PKMAP_MISUSE_PFN:
		return PKMAP_ERANGE;
	case PKMAP_MISUSE_LOCAL_DEPTH:
	case PKMAP_MISUSE_IN_USE:
		return PKMAP_EBUSY;
	default:
		return PKMAP_EINVAL;
	}
}

static __attribute__((__noinline__, __cold__)) void
wake_if_idle(struct pkmap_window *w, uint32_t slot, uint32_t old)
{
	if (old < 2 * WORD_USER)
		pkmap_wake(w, slot_colour(w, slot));
}

/* Wakes those who wait, if the put that found @old has made the slot idle. */
static inline void wake_if_waiting(struct pkmap_window *w, uint32_t slot,
				   uint32_t old)
{
	if (unlikely(pkmap_a32_load_seq_cst(&w->waiters)))
		wake_if_idle(w, slot, old);
}

/* For a get that found the count at its limit, and has added to it. */
static __attribute__((__cold__)) void saturate(struct pkmap_window *w,
					       uint32_t slot)
{
	uint32_t old = pkmap_a32_load_relaxed(slot_word(w, slot));

	do {
		if (old >= WORD_SATURATED_FOR_GOOD) {
			pkmap_a32_sub_seq_cst(slot_word(w, slot), WORD_USER);
			return;
		}
	} while (!pkmap_a32_cas_acquire(slot_word(w, slot), &old,
					WORD_SATURATED_FAR | WORD_MAPPED |
						WORD_REFERENCED));
	pkmap_refuse(w, PKMAP_MISUSE_SATURATED, "a map or pin",
		     slot_addr(w, slot),
		     pkmap_along_load_relaxed(&w->pfn[slot]));
}

/* Tells reclaim that a slot is used.  To be called while holding the slot. */
static void mark_used(pkmap_a32 *word)
{
	uint32_t old = pkmap_a32_load_relaxed(word);
	uint32_t new_word;

	do {
		new_word = (old | WORD_REFERENCED) & ~WORD_CLEANING;
	} while (!pkmap_a32_cas_acquire(word, &old, new_word));
}

/*
 * For a get that found the word below idle: what it added has made up for an
 * excess unmap.  That may have made the slot idle, so it wakes as a put does,
 * and adds a user of its own.  The fence pairs with that of
 * pkmap_announce_waiter().
 */
static __attribute__((__cold__)) uint32_t get_again(struct pkmap_window *w,
						    uint32_t slot)
{
	pkmap_fence_seq_cst();
	wake_if_waiting(w, slot, 0);
	return word_add_user(slot_word(w, slot));
}

/*
 * Completes a get that has added its user and found the word @old.  Returns
 * true if it holds the slot now, false if the slot shows no page.
 */
bool pkmap_finish_get(struct pkmap_window *w, uint32_t slot, uint32_t old)
{
	while (unlikely(word_below_idle(old)))
		old = get_again(w, slot);
	if (!(old & WORD_MAPPED))
		return false;
	if (word_saturated(old))
		saturate(w, slot);
	else if (!word_plain(old))
		mark_used(slot_word(w, slot));
	return true;
}

/* Finds the slot that shows @pfn and gets it.  Returns it, or PKMAP_NO_SLOT. */
uint32_t pkmap_get(struct pkmap_window *w, pkmap_pfn pfn)
{
	uint32_t slot;

	while ((slot = pkmap_index_walk(w, pfn)) != PKMAP_NO_SLOT) {
		if (!pkmap_finish_get(w, slot,
				      word_add_user(slot_word(w, slot))))
			break;
		/* Recycled between the first look at the pfn and the get? */
		if (pkmap_along_load_relaxed(&w->pfn[slot]) == pfn)
			return slot;
		pkmap_put(w, slot);
	}
	/*
	 * The word, pfn or link that made this a miss was stored with release
	 * after the page's lines were cleaned (I8): by claim() or
	 * pkmap_push_free() in reclaim.c, install() in map.c, or index.c.
	 */
	pkmap_fence_acquire();
	return PKMAP_NO_SLOT;
}

/*
 * Does what pkmap_get() does, from where get_fast() stopped: at @slot, whose
 * word was @old.
 *
 * A get that finds CLEANING clears it before it takes its user off, here too:
 * otherwise a slot could keep it beyond the reclaim that set it.
 */
uint32_t pkmap_get_slow(struct pkmap_window *w, pkmap_pfn pfn, uint32_t slot,
			uint32_t old)
{
	if (slot == PKMAP_NO_SLOT) {
		pkmap_fence_acquire();
		return slot;
	}
	if (slot != WALK_AGAIN && pkmap_finish_get(w, slot, old))
		pkmap_put(w, slot);
	return pkmap_get(w, pfn);
}

/*
 * Makes up for a put that found no user in @old.  A get may have done that by
 * now: then the word is not below idle, or if it is, then for another put, and
 * that one will find nothing left to do.
 *
 * CLEANING goes, because the reclaim that set it may have passed: it would have
 * claimed the slot but for this put.
 */
static void restore_user(struct pkmap_window *w, uint32_t slot)
{
	pkmap_a32 *const word = slot_word(w, slot);
	uint32_t old = pkmap_a32_load_relaxed(word);

	do {
		if (!word_below_idle(old))
			return;
	} while (!pkmap_a32_cas_seq_cst(word, &old,
					(old + WORD_USER) & ~WORD_CLEANING));
	wake_if_waiting(w, slot, 0);
}

/*
 * For a put that could not take a user off @old.  A count at its limit stays
 * there; returns whether it is.
 */
static __attribute__((__noinline__, __cold__)) bool
undo_put(struct pkmap_window *w, uint32_t slot, uint32_t old)
{
	if (word_saturated(old)) {
		word_add_user(slot_word(w, slot));
		return true;
	}
	if (old & WORD_MAPPED)
		restore_user(w, slot);
	return false;
}

/* Ends a get. */
void pkmap_put(struct pkmap_window *w, uint32_t slot)
{
	uint32_t old;

	if (word_take_user(slot_word(w, slot), &old))
		wake_if_waiting(w, slot, old);
	else
		undo_put(w, slot, old);
}

static __attribute__((__noinline__, __cold__)) void *
pin_slow(struct pkmap_window *w, pkmap_pfn pfn, uint32_t slot, uint32_t old)
{
	slot = pkmap_get_slow(w, pfn, slot, old);
	if (slot != PKMAP_NO_SLOT) {
		count(&hit_counters(w)->pins);
		return slot_addr(w, slot);
	}
	count(&hit_counters(w)->pin_misses);
	if (!pfn_in_range(w, pfn))
		pkmap_refuse(w, PKMAP_MISUSE_PFN, "pkmap_pin", NULL, pfn);
	return NULL;
}

void *pkmap_pin(struct pkmap_window *w, pkmap_pfn pfn)
{
	uint32_t slot;
	uint32_t old;

	if (unlikely(!get_fast(w, pfn, &slot, &old)))
		return pin_slow(w, pfn, slot, old);
	count(&hit_counters(w)->pins);
	return slot_addr(w, slot);
}

/*
 * For an unmap of an address that is not a slot's, or of a slot whose word was
 * @old, from which no user could be taken.
 */
static __attribute__((__noinline__, __cold__)) int
refuse_unmap(struct pkmap_window *w, void *addr, uint32_t old)
{
	const uintptr_t slot = addr_slot(w, addr);
	enum pkmap_misuse what = PKMAP_MISUSE_IDLE;
	pkmap_pfn pfn = PKMAP_NO_PFN;

	if (slot >= w->nslots || addr_in_guard(w, addr)) {
		what = PKMAP_MISUSE_FOREIGN;
		goto refuse;
	}
	pfn = pkmap_along_load_relaxed(&w->pfn[slot]);
	if (slot_addr(w, (uint32_t)slot) != addr)
		what = PKMAP_MISUSE_UNALIGNED;
	else if (undo_put(w, (uint32_t)slot, old))
		return 0;
	else if (!(old & WORD_MAPPED))
		what = PKMAP_MISUSE_FREE;
refuse:
	return pkmap_refuse(w, what, "pkmap_unmap", addr, pfn);
}

int pkmap_unmap(struct pkmap_window *w, void *addr)
{
	const uintptr_t slot = page_slot(w, addr);
	uint32_t old = 0;

	if (unlikely(slot >= w->nslots ||
		     !word_take_user(slot_word(w, slot), &old)))
		return refuse_unmap(w, addr, old);
	wake_if_waiting(w, (uint32_t)slot, old);
	return 0;
}

static __attribute__((__noinline__, __cold__)) int
refuse_unmap_pfn(struct pkmap_window *w, pkmap_pfn pfn, uint32_t slot)
{
	enum pkmap_misuse what = PKMAP_MISUSE_FREE;
	void *addr = NULL;

	if (!pfn_in_range(w, pfn)) {
		what = PKMAP_MISUSE_PFN;
	} else if (slot != PKMAP_NO_SLOT &&
		   pkmap_along_load_relaxed(&w->pfn[slot]) == pfn) {
		/* A saturated slot keeps its page, so it showed this one. */
		if (word_saturated(pkmap_a32_load_relaxed(slot_word(w, slot))))
			return 0;
		what = PKMAP_MISUSE_IDLE;
		addr = slot_addr(w, slot);
	}
	return pkmap_refuse(w, what, "pkmap_unmap_pfn", addr, pfn);
}

/*
 * A page that the caller holds is found, and stays where it is.  Any other may
 * have left the slot by the time its word is read.
 */
int pkmap_unmap_pfn(struct pkmap_window *w, pkmap_pfn pfn)
{
	uint32_t slot = PKMAP_NO_SLOT;
	uint32_t old;

	if (likely(pfn_in_range(w, pfn)))
		slot = pkmap_index_walk(w, pfn);
	if (unlikely(slot == PKMAP_NO_SLOT ||
		     !slot_take_user(w, slot, pfn, &old)))
		return refuse_unmap_pfn(w, pfn, slot);
	wake_if_waiting(w, slot, old);
	return 0;
}

void *pkmap_pfn_to_addr(struct pkmap_window *w, pkmap_pfn pfn)
{
	uint32_t slot;

	while ((slot = pkmap_index_walk(w, pfn)) != PKMAP_NO_SLOT) {
		/* Pairs with the release of MAPPED in install() (map.c). */
		if (!(pkmap_a32_load_acquire(slot_word(w, slot)) & WORD_MAPPED))
			break;
		if (pkmap_along_load_relaxed(&w->pfn[slot]) == pfn)
			return slot_addr(w, slot);
	}
	return NULL;
}

/* Which page the local slot at an address shows, or PKMAP_NO_PFN. */
static pkmap_pfn local_addr_to_pfn(const struct pkmap_window *w,
				   const void *addr)
{
	const uintptr_t start = (uintptr_t)addr >> w->page_shift
							   << w->page_shift;
	const struct pkmap_local *l;
	const struct pkmap_cpu *cpu;
	pkmap_pfn pfn;
	uint32_t nr;
	uint32_t k;

	for (nr = 0; nr < w->ncpus; nr++) {
		cpu = nth_cpu(w, nr);
		for (k = 0; k < w->local_slots; k++) {
			l = &cpu->stack[k];
			if (pkmap_a32_load_relaxed(&l->state) < LOCAL_OPEN)
				continue;
			pfn = pkmap_along_load_relaxed(&l->pfn);
			if ((uintptr_t)local_slot_addr(w, cpu, k, pfn) == start)
				return pfn;
		}
	}
	return PKMAP_NO_PFN;
}

pkmap_pfn pkmap_addr_to_pfn(struct pkmap_window *w, const void *addr)
{
	const uintptr_t slot = addr_slot(w, addr);

	if (slot >= w->nslots)
		return local_addr_to_pfn(w, addr);
	if (addr_in_guard(w, addr))
		return PKMAP_NO_PFN;
	/* Pairs with the release of MAPPED in install() (map.c). */
	if (!(pkmap_a32_load_acquire(slot_word(w, slot)) & WORD_MAPPED))
		return PKMAP_NO_PFN;
	return pkmap_along_load_relaxed(&w->pfn[slot]);
}
