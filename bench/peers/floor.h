/* SPDX-License-Identifier: MIT */
/*
 * floor.h - the peer "floor": the minimum cost of a reference count in a word
 * of the slot, one atomic addition to take a reference and one to drop it.
 *
 * A page uses a word at the place that the word of its slot has in pkmap's own
 * array.  So both share cache lines in the same way, between pages and between
 * CPUs, however pkmap arranges its words.  A page that does not fit into the
 * window uses the word of another page.
 */
#include "window.h"
#include "src/window_priv.h"

static _Atomic uint32_t **word_of_page;

/* How far into pkmap's array of words that of a slot is, in bytes. */
static size_t word_offset(uintptr_t slot)
{
	return (size_t)((const char *)slot_word(win, slot) -
			(const char *)slot_word(win, 0));
}

/* Finds the slots that pkmap gives to the first pages if mapped in turn. */
static const char *peer_open(const struct setup *setup)
{
	const char *why = window_open(setup);
	size_t bytes;
	char *words;
	uint32_t pfn;
	void *addr;

	if (why)
		return why;
	bytes = (word_offset(setup->nslots) + PKMAP_ALIGN - 1) &
		~(size_t)(PKMAP_ALIGN - 1);
	words = aligned_alloc(PKMAP_ALIGN, bytes);
	word_of_page = calloc(setup->npages, sizeof(*word_of_page));
	if (!words || !word_of_page)
		return "no memory";
	memset(words, 0, bytes);
	for (pfn = 0; pfn < setup->npages; pfn++) {
		if (pfn >= setup->nslots) {
			word_of_page[pfn] = word_of_page[pfn - setup->nslots];
			continue;
		}
		if (pkmap_map(win, pfn, NULL, &addr))
			return "cannot map";
		word_of_page[pfn] =
			(void *)(words + word_offset(addr_slot(win, addr)));
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
