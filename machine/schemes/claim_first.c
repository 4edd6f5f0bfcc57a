// SPDX-License-Identifier: MIT
/*
 * claim_first.c - a pin that adds a user unless the count is zero: the design
 * with which the kernel's -rt patches took the spinlock out of kmap().
 *
 * A slot's count is 0: free, or being torn down or installed; 1: idle; n: n - 1
 * users.  A pin finds the slot that shows the page, counts it up if it is not
 * 0, and checks that it still shows the page.  Only giving a page a slot takes
 * a lock, a sleeping one.
 *
 * What is wrong: reclaim claims the idle slots first (count 1 -> 0), and only
 * then makes them forget their pages and cleans their lines.
 *
 *   - A pin that comes before the lines are cleaned is told "not mapped", and a
 *     device is given a page that a VIVT cache will still write back to: data
 *     loss (the "reclaim-pin" scenario).
 *   - A pin that comes before the page is forgotten finds a count of 0, which
 *     is not an answer yet, and tries again until it gets one.  In an interrupt
 *     on the CPU that reclaims, that is for ever: livelock (the "dma-irq"
 *     scenario).
 */
#include "slots.h"

struct claim_first {
	struct slots slots;
	pkmap_a32 count[SLOTS_MAX];
	pkmap_along pfn[SLOTS_MAX]; /* changes under the lock only */
	uint32_t free; /* the free slots, a bit for each; under the lock */
	pkmap_a32 waiters;
	/* Changes when a slot becomes idle and somebody waits. */
	pkmap_a32 event;
};

static size_t size(const struct pkmap_config *config)
{
	return slots_size(config, sizeof(struct claim_first));
}

static void init(void *mem, const struct pkmap_config *config)
{
	struct claim_first *f = mem;
	uint32_t slot;

	slots_init(&f->slots, &scheme_claim_first, config);
	f->free = (1u << config->nslots) - 1;
	for (slot = 0; slot < SLOTS_MAX; slot++)
		pkmap_along_store_relaxed(&f->pfn[slot], PKMAP_NO_PFN);
}

/*
 * The acquire pairs with the release of a put, and with that of the count in
 * install(): after it, the slot is not seen to show its former page.
 */
static bool count_up_unless_zero(pkmap_a32 *count)
{
	uint32_t old = 1;

	while (old) {
		if (pkmap_a32_cas_acquire(count, &old, old + 1))
			return true;
	}
	return false;
}

/*
 * Sequentially consistent: either this sees the waiter, or the waiter's last
 * look, in wait_for_put(), sees the idle slot.
 *
 * Returns false if nobody had the slot.  By then it is too late: others may
 * have seen the wrong count.
 */
static bool put(struct claim_first *f, uint32_t slot)
{
	const struct pkmap_config *c = &f->slots.config;

	const uint32_t old = pkmap_a32_sub_seq_cst(&f->count[slot], 1);

	if (old < 2) {
		pkmap_a32_add_seq_cst(&f->count[slot], 1);
		return false;
	}
	if (old == 2 && pkmap_a32_load_seq_cst(&f->waiters)) {
		pkmap_a32_add_release(&f->event, 1);
		c->ops->wake(c->port, &f->event);
	}
	return true;
}

/* Gets the slot that shows @pfn, or returns PKMAP_NO_SLOT. */
static uint32_t get(struct claim_first *f, pkmap_pfn pfn)
{
	uint32_t slot;

	while ((slot = slots_find(&f->slots, f->pfn, pfn)) != PKMAP_NO_SLOT) {
		/* Claimed, but the page is not forgotten yet? */
		if (!count_up_unless_zero(&f->count[slot]))
			continue;
		/* Recycled since? */
		if (pkmap_along_load_relaxed(&f->pfn[slot]) == pfn)
			return slot;
		put(f, slot);
	}
	/* Pairs with the release in claim_idle(). */
	pkmap_fence_acquire();
	return PKMAP_NO_SLOT;
}

/* Returns the claimed slots, a bit for each. */
static uint32_t claim_idle(struct claim_first *f)
{
	uint32_t claimed = 0;
	uint32_t slot;
	uint32_t idle;

	for (slot = 0; slot < f->slots.config.nslots; slot++) {
		idle = 1;
		if (!pkmap_a32_cas_acquire(&f->count[slot], &idle, 0))
			continue;
		pkmap_along_store_release(&f->pfn[slot], PKMAP_NO_PFN);
		claimed |= 1u << slot;
	}
	return claimed;
}

static void tear_down(const struct slots *s, uint32_t slot)
{
	const struct pkmap_config *c = &s->config;
	void *addr = slots_addr(s, slot);

	if (c->cache.kind == PKMAP_CACHE_VIVT)
		c->ops->cache_clean_inval(c->port, addr,
					  (size_t)1 << c->page_shift);
	c->ops->clear(c->port, addr, 1);
}

static void reclaim(struct claim_first *f)
{
	const struct pkmap_config *c = &f->slots.config;
	const uint32_t claimed = claim_idle(f);
	uint32_t left;

	if (!claimed)
		return;
	for (left = claimed; left; left &= left - 1)
		tear_down(&f->slots, (uint32_t)__builtin_ctz(left));
	if (c->ops->flush_tlb)
		c->ops->flush_tlb(c->port, c->base, c->nslots, false);
	f->free |= claimed;
}

/* A free slot for @pfn, or PKMAP_NO_SLOT. */
static uint32_t free_slot(const struct claim_first *f, pkmap_pfn pfn)
{
	uint32_t slot;

	for (slot = slots_first(&f->slots, pfn); slot < f->slots.config.nslots;
	     slot += f->slots.ncolours) {
		if (f->free & 1u << slot)
			return slot;
	}
	return PKMAP_NO_SLOT;
}

/* The count is stored before the page, so that no pin waits for an install. */
static int install(struct claim_first *f, uint32_t slot, pkmap_pfn pfn)
{
	const struct pkmap_config *c = &f->slots.config;
	int err;

	err = c->ops->set(c->port, slots_addr(&f->slots, slot), pfn,
			  c->read_only);
	if (err)
		return err;
	f->free &= ~(1u << slot);
	pkmap_a32_store_release(&f->count[slot], 2);
	pkmap_along_store_release(&f->pfn[slot], pfn);
	return 0;
}

static bool any_idle(const struct claim_first *f, pkmap_pfn pfn)
{
	uint32_t slot;

	for (slot = slots_first(&f->slots, pfn); slot < f->slots.config.nslots;
	     slot += f->slots.ncolours) {
		if (pkmap_a32_load_relaxed(&f->count[slot]) == 1)
			return true;
	}
	return false;
}

/* Sleeps without the lock until a slot for @pfn may be idle; see put(). */
static int wait_for_put(struct claim_first *f, pkmap_pfn pfn,
			const struct pkmap_wait *wait)
{
	const struct pkmap_config *c = &f->slots.config;
	uint32_t seen;
	int err = 0;

	if (wait && wait->flags & PKMAP_WAIT_NEVER)
		return PKMAP_EAGAIN;
	pkmap_a32_add_seq_cst(&f->waiters, 1);
	seen = pkmap_a32_load_acquire(&f->event);
	pkmap_fence_seq_cst();
	if (!any_idle(f, pfn)) {
		c->ops->unlock(c->port);
		err = slots_wait(&f->slots, &f->event, seen, wait);
		c->ops->lock(c->port);
	}
	pkmap_a32_sub_seq_cst(&f->waiters, 1);
	return err;
}

/* Under the lock: gets the slot that shows @pfn, or gives it one. */
static int get_or_install(struct claim_first *f, pkmap_pfn pfn,
			  const struct pkmap_wait *wait, uint32_t *slot)
{
	int err;

	while ((*slot = get(f, pfn)) == PKMAP_NO_SLOT) {
		if (free_slot(f, pfn) == PKMAP_NO_SLOT)
			reclaim(f);
		*slot = free_slot(f, pfn);
		if (*slot != PKMAP_NO_SLOT)
			return install(f, *slot, pfn);
		err = wait_for_put(f, pfn, wait);
		if (err)
			return err;
	}
	return 0;
}

static bool lock(const struct pkmap_config *c, const struct pkmap_wait *wait)
{
	if (wait && wait->flags & PKMAP_WAIT_NEVER)
		return c->ops->trylock(c->port);
	c->ops->lock(c->port);
	return true;
}

static int map_one(struct claim_first *f, pkmap_pfn pfn,
		   const struct pkmap_wait *wait, void **addr)
{
	const struct pkmap_config *c = &f->slots.config;
	uint32_t slot = get(f, pfn);
	int err = 0;

	if (slot == PKMAP_NO_SLOT) {
		if (!lock(c, wait))
			return PKMAP_EAGAIN;
		err = get_or_install(f, pfn, wait, &slot);
		c->ops->unlock(c->port);
	}
	if (!err)
		*addr = slots_addr(&f->slots, slot);
	return err;
}

static int unmap(void *mem, void *addr)
{
	struct claim_first *f = mem;

	return put(f, (uint32_t)slots_of(&f->slots, addr)) ? 0 : PKMAP_EINVAL;
}

/* Maps one page after the other, and keeps those while it waits for more. */
static int map(void *mem, const pkmap_pfn *pfns, uint32_t n,
	       const struct pkmap_wait *wait, void **addrs)
{
	uint32_t k;
	int err;

	for (k = 0; k < n; k++) {
		err = map_one(mem, pfns[k], wait, &addrs[k]);
		if (err)
			goto undo;
	}
	return 0;
undo:
	while (k-- > 0)
		unmap(mem, addrs[k]);
	return err;
}

static void *pin(void *mem, pkmap_pfn pfn)
{
	struct claim_first *f = mem;
	const uint32_t slot = get(f, pfn);

	return slot == PKMAP_NO_SLOT ? NULL : slots_addr(&f->slots, slot);
}

static void unpin(void *mem, void *addr)
{
	unmap(mem, addr);
}

static void flush_unused(void *mem)
{
	struct claim_first *f = mem;
	const struct pkmap_config *c = &f->slots.config;

	c->ops->lock(c->port);
	reclaim(f);
	c->ops->unlock(c->port);
}

static const char *check_end(void *mem)
{
	const struct claim_first *f = mem;
	uint32_t slot;

	for (slot = 0; slot < f->slots.config.nslots; slot++) {
		if (pkmap_a32_load_relaxed(&f->count[slot]) > 1)
			return "a slot is in use";
	}
	return pkmap_a32_load_relaxed(&f->waiters) ?
		       "somebody waits for a slot" :
		       NULL;
}

const struct scheme scheme_claim_first = {
	.name = "claim-first",
	.size = size,
	.init = init,
	.map = map,
	.unmap = unmap,
	.pin = pin,
	.unpin = unpin,
	.local_map = slots_local_map,
	.local_unmap = slots_local_unmap,
	.dma_map = slots_dma_map,
	.dma_unmap = slots_dma_unmap,
	.flush_unused = flush_unused,
	.check_end = check_end,
};
