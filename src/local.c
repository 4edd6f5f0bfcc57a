// SPDX-License-Identifier: MIT
/*
 * local.c - local maps: a page visible to one CPU, for a short while.
 *
 * Each CPU has a stack of local maps.  Only that CPU changes it, and an
 * interrupt leaves it as it found it, so a compiler barrier is all the ordering
 * that it needs.  Place k of the stack has a slot of its own for each colour.
 * A map that pinned its page, or that reuses the slot of an outer map of the
 * same page, leaves its own slot unused.
 *
 * Behind those slots are the ones for DMA calls, a second stack (dma_lines.c).
 */
#include "window_priv.h"

/* The CPU's outermost map of a page in a state from @least to @most. */
static struct pkmap_local *find_local(struct pkmap_cpu *cpu, uint32_t depth,
				      pkmap_pfn pfn, enum local_state least,
				      enum local_state most)
{
	struct pkmap_local *l;
	uint32_t state;

	for (l = cpu->stack; l < cpu->stack + depth; l++) {
		state = pkmap_a32_load_relaxed(&l->state);
		if (state >= least && state <= most &&
		    pkmap_along_load_relaxed(&l->pfn) == pfn)
			return l;
	}
	return NULL;
}

/*
 * The address at which an outer map of this CPU shows the page.  The outermost
 * such map owns the slot.  We may have interrupted it while it cleans the
 * slot's lines; then it has to clean them again.
 */
static void *find_outer(struct pkmap_cpu *cpu, uint32_t depth, pkmap_pfn pfn)
{
	struct pkmap_local *l =
		find_local(cpu, depth, pfn, LOCAL_OPEN, LOCAL_USED);

	if (!l)
		return NULL;
	if (pkmap_a32_load_relaxed(&l->state) == LOCAL_CLEANING)
		pkmap_a32_store_relaxed(&l->state, LOCAL_USED);
	return l->addr;
}

/*
 * Keeps the caller on its CPU until local_leave(), and stores in *@cpu which it
 * is.  Refuses a CPU that the window does not have.
 */
int pkmap_enter_cpu(struct pkmap_window *w, const char *call, pkmap_pfn pfn,
		    struct pkmap_cpu **cpu)
{
	const int nr = w->ops->local_enter(w->port);

	if (nr < 0)
		return nr;
	if ((uint32_t)nr >= w->ncpus) {
		w->ops->local_leave(w->port);
		pkmap_refuse(w, PKMAP_MISUSE_CPU, call, NULL, pfn);
		return PKMAP_EINVAL;
	}
	*cpu = nth_cpu(w, (uint32_t)nr);
	return 0;
}

/* The CPU that the caller is kept on, or NULL. */
struct pkmap_cpu *pkmap_this_cpu(struct pkmap_window *w)
{
	const int nr = w->ops->local_cpu(w->port);

	return nr >= 0 && (uint32_t)nr < w->ncpus ? nth_cpu(w, (uint32_t)nr) :
						    NULL;
}

/* find_local() on this CPU, for callers that do not open a local map. */
struct pkmap_local *pkmap_find_local(struct pkmap_window *w, pkmap_pfn pfn,
				     enum local_state least,
				     enum local_state most)
{
	struct pkmap_cpu *cpu = w->local_slots ? pkmap_this_cpu(w) : NULL;

	if (!cpu)
		return NULL;
	return find_local(cpu, pkmap_a32_load_relaxed(&cpu->depth), pfn, least,
			  most);
}

static int open_local(struct pkmap_window *w, struct pkmap_cpu *cpu, uint32_t k,
		      pkmap_pfn pfn)
{
	struct pkmap_local *l = &cpu->stack[k];
	enum local_state state = LOCAL_BORROWED;
	int err;

	l->addr = pkmap_pin(w, pfn);
	if (!l->addr)
		l->addr = find_outer(cpu, k, pfn);
	if (!l->addr) {
		l->addr = local_slot_addr(w, cpu, k, pfn);
		err = w->ops->set(w->port, l->addr, pfn, w->read_only);
		if (err)
			return err;
		pkmap_along_add_relaxed(&w->local_maps, 1);
		state = LOCAL_OPEN;
	}
	/*
	 * An interrupt may find the page here only once its slot shows it.
	 * Both releases pair with page_of_cpu() (forget.c).
	 */
	pkmap_along_store_release(&l->pfn, pfn);
	pkmap_fence_interrupt();
	pkmap_a32_store_release(&l->state, state);
	return 0;
}

static void clear_slot(struct pkmap_window *w, struct pkmap_local *l)
{
	clear_local_slot(w, l->addr);
	pkmap_a32_store_release(&l->state, LOCAL_CLOSED);
	wake_for_local(w, pkmap_along_load_relaxed(&l->pfn));
}

/* Clean before close: the local slot's form of clean before claim. */
static void close_slot(struct pkmap_window *w, struct pkmap_local *l)
{
	uint32_t cleaning;

	do {
		pkmap_a32_store_relaxed(&l->state, LOCAL_CLEANING);
		pkmap_fence_interrupt();
		if (w->cache.kind == PKMAP_CACHE_VIVT)
			w->ops->cache_clean_inval(w->port, l->addr,
						  (size_t)1 << w->page_shift);
		cleaning = LOCAL_CLEANING;
	} while (!pkmap_a32_cas_release(&l->state, &cleaning, LOCAL_CLEARING));

	clear_slot(w, l);
}

static void close_local(struct pkmap_window *w, struct pkmap_local *l)
{
	if (pkmap_a32_load_relaxed(&l->state) >= LOCAL_OPEN) {
		close_slot(w, l);
		return;
	}
	pkmap_a32_store_relaxed(&l->state, LOCAL_CLOSED);
	if (addr_slot(w, l->addr) < w->nslots)
		pkmap_unmap(w, l->addr);
}

static int refuse_depth(struct pkmap_window *w, pkmap_pfn pfn)
{
	return pkmap_refuse(w, PKMAP_MISUSE_LOCAL_DEPTH, "pkmap_local_map",
			    NULL, pfn);
}

int pkmap_local_map(struct pkmap_window *w, pkmap_pfn pfn, void **addr)
{
	struct pkmap_cpu *cpu;
	uint32_t depth;
	int err;

	if (!pfn_in_range(w, pfn))
		return pkmap_refuse(w, PKMAP_MISUSE_PFN, "pkmap_local_map",
				    NULL, pfn);
	if (!w->local_slots)
		return refuse_depth(w, pfn);
	err = pkmap_enter_cpu(w, "pkmap_local_map", pfn, &cpu);
	if (err)
		return err;

	depth = pkmap_a32_load_relaxed(&cpu->depth);
	if (depth == w->local_slots) {
		err = refuse_depth(w, pfn);
		goto leave;
	}
	/* From here on an interrupt uses the places above ours. */
	pkmap_a32_store_relaxed(&cpu->depth, depth + 1);
	pkmap_fence_interrupt();
	err = open_local(w, cpu, depth, pfn);
	if (!err) {
		*addr = cpu->stack[depth].addr;
		return 0;
	}
	pkmap_fence_interrupt();
	pkmap_a32_store_relaxed(&cpu->depth, depth);
leave:
	w->ops->local_leave(w->port);
	return err;
}

static int refuse_order(struct pkmap_window *w, void *addr)
{
	return pkmap_refuse(w, PKMAP_MISUSE_LOCAL_ORDER, "pkmap_local_unmap",
			    addr, PKMAP_NO_PFN);
}

int pkmap_local_unmap(struct pkmap_window *w, void *addr)
{
	struct pkmap_cpu *cpu = w->local_slots ? pkmap_this_cpu(w) : NULL;
	uint32_t depth;

	if (!cpu)
		return refuse_order(w, addr);
	depth = pkmap_a32_load_relaxed(&cpu->depth);
	if (!depth || cpu->stack[depth - 1].addr != addr)
		return refuse_order(w, addr);

	close_local(w, &cpu->stack[depth - 1]);
	pkmap_fence_interrupt();
	pkmap_a32_store_relaxed(&cpu->depth, depth - 1);
	w->ops->local_leave(w->port);
	return 0;
}

/* A map that was not opened completely, or was closed, has nothing to close. */
static void abandon_local(struct pkmap_window *w, struct pkmap_local *l)
{
	const uint32_t state = pkmap_a32_load_relaxed(&l->state);

	if (state == LOCAL_CLOSED)
		return;
	pkmap_refuse(w, PKMAP_MISUSE_LOCAL_LEFT, "pkmap_local_map", l->addr,
		     pkmap_along_load_relaxed(&l->pfn));
	/* It may be gone from the TLB, so it cannot be cleaned again. */
	if (state == LOCAL_CLEARING)
		clear_slot(w, l);
	else
		close_local(w, l);
}

static void abandon_dma_slot(struct pkmap_window *w, struct pkmap_cpu *cpu,
			     uint32_t depth)
{
	const pkmap_pfn pfn = pkmap_along_load_relaxed(&dma_pfn(w, cpu)[depth]);
	void *addr;

	if (pfn != PKMAP_NO_PFN) {
		addr = local_slot_addr(w, cpu, w->local_slots + depth, pfn);
		pkmap_refuse(w, PKMAP_MISUSE_LOCAL_LEFT, "pkmap_dma", addr,
			     pfn);
		clear_local_slot(w, addr);
	}
	pop_dma_slot(w, cpu, depth);
}

/* That CPU may have stopped anywhere.  Interrupts may come, as in an unmap. */
void pkmap_local_abandon(struct pkmap_window *w, uint32_t nr)
{
	struct pkmap_cpu *cpu = nth_cpu(w, nr);
	uint32_t depth;

	for (depth = pkmap_a32_load_relaxed(&cpu->depth); depth; depth--) {
		abandon_local(w, &cpu->stack[depth - 1]);
		pkmap_fence_interrupt();
		pkmap_a32_store_relaxed(&cpu->depth, depth - 1);
	}
	for (depth = pkmap_a32_load_relaxed(&cpu->dma_depth); depth; depth--)
		abandon_dma_slot(w, cpu, depth - 1);
}
