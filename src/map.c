// SPDX-License-Identifier: MIT
/*
 * map.c - mapping pages: without the lock if they are mapped already; or else
 * giving them slots, and waiting for slots.
 *
 * Each colour has an event counter to wait on, and the window has one count of
 * those who wait.  A waiter, still under the window's lock, announces itself,
 * reads the event, and looks once more.  Only then does it drop the lock and
 * sleep while the event is unchanged.  A put that leaves a slot idle looks for
 * waiters, changes the event and wakes them all, and each starts over.  Waking
 * only one is not enough: it may leave at its deadline, or need more than there
 * is.
 *
 * Only puts wake.  The slots that a waiter lacks are neither free nor idle, and
 * it takes a put to make one idle.  Whoever then frees that slot, or installs
 * in it the page that the waiter wants, does so under the lock and after that
 * put.
 */
#include "window_priv.h"

#define NO_COLOUR   UINT32_MAX

/* Not errors of the port: there is no slot now; the caller is to try again. */
#define NO_SLOT_NOW 1
#define RETRY	    2

/*
 * Every CPU can translate the address, and find the slot in the index, before
 * the word lets anybody get it: the release of MAPPED pairs with the acquire in
 * word_add_user(), and that of the pfn with the acquire fence of a miss that
 * read it.  (A get may come without a new walk: its walk ended here when the
 * slot showed the same page earlier.  The next pin must find what that get then
 * does to the page.)  MAPPED is stored, not added: whatever gets and puts have
 * left in the word meanwhile is gone, and the count begins with one user.
 *
 * The first use of a page does not set REFERENCED; only the next one does.
 */
static int install(struct pkmap_window *w, pkmap_a32 *head, uint32_t slot,
		   pkmap_pfn pfn)
{
	int err;

	pkmap_assert(
		!(pkmap_a32_load_relaxed(slot_word(w, slot)) & WORD_MAPPED));
	pkmap_along_store_release(&w->pfn[slot], pfn);
	err = w->ops->set(w->port, slot_addr(w, slot), pfn, w->read_only);
	if (err) {
		pkmap_push_free(w, slot);
		return err;
	}
	pkmap_index_insert(w, head, slot);
	pkmap_a32_store_release(slot_word(w, slot), WORD_MAPPED | WORD_USER);
	return 0;
}

static uint32_t take_slot(struct pkmap_window *w, struct pkmap_colour *colour)
{
	uint32_t slot;

	do {
		slot = pkmap_pop_free(w, colour);
	} while (unlikely(slot == PKMAP_NO_SLOT) && pkmap_reclaim(w, colour));
	return slot;
}

/* Under the lock, a slot that is in the index is mapped, and stays so. */
static int take_page(struct pkmap_window *w, pkmap_pfn pfn, uint32_t *at)
{
	pkmap_a32 *head = &w->head[pfn_bucket(w, pfn)];
	uint32_t slot = pkmap_index_find(w, head, pfn);
	int err;

	if (slot != PKMAP_NO_SLOT) {
		pkmap_finish_get(w, slot, word_add_user(slot_word(w, slot)));
		count(&hit_counters(w)->hits);
	} else {
		slot = take_slot(w, pfn_colour(w, pfn));
		if (slot == PKMAP_NO_SLOT)
			return NO_SLOT_NOW;
		err = install(w, head, slot, pfn);
		if (err)
			return err;
		count(&w->misses);
	}
	*at = slot;
	return 0;
}

static bool contains(const pkmap_pfn *pfns, uint32_t n, pkmap_pfn pfn)
{
	uint32_t k;

	for (k = 0; k < n; k++) {
		if (pfns[k] == pfn)
			return true;
	}
	return false;
}

/* How many slots of a colour the pages need, those that they have included. */
static uint32_t slots_needed(struct pkmap_window *w,
			     const struct pkmap_colour *colour,
			     const pkmap_pfn *pfns, uint32_t n)
{
	uint32_t needed = 0;
	uint32_t k;

	for (k = 0; k < n; k++) {
		if (pfn_colour(w, pfns[k]) == colour &&
		    !contains(pfns, k, pfns[k]))
			needed++;
	}
	return needed;
}

/*
 * Whether @needed slots of a colour are free, idle, or show one of the pages.
 */
static bool has_usable_slots(struct pkmap_window *w,
			     const struct pkmap_colour *colour, uint32_t needed,
			     const pkmap_pfn *pfns, uint32_t n)
{
	uint32_t usable = 0;
	uint32_t slot;
	pkmap_pfn pfn;

	for (slot = (uint32_t)(colour - w->colour);
	     usable < needed && slot < w->nslots; slot += w->colour_mask + 1) {
		pfn = pkmap_along_load_relaxed(&w->pfn[slot]);
		if (pfn == PKMAP_NO_PFN || contains(pfns, n, pfn) ||
		    word_idle(pkmap_a32_load_relaxed(slot_word(w, slot))))
			usable++;
	}
	return usable >= needed;
}

/*
 * The first colour of which the pages need more slots than they could have now,
 * or NO_COLOUR.  It only looks.  If requests for several pages took slots, and
 * put them back when there are too few, they would wake each other for ever.
 */
static uint32_t exhausted_colour(struct pkmap_window *w, const pkmap_pfn *pfns,
				 uint32_t n)
{
	const struct pkmap_colour *colour;
	uint32_t needed;
	uint32_t c;

	for (c = 0; c <= w->colour_mask; c++) {
		colour = &w->colour[c];
		needed = slots_needed(w, colour, pfns, n);
		if (!has_usable_slots(w, colour, needed, pfns, n))
			return c;
	}
	return NO_COLOUR;
}

/* Ends a get of each page.  All are held, so the index finds them. */
static void put_pages(struct pkmap_window *w, const pkmap_pfn *pfns, uint32_t n)
{
	while (n-- > 0)
		pkmap_put(w, pkmap_index_walk(w, pfns[n]));
}

/*
 * Takes all or none.  A single page takes nothing if there is no slot for it.
 */
static int take_pages(struct pkmap_window *w, const pkmap_pfn *pfns, uint32_t n,
		      void **addrs)
{
	uint32_t last = 0;
	uint32_t k;
	int err;

	if (n > 1 && exhausted_colour(w, pfns, n) != NO_COLOUR)
		return NO_SLOT_NOW;
	for (k = 0; k < n; k++) {
		err = take_page(w, pfns[k], &last);
		if (err) {
			put_pages(w, pfns, k);
			return err;
		}
	}
	addrs[n - 1] = slot_addr(w, last);
	for (k = 0; k < n - 1; k++)
		addrs[k] = slot_addr(w, pkmap_index_walk(w, pfns[k]));
	return 0;
}

/*
 * Announces that somebody waits for a put of the colour, and returns the
 * colour's event.  The caller then looks once more whether it has to wait.
 *
 * The announcement and the fence pair with word_take_user() of a put and with
 * wake_for_local() at the end of a local map: either the put sees the waiter,
 * or the caller's last look sees what was put.
 */
uint32_t pkmap_announce_waiter(struct pkmap_window *w,
			       struct pkmap_colour *colour)
{
	uint32_t seen;

	pkmap_a32_add_seq_cst(&w->waiters, 1);
	seen = pkmap_a32_load_acquire(&colour->event);
	pkmap_fence_seq_cst();
	return seen;
}

/* Drops the lock and sleeps until the event is no longer @seen. */
int pkmap_sleep(struct pkmap_window *w, struct pkmap_colour *colour,
		uint32_t seen, const struct pkmap_wait *wait)
{
	static const struct pkmap_wait no_deadline = {
		.deadline = PKMAP_NO_DEADLINE,
	};
	int err;

	count(&w->waits);
	pkmap_unlock(w);
	err = w->ops->wait(w->port, &colour->event, seen,
			   wait ? wait : &no_deadline);
	pkmap_lock(w, NULL);
	return err;
}

/* Sleeps until there may be slots for the pages, unless there are already. */
static int wait_for_slots(struct pkmap_window *w, const pkmap_pfn *pfns,
			  uint32_t n, const struct pkmap_wait *wait)
{
	const uint32_t c = exhausted_colour(w, pfns, n);
	uint32_t seen;
	int err = 0;

	if (c == NO_COLOUR)
		return 0;
	seen = pkmap_announce_waiter(w, &w->colour[c]);
	if (exhausted_colour(w, pfns, n) == c)
		err = pkmap_sleep(w, &w->colour[c], seen, wait);
	pkmap_a32_sub_seq_cst(&w->waiters, 1);
	return err;
}

static int check_request(struct pkmap_window *w, const pkmap_pfn *pfns,
			 uint32_t n)
{
	const char *call = n == 1 ? "pkmap_map" : "pkmap_map_pages";
	uint32_t k;
	uint32_t c;

	for (k = 0; k < n; k++) {
		if (!pfn_in_range(w, pfns[k]))
			return pkmap_refuse(w, PKMAP_MISUSE_PFN, call, NULL,
					    pfns[k]);
		/* The slot would be the page's second address (I5). */
		if (w->cache.kind == PKMAP_CACHE_VIVT &&
		    pkmap_find_local(w, pfns[k], LOCAL_OPEN, LOCAL_USED))
			return pkmap_refuse(w, PKMAP_MISUSE_LOCAL_OPEN, call,
					    NULL, pfns[k]);
	}
	for (c = 0; n > 1 && c <= w->colour_mask; c++) {
		if (slots_needed(w, &w->colour[c], pfns, n) >
		    slots_per_colour(w))
			return pkmap_refuse(w, PKMAP_MISUSE_IMPOSSIBLE, call,
					    NULL, pfns[n - 1]);
	}
	return 0;
}

/* What a map has tried so far. */
struct attempts {
	bool gave_back;
	int gave_up; /* why it waits no longer */
};

/*
 * Decides what follows @err.  Returns RETRY if the pages are to be tried again:
 * after waiting for slots, once more when the time is over, or after idle
 * mappings were torn down for their memory.  Otherwise returns what the map is
 * to return.
 */
static __attribute__((__noinline__, __cold__)) int
prepare_retry(struct pkmap_window *w, const pkmap_pfn *pfns, uint32_t n,
	      const struct pkmap_wait *wait, struct attempts *a, int err)
{
	if (err == PKMAP_ENOMEM && !a->gave_back) {
		a->gave_back = true;
		pkmap_tear_down_idle(w);
		pkmap_clear_now(w);
		return RETRY;
	}
	if (err != NO_SLOT_NOW)
		return err;
	if (wait && wait->flags & PKMAP_WAIT_NEVER)
		a->gave_up = PKMAP_EAGAIN;
	if (a->gave_up)
		return a->gave_up;
	a->gave_up = wait_for_slots(w, pfns, n, wait);
	return RETRY;
}

static __attribute__((__noinline__)) int
map_under_lock(struct pkmap_window *w, const pkmap_pfn *pfns, uint32_t n,
	       const struct pkmap_wait *wait, void **addrs)
{
	struct attempts a = { 0 };
	int err = check_request(w, pfns, n);

	if (err)
		return err;
	if (!pkmap_lock(w, wait))
		return PKMAP_EAGAIN;
	do {
		err = take_pages(w, pfns, n, addrs);
		if (unlikely(err))
			err = prepare_retry(w, pfns, n, wait, &a, err);
	} while (unlikely(err == RETRY));
	pkmap_unlock(w);
	return err;
}

/*
 * Finishes a map whose get_fast() found a slot but could not complete the get.
 */
static __attribute__((__noinline__, __cold__)) int
map_slow(struct pkmap_window *w, pkmap_pfn pfn, const struct pkmap_wait *wait,
	 void **addr, uint32_t slot, uint32_t old)
{
	slot = pkmap_get_slow(w, pfn, slot, old);
	if (slot == PKMAP_NO_SLOT)
		return map_under_lock(w, &pfn, 1, wait, addr);
	count(&hit_counters(w)->hits);
	*addr = slot_addr(w, slot);
	return 0;
}

int pkmap_map(struct pkmap_window *w, pkmap_pfn pfn,
	      const struct pkmap_wait *wait, void **addr)
{
	uint32_t slot;
	uint32_t old;

	if (likely(get_fast(w, pfn, &slot, &old))) {
		count(&hit_counters(w)->hits);
		*addr = slot_addr(w, slot);
		return 0;
	}
	if (slot == PKMAP_NO_SLOT)
		return map_under_lock(w, &pfn, 1, wait, addr);
	return map_slow(w, pfn, wait, addr, slot, old);
}

int pkmap_map_pages(struct pkmap_window *w, const pkmap_pfn *pfns, uint32_t n,
		    const struct pkmap_wait *wait, void **addrs)
{
	uint32_t k;

	if (!n)
		return PKMAP_EINVAL;
	for (k = 0; k < n; k++) {
		if (pkmap_get(w, pfns[k]) == PKMAP_NO_SLOT)
			goto slow;
	}
	/* All are held, so they are found again, and stay where they are. */
	for (k = 0; k < n; k++) {
		count(&hit_counters(w)->hits);
		addrs[k] = slot_addr(w, pkmap_index_walk(w, pfns[k]));
	}
	return 0;
slow:
	put_pages(w, pfns, k);
	return map_under_lock(w, pfns, n, wait, addrs);
}
