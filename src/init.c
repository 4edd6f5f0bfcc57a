// SPDX-License-Identifier: MIT
/*
 * init.c - making and ending a window, and reading its counters.
 */
#include "window_priv.h"

/* The power of two above @nslots: at most two buckets for each slot. */
static uint32_t nbuckets(uint32_t nslots)
{
	return 1u << (32 - __builtin_clz(nslots));
}

static uint32_t ncolours(const struct pkmap_cache *cache)
{
	return cache->colours ? cache->colours : 1;
}

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

static bool cache_valid(const struct pkmap_cache *cache,
			const struct pkmap_ops *ops)
{
	if (!is_power_of_two(ncolours(cache)))
		return false;
	if (ncolours(cache) > 1 && cache->kind != PKMAP_CACHE_VIPT)
		return false;
	switch (cache->kind) {
	case PKMAP_CACHE_PIPT:
	case PKMAP_CACHE_VIPT:
		return true;
	case PKMAP_CACHE_VIVT:
		return !cache->speculative && ops->cache_clean_inval &&
		       (!cache->whole_bytes || ops->cache_clean_inval_all);
	}
	return false;
}

static bool ops_valid(const struct pkmap_ops *ops, bool local)
{
	if (!ops || !ops->set || !ops->clear || !ops->lock || !ops->trylock ||
	    !ops->unlock || !ops->wait || !ops->wake)
		return false;
	return !local ||
	       (ops->local_enter && ops->local_cpu && ops->local_leave);
}

static uint32_t slot_shift(const struct pkmap_config *c)
{
	return c->page_shift + c->guard;
}

/*
 * Whether @nslots slots at @base are aligned for all colours and do not wrap.
 */
static bool range_valid(const struct pkmap_config *c, const void *base,
			uint64_t nslots)
{
	const uint64_t align = (uint64_t)ncolours(&c->cache) << c->page_shift;
	const uintptr_t start = (uintptr_t)base;

	return base && !(start & (align - 1)) &&
	       nslots <= (UINTPTR_MAX - start) >> slot_shift(c);
}

/* Whether valid ranges of the window and of its local slots do not overlap. */
static bool ranges_apart(const struct pkmap_config *c, uint64_t nlocal)
{
	const uint64_t base = (uintptr_t)c->base;
	const uint64_t local = (uintptr_t)c->local_base;

	return local >= base + ((uint64_t)c->nslots << slot_shift(c)) ||
	       base >= local + (nlocal << slot_shift(c));
}

/* How many local slots a CPU has. */
static uint64_t nlocal(const struct pkmap_config *c)
{
	return (uint64_t)c->local_slots + c->dma_slots;
}

/* How many copies there are of the hit counters. */
static uint32_t ncopies(const struct pkmap_config *c)
{
	return c->counter_copies ? c->counter_copies : PKMAP_CPU_HINTS;
}

static bool config_valid(const struct pkmap_config *c)
{
	uint64_t nslots;

	if (!ops_valid(c->ops, nlocal(c)) || !cache_valid(&c->cache, c->ops))
		return false;
	if (c->page_shift < 1 || c->page_shift > 30)
		return false;
	if (!c->nslots || c->nslots >= 1u << 30 ||
	    c->nslots & (ncolours(&c->cache) - 1))
		return false;
	if (!c->npages || c->first_pfn > PKMAP_NO_PFN - c->npages)
		return false;
	if (c->guard && ncolours(&c->cache) > 1)
		return false;
	if (c->counter_copies && (!is_power_of_two(c->counter_copies) ||
				  c->counter_copies > PKMAP_CPU_HINTS))
		return false;
	if (c->batch > c->nslots || !range_valid(c, c->base, c->nslots))
		return false;
	if (!nlocal(c))
		return true;
	if (!c->ncpus || nlocal(c) > 1024 || c->ncpus > 65536)
		return false;
	nslots = nlocal(c) * c->ncpus * ncolours(&c->cache);
	return range_valid(c, c->local_base, nslots) && ranges_apart(c, nslots);
}

/* Reserves @n objects of @size bytes at *@offset, aligned to a cache line. */
static uint64_t reserve(uint64_t *offset, uint64_t n, uint64_t size)
{
	uint64_t at = *offset;

	*offset = (at + n * size + PKMAP_ALIGN - 1) & ~(PKMAP_ALIGN - 1ull);
	return at;
}

/* Offsets of the window's arrays in its memory; they may exceed a size_t. */
struct layout {
	uint64_t words;
	uint64_t next;
	uint64_t pfn;
	uint64_t head;
	uint64_t colour;
	uint64_t cpu;
	uint64_t cpu_bytes;
	uint64_t bytes;
};

static struct layout layout_of(const struct pkmap_config *c)
{
	struct layout l = { .bytes = 0 };

	reserve(&l.cpu_bytes, 1,
		sizeof(struct pkmap_cpu) +
			c->local_slots * sizeof(struct pkmap_local) +
			c->dma_slots * sizeof(pkmap_along));
	reserve(&l.bytes, 1,
		sizeof(struct pkmap_window) +
			ncopies(c) * sizeof(struct pkmap_hits));
	l.words = reserve(&l.bytes, c->nslots + 1, PKMAP_WORD_BYTES);
	l.next = reserve(&l.bytes, c->nslots + 1, sizeof(pkmap_a32));
	l.pfn = reserve(&l.bytes, c->nslots + 1, sizeof(pkmap_along));
	l.head = reserve(&l.bytes, nbuckets(c->nslots), sizeof(pkmap_a32));
	l.colour = reserve(&l.bytes, ncolours(&c->cache),
			   sizeof(struct pkmap_colour));
	l.cpu = reserve(&l.bytes, nlocal(c) ? c->ncpus : 0, l.cpu_bytes);
	return l;
}

size_t pkmap_size(const struct pkmap_config *config)
{
	uint64_t bytes;

	if (!config || !config_valid(config))
		return 0;
	bytes = layout_of(config).bytes;
	return bytes <= SIZE_MAX ? (size_t)bytes : 0;
}

#define CLEAR_COUNTER(name)	pkmap_along_store_relaxed(&w->name, 0)
#define CLEAR_HIT_COUNTER(name) pkmap_along_store_relaxed(&w->hits[i].name, 0)

static void init_counters(struct pkmap_window *w)
{
	uint32_t i;

	COUNTERS(CLEAR_COUNTER)
	for (i = 0; i < w->ncopies; i++) {
		HIT_COUNTERS(CLEAR_HIT_COUNTER)
	}
}

static void init_slots(struct pkmap_window *w)
{
	uint32_t i;

	for (i = 0; i < nbuckets(w->nslots); i++)
		pkmap_a32_store_relaxed(&w->head[i], LINK_END | i);
	for (i = 0; i <= w->colour_mask; i++) {
		w->colour[i].free = LINK_END_FREE;
		w->colour[i].hand = i;
		pkmap_a32_store_relaxed(&w->colour[i].event, 0);
	}
	pkmap_a32_store_relaxed(slot_word(w, PKMAP_NO_SLOT), 0);
	pkmap_a32_store_relaxed(&w->next[-1], LINK_END_FREE);
	pkmap_along_store_relaxed(&w->pfn[-1], PKMAP_NO_PFN);
	for (i = w->nslots; i-- > 0;) {
		pkmap_a32_store_relaxed(slot_word(w, i), 0);
		pkmap_push_free(w, i);
	}
}

static void init_cpu(struct pkmap_window *w, uint32_t nr)
{
	struct pkmap_cpu *cpu = nth_cpu(w, nr);
	uint32_t k;

	cpu->nr = nr;
	pkmap_a32_store_relaxed(&cpu->depth, 0);
	pkmap_a32_store_relaxed(&cpu->dma_depth, 0);
	for (k = 0; k < w->local_slots; k++)
		pkmap_a32_store_relaxed(&cpu->stack[k].state, LOCAL_CLOSED);
	for (k = 0; k < w->dma_slots; k++)
		pkmap_along_store_relaxed(&dma_pfn(w, cpu)[k], PKMAP_NO_PFN);
}

int pkmap_init(void *mem, const struct pkmap_config *config,
	       struct pkmap_window **win)
{
	struct pkmap_window *w = mem;
	struct layout l;
	uint32_t i;

	if (!mem || (uintptr_t)mem % PKMAP_ALIGN || !pkmap_size(config))
		return PKMAP_EINVAL;

	l = layout_of(config);
	w->words = (char *)mem + (size_t)l.words + PKMAP_WORD_BYTES;
	/* PKMAP_NO_SLOT is number -1. */
	w->next = (pkmap_a32 *)((char *)mem + (size_t)l.next) + 1;
	w->pfn = (pkmap_along *)((char *)mem + (size_t)l.pfn) + 1;
	w->head = (void *)((char *)mem + (size_t)l.head);
	w->colour = (void *)((char *)mem + (size_t)l.colour);
	w->cpu = (void *)((char *)mem + (size_t)l.cpu);
	w->cpu_bytes = (size_t)l.cpu_bytes;

	w->base = (uintptr_t)config->base;
	w->nslots = config->nslots;
	w->page_shift = config->page_shift;
	w->slot_shift = slot_shift(config);
	w->hash_shift = (uint32_t)(8 * sizeof(unsigned long)) -
			(uint32_t)__builtin_ctz(nbuckets(config->nslots));
	w->colour_mask = ncolours(&config->cache) - 1;
	w->ops = config->ops;
	w->port = config->port;
	w->first_pfn = config->first_pfn;
	w->npages = config->npages;
	w->cache = config->cache;
	w->read_only = config->read_only;
	w->local_base = (uintptr_t)config->local_base;
	w->local_slots = config->local_slots;
	w->dma_slots = config->dma_slots;
	w->ncpus = nlocal(config) ? config->ncpus : 0;
	pkmap_a32_store_relaxed(&w->waiters, 0);

	/* A batch is of one colour, and at least one slot. */
	w->batch = config->batch ? config->batch : config->nslots / 2;
	w->batch >>= __builtin_ctz(w->colour_mask + 1);
	if (!w->batch)
		w->batch = 1;

	w->ncopies = ncopies(config);
	w->hint_mask = config->counter_copies ? w->ncopies - 1 : UINT32_MAX;
	init_counters(w);
	init_slots(w);
	for (i = 0; i < w->ncpus; i++)
		init_cpu(w, i);
	*win = w;
	return 0;
}

static bool in_use(struct pkmap_window *w)
{
	uint32_t i;

	for (i = 0; i < w->nslots; i++) {
		if (word_in_use(pkmap_a32_load_relaxed(slot_word(w, i))))
			return true;
	}
	for (i = 0; i < w->ncpus; i++) {
		if (pkmap_a32_load_relaxed(&nth_cpu(w, i)->depth) ||
		    pkmap_a32_load_relaxed(&nth_cpu(w, i)->dma_depth))
			return true;
	}
	return pkmap_a32_load_relaxed(&w->waiters);
}

static void report_in_use(struct pkmap_window *w, uint32_t slot, uint32_t users,
			  void *addr, pkmap_pfn pfn)
{
	const struct pkmap_report report = {
		.what = PKMAP_MISUSE_IN_USE,
		.call = "pkmap_fini",
		.addr = addr,
		.pfn = pfn,
		.slot = slot,
		.users = users,
	};

	pkmap_report(w, &report);
}

static void report_local(struct pkmap_window *w, struct pkmap_cpu *cpu,
			 uint32_t k, pkmap_pfn pfn)
{
	report_in_use(w, PKMAP_NO_SLOT, 1, local_slot_addr(w, cpu, k, pfn),
		      pfn);
}

/* Reports the pages that a CPU's local slots show.  Returns how many. */
static uint32_t report_cpu(struct pkmap_window *w, struct pkmap_cpu *cpu)
{
	uint32_t n = 0;
	pkmap_pfn pfn;
	uint32_t k;

	for (k = 0; k < w->local_slots; k++) {
		if (pkmap_a32_load_acquire(&cpu->stack[k].state) < LOCAL_OPEN)
			continue;
		pfn = pkmap_along_load_relaxed(&cpu->stack[k].pfn);
		report_local(w, cpu, k, pfn);
		n++;
	}
	for (; k < w->local_slots + w->dma_slots; k++) {
		pfn = pkmap_along_load_relaxed(
			&dma_pfn(w, cpu)[k - w->local_slots]);
		if (pfn == PKMAP_NO_PFN)
			continue;
		report_local(w, cpu, k, pfn);
		n++;
	}
	return n;
}

/* Reports why the window cannot end: pages in use, or somebody who waits. */
static int refuse_fini(struct pkmap_window *w)
{
	uint32_t n = 0;
	uint32_t word;
	uint32_t i;

	for (i = 0; i < w->nslots; i++) {
		word = pkmap_a32_load_relaxed(slot_word(w, i));
		if (!word_in_use(word) || word_below_idle(word))
			continue;
		report_in_use(w, i, word / WORD_USER, slot_addr(w, i),
			      pkmap_along_load_relaxed(&w->pfn[i]));
		n++;
	}
	for (i = 0; i < w->ncpus; i++)
		n += report_cpu(w, nth_cpu(w, i));
	if (!n)
		report_in_use(w, PKMAP_NO_SLOT, 0, NULL, PKMAP_NO_PFN);
	return PKMAP_EBUSY;
}

int pkmap_fini(struct pkmap_window *w)
{
	bool busy;

	pkmap_lock(w, NULL);
	busy = in_use(w);
	if (!busy) {
		pkmap_tear_down_idle(w);
		busy = in_use(w);
	}
	if (!busy)
		pkmap_clear_now(w);
	pkmap_unlock(w);
	return busy ? refuse_fini(w) : 0;
}

#define READ_COUNTER(name) (stats->name = pkmap_along_load_relaxed(&w->name))
#define ADD_HIT_COUNTER(name) \
	(stats->name += pkmap_along_load_relaxed(&w->hits[i].name))

void pkmap_read_stats(struct pkmap_window *w, struct pkmap_stats *stats)
{
	uint32_t i;

	*stats = (struct pkmap_stats){ 0 };
	COUNTERS(READ_COUNTER)
	for (i = 0; i < w->ncopies; i++) {
		HIT_COUNTERS(ADD_HIT_COUNTER)
	}
}
