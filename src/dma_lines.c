// SPDX-License-Identifier: MIT
/*
 * dma_lines.c - which lines of a buffer need maintenance, and where they are.
 *
 * A buffer is a range of physical addresses.  Its lines fall into parts with
 * one operation each: the shared lines at its edges, and the lines between.
 * The inner caches are maintained page by page, at an address where the page is
 * held meanwhile; the outer cache in one go.
 */
#include "dma_priv.h"

#define NOTHING ((enum pkmap_cache_op)0)

/* What is done to the lines of a buffer: the table of dma.h. */
struct rule {
	enum pkmap_cache_op whole;
	enum pkmap_cache_op shared;
};

/* Adjacent lines that take the same operation. */
struct part {
	uint64_t start;
	uint64_t end;
	enum pkmap_cache_op op;
};

/* How a page is held while its lines are maintained. */
enum held {
	HELD_NOT, /* no line of it can be cached */
	HELD_FOR_GOOD,
	HELD_BY_PIN,
	HELD_BY_DMA_SLOT,
};

static struct rule rule_of(const struct pkmap_dma *d, enum pkmap_dma_dir dir,
			   enum pkmap_moment moment)
{
	static const struct rule before[] = {
		[PKMAP_DMA_TO_DEVICE] = { PKMAP_CACHE_CLEAN,
					  PKMAP_CACHE_CLEAN },
		[PKMAP_DMA_FROM_DEVICE] = { PKMAP_CACHE_INVAL,
					    PKMAP_CACHE_CLEAN_INVAL },
		[PKMAP_DMA_BIDIRECTIONAL] = { PKMAP_CACHE_CLEAN_INVAL,
					      PKMAP_CACHE_CLEAN_INVAL },
	};

	if (moment == BEFORE)
		return before[dir];
	if (dir == PKMAP_DMA_TO_DEVICE)
		return (struct rule){ NOTHING, NOTHING };
	return (struct rule){
		d->win->cache.speculative ? PKMAP_CACHE_INVAL : NOTHING,
		PKMAP_CACHE_CLEAN_INVAL,
	};
}

static uint32_t add_part(struct part *parts, uint32_t n, uint64_t start,
			 uint64_t end, enum pkmap_cache_op op)
{
	if (start >= end || op == NOTHING)
		return n;
	parts[n] = (struct part){ .start = start, .end = end, .op = op };
	return n + 1;
}

/* Returns how many parts there are, in ascending order. */
static uint32_t parts_of(const struct pkmap_dma *d, const struct pkmap_range *r,
			 const struct rule *rule, struct part parts[3])
{
	const uint64_t mask = line_mask(d);
	const uint64_t first = r->start & ~mask;
	const uint64_t last = (r->end + mask) & ~mask;
	const uint64_t whole = (r->start + mask) & ~mask;
	const uint64_t whole_end = r->end & ~mask;
	uint32_t n;

	if (rule->whole == rule->shared || whole >= whole_end)
		return add_part(parts, 0, first, last, rule->shared);
	n = add_part(parts, 0, first, whole, rule->shared);
	n = add_part(parts, n, whole, whole_end, rule->whole);
	return add_part(parts, n, whole_end, last, rule->shared);
}

/*
 * Shows a page in the next of this CPU's slots for DMA calls, until
 * release_dma_slot().  Not for a virtually tagged cache: the slot may be the
 * page's second address.
 */
static int take_dma_slot(struct pkmap_window *w, pkmap_pfn pfn, void **addr)
{
	struct pkmap_cpu *cpu;
	uint32_t depth;
	int err;

	err = pkmap_enter_cpu(w, "pkmap_dma", pfn, &cpu);
	if (err)
		return err;
	depth = pkmap_a32_load_relaxed(&cpu->dma_depth);
	if (depth == w->dma_slots) {
		err = pkmap_refuse(w, PKMAP_MISUSE_LOCAL_DEPTH, "pkmap_dma",
				   NULL, pfn);
		goto leave;
	}
	/* From here on an interrupt uses the slots behind ours. */
	pkmap_a32_store_relaxed(&cpu->dma_depth, depth + 1);
	pkmap_fence_interrupt();
	pkmap_along_store_release(&dma_pfn(w, cpu)[depth], pfn);
	*addr = local_slot_addr(w, cpu, w->local_slots + depth, pfn);
	err = w->ops->set(w->port, *addr, pfn, w->read_only);
	if (!err)
		return 0;
	pop_dma_slot(w, cpu, depth);
leave:
	w->ops->local_leave(w->port);
	return err;
}

static void release_dma_slot(struct pkmap_window *w, void *addr)
{
	struct pkmap_cpu *cpu = pkmap_this_cpu(w);

	clear_local_slot(w, addr);
	pop_dma_slot(w, cpu, pkmap_a32_load_relaxed(&cpu->dma_depth) - 1);
	w->ops->local_leave(w->port);
}

/*
 * Makes a page's lines reachable at *@addr, and keeps them there until
 * release_page().
 *
 * On a VIVT cache, a page that is not mapped in the window has no lines but
 * those of a local map that this CPU has open.  No slot for DMA calls is used
 * there: it would be another address.
 */
static int hold_page(struct pkmap_dma *d, pkmap_pfn pfn, void **addr,
		     enum held *held)
{
	struct pkmap_window *w = d->win;
	const struct pkmap_local *local;
	uint32_t word;

	*held = HELD_FOR_GOOD;
	if (pfn_is_low(d, pfn)) {
		*addr = (void *)(d->low_base +
				 ((uintptr_t)(pfn - d->low_first_pfn)
				  << w->page_shift));
		return 0;
	}

	*addr = pkmap_pin(w, pfn);
	if (*addr) {
		*held = HELD_BY_PIN;
		word = pkmap_a32_load_relaxed(
			slot_word(w, addr_slot(w, *addr)));
		pkmap_along_add_relaxed(
			word < 2 * WORD_USER ? &d->idle : &d->in_use, 1);
		return 0;
	}
	pkmap_along_add_relaxed(&d->not_mapped, 1);

	if (w->cache.kind != PKMAP_CACHE_VIVT) {
		*held = HELD_BY_DMA_SLOT;
		return take_dma_slot(w, pfn, addr);
	}
	local = pkmap_find_local(w, pfn, LOCAL_OPEN, LOCAL_USED);
	if (local)
		*addr = local->addr;
	else
		*held = HELD_NOT;
	return 0;
}

static void release_page(struct pkmap_dma *d, void *addr, enum held held)
{
	if (held == HELD_BY_PIN)
		pkmap_unmap(d->win, addr);
	else if (held == HELD_BY_DMA_SLOT)
		release_dma_slot(d->win, addr);
}

static void count_lines(struct pkmap_dma *d, enum pkmap_cache_op op,
			uint64_t bytes)
{
	pkmap_along_add_relaxed(&d->lines[op],
				(unsigned long)(bytes >> d->line_shift));
}

/* Maintains the parts' lines in the page at @page; the last ends behind it. */
static int maintain_page(struct pkmap_dma *d, uint64_t page,
			 const struct part *part, uint32_t n)
{
	const uint32_t shift = d->win->page_shift;
	const uint64_t page_end = page + ((uint64_t)1 << shift);
	enum held held;
	uint64_t start;
	uint64_t end;
	void *addr;
	int err;

	while (part->end <= page) {
		part++;
		n--;
	}
	if (part->start >= page_end)
		return 0;

	err = hold_page(d, (pkmap_pfn)(page >> shift), &addr, &held);
	if (err || held == HELD_NOT)
		return err;
	for (; n && part->start < page_end; part++, n--) {
		start = max_u64(part->start, page);
		end = min_u64(part->end, page_end);
		d->ops->cache(d->port, part->op, (char *)addr + (start - page),
			      (size_t)(end - start));
		count_lines(d, part->op, end - start);
	}
	release_page(d, addr, held);
	return 0;
}

static int maintain_inner(struct pkmap_dma *d, const struct part *parts,
			  uint32_t n)
{
	const uint64_t page_bytes = (uint64_t)1 << d->win->page_shift;
	uint64_t page = parts[0].start & ~(page_bytes - 1);
	uint32_t i;
	int err;

	if (d->ops->cache_phys) {
		for (i = 0; i < n; i++) {
			d->ops->cache_phys(d->port, parts[i].op, parts[i].start,
					   parts[i].end - parts[i].start);
			count_lines(d, parts[i].op,
				    parts[i].end - parts[i].start);
		}
		return 0;
	}
	for (; page < parts[n - 1].end; page += page_bytes) {
		err = maintain_page(d, page, parts, n);
		if (err)
			return err;
	}
	return 0;
}

static void maintain_outer(struct pkmap_dma *d, const struct part *parts,
			   uint32_t n)
{
	uint32_t i;

	if (!d->ops->outer)
		return;
	for (i = 0; i < n; i++)
		d->ops->outer(d->port, parts[i].op, parts[i].start,
			      parts[i].end - parts[i].start);
}

/*
 * Before the transfer dirty lines must go.  They move outwards, so the inner
 * cache comes first.  After it old lines must go.  They move inwards, so the
 * outer cache comes first.
 */
static int maintain_buffer(struct pkmap_dma *d,
			   const struct pkmap_dma_buffer *buf,
			   enum pkmap_dma_dir dir, enum pkmap_moment moment)
{
	const struct rule rule = rule_of(d, dir, moment);
	const struct pkmap_range r = buffer_range(d, buf);
	struct part parts[3];
	uint32_t n;
	int err;

	n = parts_of(d, &r, &rule, parts);
	if (!n)
		return 0;
	if (moment == AFTER)
		maintain_outer(d, parts, n);
	err = maintain_inner(d, parts, n);
	if (!err && moment == BEFORE)
		maintain_outer(d, parts, n);
	return err;
}

int pkmap_maintain_lines(struct pkmap_dma *d, const struct pkmap_dma_call *call,
			 enum pkmap_moment moment)
{
	uint32_t k;
	int err;

	if (call->dev->coherent)
		return 0;
	for (k = 0; k < call->nbufs; k++) {
		err = maintain_buffer(d, &call->bufs[k], call->dir, moment);
		if (err)
			return err;
	}
	return 0;
}

int pkmap_clean_inval_pages(struct pkmap_dma *d, pkmap_pfn first,
			    pkmap_pfn npages)
{
	const uint32_t shift = d->win->page_shift;
	const struct part part = {
		.start = (uint64_t)first << shift,
		.end = (uint64_t)(first + npages) << shift,
		.op = PKMAP_CACHE_CLEAN_INVAL,
	};
	int err = maintain_inner(d, &part, 1);

	if (!err)
		maintain_outer(d, &part, 1);
	return err;
}
