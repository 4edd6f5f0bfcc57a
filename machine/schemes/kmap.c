// SPDX-License-Identifier: MIT
/*
 * kmap.c - map and unmap, as in Linux's mm/highmem.c.
 *
 * Slots are handed out in turn.  After the last one, all idle slots are torn
 * down: caches, translations and TLBs are flushed under the lock.
 */
#include "kmap.h"

void kmap_init(struct kmap *k, const struct scheme *scheme,
	       const struct pkmap_config *config)
{
	uint32_t slot;

	slots_init(&k->slots, scheme, config);
	for (slot = 0; slot < config->nslots; slot++)
		k->next[slot] = slot;
}

bool kmap_lock(struct kmap *k)
{
	const bool irqs_were_on = k->irqs_off && machine_irq_save();

	machine_spin_lock(&k->lock);
	return irqs_were_on;
}

void kmap_unlock(struct kmap *k, bool irqs_were_on)
{
	machine_spin_unlock(&k->lock);
	if (k->irqs_off)
		machine_irq_restore(irqs_were_on);
}

static void show(struct kmap *k, uint32_t slot, pkmap_pfn pfn)
{
	k->pfn[slot] = pfn;
	if (k->shown)
		pkmap_along_store_release(&k->shown[slot], pfn);
}

static bool any_idle(const struct kmap *k)
{
	uint32_t slot;

	for (slot = 0; slot < k->slots.config.nslots; slot++) {
		if (k->count[slot] == 1)
			return true;
	}
	return false;
}

static void flush_idle(struct kmap *k)
{
	const struct pkmap_config *c = &k->slots.config;
	uint32_t slot;

	if (!any_idle(k))
		return;
	if (c->cache.kind == PKMAP_CACHE_VIVT)
		c->ops->cache_clean_inval(c->port, c->base,
					  (size_t)c->nslots << c->page_shift);
	for (slot = 0; slot < c->nslots; slot++) {
		if (k->count[slot] != 1)
			continue;
		k->count[slot] = 0;
		c->ops->clear(c->port, slots_addr(&k->slots, slot), 1);
		show(k, slot, PKMAP_NO_PFN);
	}
	if (c->ops->flush_tlb)
		c->ops->flush_tlb(c->port, c->base, c->nslots, false);
}

/* A free slot for @pfn, or PKMAP_NO_SLOT. */
static uint32_t free_slot(struct kmap *k, pkmap_pfn pfn)
{
	const uint32_t first = slots_first(&k->slots, pfn);
	const uint32_t colours = k->slots.ncolours;
	const uint32_t nslots = k->slots.config.nslots;
	uint32_t tries;
	uint32_t slot;

	for (tries = nslots / colours; tries; tries--) {
		if (k->next[first] >= nslots) {
			flush_idle(k);
			k->next[first] = first;
			tries = nslots / colours;
		}
		slot = k->next[first];
		k->next[first] += colours;
		if (!k->count[slot])
			return slot;
	}
	return PKMAP_NO_SLOT;
}

static int install(struct kmap *k, uint32_t slot, pkmap_pfn pfn)
{
	const struct pkmap_config *c = &k->slots.config;
	int err;

	err = c->ops->set(c->port, slots_addr(&k->slots, slot), pfn,
			  c->read_only);
	if (err)
		return err;
	k->count[slot] = 2;
	show(k, slot, pfn);
	return 0;
}

/*
 * Sleeps without the lock, and with interrupts on, as the caller had them.  An
 * unmap just after the lock is dropped changes the event, so it is not missed.
 */
static int wait_for_unmap(struct kmap *k, const struct pkmap_wait *wait)
{
	uint32_t seen;
	int err;

	if (wait && wait->flags & PKMAP_WAIT_NEVER)
		return PKMAP_EAGAIN;
	k->waiters++;
	seen = pkmap_a32_load_relaxed(&k->event);
	kmap_unlock(k, true);
	err = slots_wait(&k->slots, &k->event, seen, wait);
	kmap_lock(k);
	k->waiters--;
	return err;
}

uint32_t kmap_get(struct kmap *k, pkmap_pfn pfn)
{
	uint32_t slot;

	for (slot = 0; slot < k->slots.config.nslots; slot++) {
		if (k->count[slot] && k->pfn[slot] == pfn) {
			k->count[slot]++;
			return slot;
		}
	}
	return PKMAP_NO_SLOT;
}

static int map_one(struct kmap *k, pkmap_pfn pfn, const struct pkmap_wait *wait,
		   void **addr)
{
	const bool irqs_were_on = kmap_lock(k);
	uint32_t slot;
	int err = 0;

	while ((slot = kmap_get(k, pfn)) == PKMAP_NO_SLOT) {
		slot = free_slot(k, pfn);
		if (slot != PKMAP_NO_SLOT) {
			err = install(k, slot, pfn);
			break;
		}
		err = wait_for_unmap(k, wait);
		if (err)
			break;
	}
	kmap_unlock(k, irqs_were_on);
	if (!err)
		*addr = slots_addr(&k->slots, slot);
	return err;
}

/* Maps one page after the other, and keeps those while it waits for more. */
int kmap_map(void *mem, const pkmap_pfn *pfns, uint32_t n,
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
		kmap_unmap(mem, addrs[k]);
	return err;
}

int kmap_unmap(void *mem, void *addr)
{
	struct kmap *k = mem;
	const struct pkmap_config *c = &k->slots.config;
	const uintptr_t slot = slots_of(&k->slots, addr);
	const bool irqs_were_on = kmap_lock(k);
	const bool in_use = k->count[slot] > 1;
	bool wake = false;

	if (in_use)
		wake = --k->count[slot] == 1 && k->waiters;
	if (wake)
		pkmap_a32_add_release(&k->event, 1);
	kmap_unlock(k, irqs_were_on);
	if (wake)
		c->ops->wake(c->port, &k->event);
	return in_use ? 0 : PKMAP_EINVAL;
}

void kmap_flush_unused(void *mem)
{
	struct kmap *k = mem;
	const bool irqs_were_on = kmap_lock(k);

	flush_idle(k);
	kmap_unlock(k, irqs_were_on);
}

const char *kmap_check_end(void *mem)
{
	const struct kmap *k = mem;
	uint32_t slot;

	for (slot = 0; slot < k->slots.config.nslots; slot++) {
		if (k->count[slot] > 1)
			return "a slot is in use";
	}
	return k->waiters ? "somebody waits for a slot" : NULL;
}
