/* SPDX-License-Identifier: MIT */
/*
 * floor.h - the peer "floor": the minimum cost of a reference count in a word
 * of the slot, one atomic addition to take a reference and one to drop it.
 *
 * The words are as far apart as the words of pkmap's slots, and a page uses the
 * word of the slot that pkmap would map it to.  So both share cache lines in
 * the same way, between pages and between CPUs.  A page that does not fit into
 * the window uses the word of another page.
 */
#include "window.h"
#include "src/window_priv.h"

static _Atomic uint32_t *word_of_slot;
static _Atomic uint32_t **word_of_page;

/* Finds the slots that pkmap gives to the first pages if mapped in turn. */
static const char *peer_open(const struct setup *setup)
{
	const char *why = window_open(setup);
	uint32_t pfn;
	void *addr;

	if (why)
		return why;
	word_of_slot = aligned_alloc(PKMAP_ALIGN,
				     setup->nslots * sizeof(*word_of_slot));
	word_of_page = calloc(setup->npages, sizeof(*word_of_page));
	if (!word_of_slot || !word_of_page)
		return "no memory";
	memset(word_of_slot, 0, setup->nslots * sizeof(*word_of_slot));
	for (pfn = 0; pfn < setup->npages; pfn++) {
		if (pfn >= setup->nslots) {
			word_of_page[pfn] = word_of_page[pfn - setup->nslots];
			continue;
		}
		if (pkmap_map(win, pfn, NULL, &addr))
			return "cannot map";
		word_of_page[pfn] = &word_of_slot[addr_slot(win, addr)];
		pkmap_unmap(win, addr);
	}
	return NULL;
}

static __attribute__((__noinline__)) void floor_get(_Atomic uint32_t *word)
{
	atomic_fetch_add_explicit(word, 1, memory_order_acquire);
}

static __attribute__((__noinline__)) void floor_put(_Atomic uint32_t *word)
{
	atomic_fetch_sub_explicit(word, 1, memory_order_release);
}

static inline void *peer_map(uint32_t pfn)
{
	_Atomic uint32_t *word = word_of_page[pfn];

	floor_get(word);
	return (void *)word;
}

static inline void *peer_pin(uint32_t pfn)
{
	return peer_map(pfn);
}

static inline bool peer_unmap(uint32_t pfn, void *addr)
{
	(void)pfn;
	floor_put(addr);
	return true;
}

static void peer_count(struct counts *counts)
{
	*counts = (struct counts){ 0 };
}
