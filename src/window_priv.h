/* SPDX-License-Identifier: MIT */
/*
 * window_priv.h - what the files of src/ share: the layout of a window, and the
 * steps that take no lock.
 *
 * A slot's word holds its whole state: how many use it, and three flags.
 *
 *	MAPPED	REFERENCED  CLEANING	users
 *	0	0	    0		0	no page, or being torn down
 *	1	-	    0		0	shows a page that nobody uses: idle
 *	1	-	    0		n	shows a page with n users, maps and
 *						pins alike
 *	1	0	    1		0	idle, and reclaim is cleaning its
 *						lines; can still be got
 *
 * A get adds a user and looks at what the word was.  If it had MAPPED, the slot
 * is got.  The first get sets REFERENCED, which costs reclaim's clock hand one
 * lap, and a get that finds CLEANING clears it; both happen while the get
 * counts as a user.  Reclaim claims a slot only if its word is MAPPED |
 * CLEANING and nothing else, so it claims none that was used since it was
 * marked.
 *
 * A put takes a user off and looks at what the word was.  If there was none, it
 * was an unmap too many, and the word is below idle: until somebody adds a user
 * again, reclaim leaves the slot alone.  The put does that itself, unless a get
 * comes first; that get then adds another user, its own.  So a word at idle or
 * above it has exactly the users that its gets have added.
 *
 * A word without MAPPED counts nothing.  Gets and puts leave there what they
 * added and took off, and the next page starts with a count of its own.
 *
 * The word and the pfn together say what a slot is:
 *
 *	MAPPED	pfn		the slot is
 *	0	PKMAP_NO_PFN	free, on the stack of its colour
 *	0	a page		being installed, or just claimed by reclaim
 *	1	a page		mapped, in the index
 *
 * Only the holder of the window's lock sets and clears MAPPED, sets CLEANING,
 * and stores a pfn or a link.
 */
#ifndef PKMAP_WINDOW_PRIV_H
#define PKMAP_WINDOW_PRIV_H

#include <pkmap/pkmap.h>

#define WORD_MAPPED		1u
#define WORD_REFERENCED		2u
#define WORD_CLEANING		4u
#define WORD_FLAGS		7u
#define WORD_USER		8u /* one user */

/*
 * A count that reaches WORD_SATURATED is moved far above it, where the gets and
 * puts in progress cannot bring it back, and then no longer counts.  A word
 * from WORD_BELOW_IDLE on has lost more users than it had.
 */
#define WORD_SATURATED		0x80000000u
#define WORD_SATURATED_FOR_GOOD 0x90000000u
#define WORD_SATURATED_FAR	0xa0000000u
#define WORD_BELOW_IDLE		0xc0000000u

/*
 * A link (head[], next) is a slot's number or an end marker.  The marker names
 * the bucket whose chain ends there, so that a reader that a moving slot has
 * carried into another chain sees that it reached the wrong end.
 */
#define LINK_END		0x80000000u
#define LINK_END_FREE		UINT32_MAX /* the end of a stack of free slots */

/* Instead of a slot: a walk that ended in another chain has to start over. */
#define WALK_AGAIN		(PKMAP_NO_SLOT - 1)

/* For functions that are inlined, unless the build is optimised for size. */
#ifdef __OPTIMIZE_SIZE__
#define ATTR_HOT
#else
#define ATTR_HOT __attribute__((__always_inline__))
#endif

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Debug builds stop where an invariant is broken. */
#ifdef PKMAP_DEBUG
#define pkmap_assert(x) ((x) ? (void)0 : __builtin_trap())
#else
#define pkmap_assert(x) ((void)0)
#endif

/* Adjacent slots: from @first up to @end, which is not included. */
struct pkmap_span {
	uint32_t first;
	uint32_t end;
};

/* The slots of one cache colour: their number modulo the number of colours. */
struct pkmap_colour {
	/* Under the window's lock. */
	uint32_t free;	 /* the top of the stack of free slots, a link */
	uint32_t hand;	 /* of the clock: a slot */
	pkmap_a32 event; /* see map.c; changes without the lock too */
};

enum local_state {
	LOCAL_CLOSED,
	LOCAL_BORROWED, /* shows its page through a pin or an outer map */
	LOCAL_OPEN,	/* shows its page in its own slot */
	LOCAL_CLEANING, /* in its own slot, whose lines are being cleaned */
	LOCAL_USED,	/* as before, but used since: clean them again */
	LOCAL_CLEARING, /* cleaned; its translation is being removed */
};

/* A local map, an entry of its CPU's stack. */
struct pkmap_local {
	pkmap_a32 state; /* enum local_state */
	pkmap_along pfn;
	void *addr;
};

/*
 * What a CPU has of its own, cpu_bytes apart so that CPUs share no cache line.
 * Other CPUs only read which pages it shows: pkmap_forget(), pkmap_fini(),
 * pkmap_addr_to_pfn().
 */
struct pkmap_cpu {
	pkmap_a32 depth;     /* places of the stack that are in use */
	pkmap_a32 dma_depth; /* slots for DMA calls that are in use */
	uint32_t nr;
	struct pkmap_local stack[]; /* local_slots of them */
	/* Behind it, the page that each of dma_slots shows: dma_pfn(). */
};

/*
 * The counters, by their names in struct pkmap_stats: the body of a struct, or a
 * block of statements.  Those of the paths that take no lock are kept in several
 * copies.
 */
#define HIT_COUNTERS(X) \
	{ \
		X(hits); \
		X(pins); \
		X(pin_misses); \
	}

/* All but misuses and local_maps change under the lock only. */
#define COUNTERS(X) \
	{ \
		X(misses); \
		X(reclaims); \
		X(reclaimed); \
		X(tlb_flushes); \
		X(waits); \
		X(misuses); \
		X(local_maps); \
	}

#define DECLARE_COUNTER(name) pkmap_along name

/* One copy, which has a cache line of its own. */
struct pkmap_hits {
	_Alignas(PKMAP_ALIGN) struct HIT_COUNTERS(DECLARE_COUNTER);
};

struct pkmap_window {
	/* Constant after pkmap_init(). */
	/* For each slot, and for PKMAP_NO_SLOT: */
	void *words;	  /* its state, see slot_word() */
	pkmap_a32 *next;  /* a link */
	pkmap_along *pfn; /* its page */
	pkmap_a32 *head;  /* for each bucket: a link */
	uintptr_t base;
	uint32_t nslots;
	uint32_t page_shift;
	uint32_t slot_shift; /* page_shift, or one more with guard pages */
	uint32_t hash_shift;
	uint32_t colour_mask; /* number of colours - 1 */
	uint32_t hint_mask;   /* for a CPU's hint: which of hits it uses */
	pkmap_a32 waiters;    /* not constant, but almost always 0; see map.c */
	struct pkmap_colour *colour;
	const struct pkmap_ops *ops;
	void *port;
	pkmap_pfn first_pfn;
	pkmap_pfn npages;
	struct pkmap_cache cache;
	uint32_t batch; /* slots of one colour in a reclaim */
	bool read_only;
	uintptr_t local_base;
	uint32_t local_slots;
	uint32_t dma_slots;
	uint32_t ncpus;
	struct pkmap_cpu *cpu; /* ncpus of them */
	size_t cpu_bytes;

	struct COUNTERS(DECLARE_COUNTER);

	uint32_t ncopies;
	struct pkmap_hits hits[]; /* ncopies of them, chosen by hint_mask */
};

/* window.c */
uint32_t pkmap_get(struct pkmap_window *w, pkmap_pfn pfn);
uint32_t pkmap_get_slow(struct pkmap_window *w, pkmap_pfn pfn, uint32_t slot,
			uint32_t old);
bool pkmap_finish_get(struct pkmap_window *w, uint32_t slot, uint32_t old);
void pkmap_put(struct pkmap_window *w, uint32_t slot);
void pkmap_wake(struct pkmap_window *w, struct pkmap_colour *colour);
void pkmap_report(struct pkmap_window *w, const struct pkmap_report *report);
int pkmap_refuse(struct pkmap_window *w, enum pkmap_misuse what,
		 const char *call, void *addr, pkmap_pfn pfn);
bool pkmap_lock(struct pkmap_window *w, const struct pkmap_wait *wait);

/* index.c; all but the first under the lock */
uint32_t pkmap_index_walk(const struct pkmap_window *w, pkmap_pfn pfn);
uint32_t pkmap_index_find(struct pkmap_window *w, const pkmap_a32 *head,
			  pkmap_pfn pfn);
void pkmap_index_insert(struct pkmap_window *w, pkmap_a32 *head, uint32_t slot);
void pkmap_index_remove(struct pkmap_window *w, uint32_t slot);

/* map.c */
uint32_t pkmap_announce_waiter(struct pkmap_window *w,
			       struct pkmap_colour *colour);
int pkmap_sleep(struct pkmap_window *w, struct pkmap_colour *colour,
		uint32_t seen, const struct pkmap_wait *wait);

/* local.c */
int pkmap_enter_cpu(struct pkmap_window *w, const char *call, pkmap_pfn pfn,
		    struct pkmap_cpu **cpu);
struct pkmap_cpu *pkmap_this_cpu(struct pkmap_window *w);
struct pkmap_local *pkmap_find_local(struct pkmap_window *w, pkmap_pfn pfn,
				     enum local_state least,
				     enum local_state most);

/* reclaim.c; under the lock */
void pkmap_push_free(struct pkmap_window *w, uint32_t slot);
uint32_t pkmap_pop_free(struct pkmap_window *w, struct pkmap_colour *colour);
uint32_t pkmap_reclaim(struct pkmap_window *w, struct pkmap_colour *colour);
uint32_t pkmap_tear_down_idle(struct pkmap_window *w);
void pkmap_tear_down_pages(struct pkmap_window *w, struct pkmap_span slots,
			   pkmap_pfn first, pkmap_pfn npages);

/* Completes what the port's clear() has put off; under the lock. */
static inline void pkmap_clear_now(struct pkmap_window *w)
{
	if (w->ops->clear_now)
		w->ops->clear_now(w->port);
}

/* Wakes nobody; map.c says why. */
static inline void pkmap_unlock(struct pkmap_window *w)
{
	w->ops->unlock(w->port);
}

static inline bool word_idle(uint32_t word)
{
	return (word & ~WORD_REFERENCED & ~WORD_CLEANING) == WORD_MAPPED;
}

/*
 * Whether somebody may use the page.  That goes for a word below idle, too: a
 * get that makes up for the excess unmap is about to add its own user.
 */
static inline bool word_in_use(uint32_t word)
{
	return word & WORD_MAPPED && word >= WORD_USER;
}

static inline bool word_saturated(uint32_t word)
{
	return (word & (WORD_BELOW_IDLE | WORD_MAPPED)) ==
	       (WORD_SATURATED | WORD_MAPPED);
}

static inline bool word_below_idle(uint32_t word)
{
	return (word & (WORD_BELOW_IDLE | WORD_MAPPED)) ==
	       (WORD_BELOW_IDLE | WORD_MAPPED);
}

/*
 * A slot's word.  Words are PKMAP_WORD_BYTES apart, since CPUs write to those
 * of the pages that they use, and reclaim gives neighbouring slots to anybody.
 *
 * PKMAP_NO_SLOT, number -1, has a word, too: a walk finds it for somebody who
 * asks for PKMAP_NO_PFN.  It never gets MAPPED.
 */
static inline pkmap_a32 *slot_word(const struct pkmap_window *w, uintptr_t slot)
{
	return (void *)((uintptr_t)w->words +
			(uintptr_t)(int32_t)slot * PKMAP_WORD_BYTES);
}

static inline void *slot_addr(const struct pkmap_window *w, uint32_t slot)
{
	return (void *)(w->base + ((uintptr_t)slot << w->slot_shift));
}

/*
 * The slot that @addr lies in, its guard page included; nslots or more if @addr
 * is outside the window.
 */
static inline uintptr_t addr_slot(const struct pkmap_window *w,
				  const void *addr)
{
	return ((uintptr_t)addr - w->base) >> w->slot_shift;
}

/*
 * The same if @addr is the start of a page; nslots or more for any other
 * address.  Rotating puts the offset within the page into the highest bits.
 */
static inline uintptr_t page_slot(const struct pkmap_window *w,
				  const void *addr)
{
	const uintptr_t offset = (uintptr_t)addr - w->base;

	return offset >> w->slot_shift |
	       offset << (8 * sizeof(offset) - w->slot_shift);
}

/* Whether an address that belongs to a slot lies in its guard page. */
static inline bool addr_in_guard(const struct pkmap_window *w, const void *addr)
{
	return w->slot_shift != w->page_shift &&
	       ((uintptr_t)addr - w->base) >> w->page_shift & 1;
}

static inline struct pkmap_colour *slot_colour(struct pkmap_window *w,
					       uint32_t slot)
{
	return &w->colour[slot & w->colour_mask];
}

static inline uint32_t slots_per_colour(const struct pkmap_window *w)
{
	return w->nslots >> __builtin_ctz(w->colour_mask + 1);
}

static inline struct pkmap_colour *pfn_colour(struct pkmap_window *w,
					      pkmap_pfn pfn)
{
	return &w->colour[pfn & w->colour_mask];
}

static inline struct pkmap_cpu *nth_cpu(const struct pkmap_window *w,
					uint32_t nr)
{
	return (void *)((char *)w->cpu + nr * w->cpu_bytes);
}

/* The address of a CPU's local slot @k for pages of @pfn's colour. */
static inline void *local_slot_addr(const struct pkmap_window *w,
				    const struct pkmap_cpu *cpu, uint32_t k,
				    pkmap_pfn pfn)
{
	const uintptr_t nslots = w->local_slots + w->dma_slots;
	const uintptr_t page = (cpu->nr * nslots + k) * (w->colour_mask + 1) +
			       (pfn & w->colour_mask);

	return (void *)(w->local_base + (page << w->slot_shift));
}

/* What each of a CPU's slots for DMA calls shows: a page, or PKMAP_NO_PFN. */
static inline pkmap_along *dma_pfn(const struct pkmap_window *w,
				   struct pkmap_cpu *cpu)
{
	return (void *)(cpu->stack + w->local_slots);
}

static inline void clear_local_slot(struct pkmap_window *w, void *addr)
{
	w->ops->clear(w->port, addr, 1);
	if (w->ops->flush_tlb)
		w->ops->flush_tlb(w->port, addr, 1, true);
}

/*
 * To be called when a local slot shows nothing any more: a pkmap_forget() may
 * be waiting for that.  The fence pairs with that of pkmap_announce_waiter(),
 * as in a put.
 */
static inline void wake_for_local(struct pkmap_window *w, pkmap_pfn pfn)
{
	pkmap_fence_seq_cst();
	if (unlikely(pkmap_a32_load_relaxed(&w->waiters)))
		pkmap_wake(w, pfn_colour(w, pfn));
}

/*
 * Takes slot @depth for DMA calls, which was cleared, off the CPU's stack.  The
 * release says that it shows nothing: it pairs with page_in_use() (forget.c).
 */
static inline void pop_dma_slot(struct pkmap_window *w, struct pkmap_cpu *cpu,
				uint32_t depth)
{
	pkmap_along *shown = &dma_pfn(w, cpu)[depth];
	const pkmap_pfn pfn = pkmap_along_load_relaxed(shown);

	pkmap_along_store_release(shown, PKMAP_NO_PFN);
	wake_for_local(w, pfn);
	pkmap_fence_interrupt();
	pkmap_a32_store_relaxed(&cpu->dma_depth, depth);
}

static inline bool pfn_in_range(const struct pkmap_window *w, pkmap_pfn pfn)
{
	return pfn - w->first_pfn < w->npages;
}

static inline __attribute__((__always_inline__)) struct pkmap_hits *
hit_counters(struct pkmap_window *w)
{
	if (PKMAP_CPU_HINTS == 1)
		return w->hits;
	return &w->hits[pkmap_cpu_hint() & w->hint_mask];
}

/* Not atomic: a concurrent count may be lost, as struct pkmap_stats says. */
static inline void count(pkmap_along *counter)
{
	pkmap_along_store_relaxed(counter,
				  pkmap_along_load_relaxed(counter) + 1);
}

/* Fibonacci hashing: the product's high bits spread any stride of pages. */
static inline unsigned long pfn_bucket(const struct pkmap_window *w,
				       pkmap_pfn pfn)
{
	const unsigned long golden =
		(unsigned long)(0x9e3779b97f4a7c15ull >>
				(64 - 8 * sizeof(unsigned long)));

	return pfn * golden >> w->hash_shift;
}

/*
 * Finds the slot that @pfn may be in: the slot's pfn was @pfn when it was read.
 * Otherwise returns false, and stores WALK_AGAIN, or PKMAP_NO_SLOT if at some
 * moment during the walk no slot showed the page.
 *
 * The links are loaded with acquire, which pairs with the releases in index.c:
 * the slot that a link leads to is seen with the pfn and the link that it had
 * when it was linked, or later ones.  A walk that follows a stale link could
 * skip part of its own chain.
 *
 * Most chains have one slot or none, and no predictor can know which.  So both
 * take the same steps: at an end, the walk looks at PKMAP_NO_SLOT, which shows
 * no page, and stays where it is.
 */
static inline ATTR_HOT bool index_walk(const struct pkmap_window *w,
				       pkmap_pfn pfn, uint32_t *slot)
{
	const unsigned long bucket = pfn_bucket(w, pfn);
	uint32_t link = pkmap_a32_load_acquire(&w->head[bucket]);
	uint32_t next;
	uint32_t end;

	do {
		end = -(link >> 31); /* all bits, or none */
		*slot = link | end;
		if (likely(pkmap_along_load_relaxed(&w->pfn[(int32_t)*slot]) ==
			   pfn))
			return true;
		next = pkmap_a32_load_acquire(&w->next[(int32_t)*slot]);
		link = (link & end) | (next & ~end);
	} while (unlikely(!(link & LINK_END)));
	*slot = link == (LINK_END | bucket) ? PKMAP_NO_SLOT : WALK_AGAIN;
	return false;
}

/*
 * Adds a user, and returns what the word was.
 *
 * The acquire pairs with the release of MAPPED in install() (map.c), so that
 * the second look at the pfn sees the page that the word is about; with that of
 * every put since, so that what earlier users did to the page is seen; and with
 * that of claim() (reclaim.c), so that a miss comes after the cleaning (I8).
 */
static inline uint32_t word_add_user(pkmap_a32 *word)
{
	return pkmap_a32_add_acquire(word, WORD_USER);
}

/* Whether a get that found this word has nothing left to change in it. */
static inline bool word_plain(uint32_t word)
{
	return (word & (WORD_SATURATED | WORD_FLAGS)) ==
	       (WORD_MAPPED | WORD_REFERENCED);
}

/*
 * Gets the slot that shows @pfn in the common case.  In any other it returns
 * false, and pkmap_get_slow() goes on from *@slot and *@old.
 *
 * It calls nothing, so that compilers save no registers for it: the stores to
 * the stack would have to drain before the atomic operation.
 */
static inline __attribute__((__always_inline__)) bool
get_fast(struct pkmap_window *w, pkmap_pfn pfn, uint32_t *slot, uint32_t *old)
{
	*old = 0;
	if (unlikely(!index_walk(w, pfn, slot)))
		return false;
	*old = word_add_user(slot_word(w, *slot));
	return likely(word_plain(*old) &&
		      pkmap_along_load_relaxed(&w->pfn[*slot]) == pfn);
}

/* Whether it shows a page and has a user, and its count is not saturated. */
static inline bool word_has_user(uint32_t word)
{
	return word - WORD_USER < WORD_SATURATED - WORD_USER &&
	       word & WORD_MAPPED;
}

/*
 * Takes a user off, and stores in *@old what the word was.  Returns false if it
 * had none to take, or is saturated: then pkmap_undo_put() has to follow.
 *
 * Sequentially consistent.  As a release it pairs with the acquire of the next
 * get and with that of mark() in reclaim.c, so that all use of the page is seen
 * before the slot is recycled.  And it comes before the look for waiters, just
 * as a waiter's announcement comes before its last look at the words (map.c).
 */
static inline bool word_take_user(pkmap_a32 *word, uint32_t *old)
{
	*old = pkmap_a32_sub_seq_cst(word, WORD_USER);
	return likely(word_has_user(*old));
}

/*
 * The same for a slot that a walk found for @pfn; but if it returns false, it
 * has changed nothing.  It also returns false if the slot shows another page by
 * now: an excess unmap of @pfn must not hit the users of that page.
 *
 * The acquire pairs with the release of MAPPED in install() (map.c): the pfn is
 * the one that the word is about, or a later one.
 */
static inline bool slot_take_user(struct pkmap_window *w, uint32_t slot,
				  pkmap_pfn pfn, uint32_t *old)
{
	pkmap_a32 *const word = slot_word(w, slot);

	do {
		*old = pkmap_a32_load_acquire(word);
		if (unlikely(!word_has_user(*old) ||
			     pkmap_along_load_relaxed(&w->pfn[slot]) != pfn))
			return false;
	} while (unlikely(!pkmap_a32_cas_seq_cst(word, old, *old - WORD_USER)));
	return true;
}

#endif /* PKMAP_WINDOW_PRIV_H */
