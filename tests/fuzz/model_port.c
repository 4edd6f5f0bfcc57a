// SPDX-License-Identifier: MIT
#include "model_port.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far apart, and aligned for every page size and number of colours. */
#define WINDOW_BASE ((void *)(uintptr_t)0x40000000)
#define LOCAL_BASE  ((void *)(uintptr_t)0x50000000)

void model_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("# model: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

uint32_t model_colours(const struct model *m)
{
	return m->config.cache.colours ? m->config.cache.colours : 1;
}

size_t model_slot_bytes(const struct model *m)
{
	return MODEL_PAGE_SIZE << m->config.guard;
}

static uint32_t local_count(const struct model *m)
{
	return (m->config.local_slots + m->config.dma_slots) * model_colours(m);
}

static struct model_slot *slot_at(struct model *m, const void *addr)
{
	uintptr_t window = (uintptr_t)addr - (uintptr_t)m->config.base;
	uintptr_t local = (uintptr_t)addr - (uintptr_t)m->config.local_base;

	if ((uintptr_t)addr & (model_slot_bytes(m) - 1))
		model_fail("address %p is not the start of a slot", addr);
	window /= model_slot_bytes(m);
	local /= model_slot_bytes(m);
	if (window < m->config.nslots)
		return &m->slots[window];
	if (local < local_count(m))
		return &m->local[local];
	model_fail("address %p is not in the window", addr);
}

static bool is_local(const struct model *m, const struct model_slot *slot)
{
	return slot >= m->local && slot < m->local + local_count(m);
}

/* The DMA layer's follow those of local maps. */
static bool is_for_dma(const struct model *m, const struct model_slot *slot)
{
	return is_local(m, slot) &&
	       slot >= m->local + m->config.local_slots * model_colours(m);
}

static uint32_t *memory_of(struct model *m, pkmap_pfn pfn)
{
	if (pfn - MODEL_FIRST_PFN >= m->config.npages)
		model_fail("page %lu does not exist", pfn);
	return &m->memory[pfn - MODEL_FIRST_PFN];
}

/* How many of the slots have lines of @pfn in a VIVT cache. */
static unsigned int count_cached(const struct model_slot *slots, size_t n,
				 pkmap_pfn pfn)
{
	unsigned int cached = 0;

	for (size_t i = 0; i < n; i++)
		cached += slots[i].cached && slots[i].pte == pfn;
	return cached;
}

static unsigned int cached_at(const struct model *m, pkmap_pfn pfn)
{
	return count_cached(m->slots, m->config.nslots, pfn) +
	       count_cached(m->local, local_count(m), pfn);
}

/* The CPU touches a page: where is the value that it works on? */
static uint32_t *touch(struct model *m, void *addr, pkmap_pfn pfn)
{
	struct model_slot *slot = slot_at(m, addr);
	uint32_t *memory = memory_of(m, pfn);

	if (slot->pte != pfn)
		model_fail("I3: %p shows page %ld, not page %lu", addr,
			   (long)slot->pte, pfn);
	if (slot->tlb != pfn)
		model_fail("I4: a TLB translates %p to page %ld, not to %lu",
			   addr, (long)slot->tlb, pfn);
	if (m->config.cache.kind != PKMAP_CACHE_VIVT)
		return memory;
	if (!slot->cached) {
		slot->cached = true;
		slot->line = *memory;
	}
	if (cached_at(m, pfn) > 1)
		model_fail("I5: page %lu is cached at two addresses", pfn);
	return &slot->line;
}

void model_load(struct model *m, void *addr, pkmap_pfn pfn)
{
	uint32_t seen = *touch(m, addr, pfn);
	uint32_t stored = m->stored[pfn - MODEL_FIRST_PFN];

	if (seen != stored)
		model_fail("I2: page %lu holds %u at %p, stored was %u", pfn,
			   seen, addr, stored);
}

void model_store(struct model *m, void *addr, pkmap_pfn pfn)
{
	uint32_t *value = touch(m, addr, pfn);

	model_load(m, addr, pfn);
	*value = ++m->stored[pfn - MODEL_FIRST_PFN];
}

void model_dma(struct model *m, pkmap_pfn pfn)
{
	uint32_t *memory = memory_of(m, pfn);

	if (cached_at(m, pfn))
		model_fail("I8: page %lu is cached though it is not mapped",
			   pfn);
	if (*memory != m->stored[pfn - MODEL_FIRST_PFN])
		model_fail("I1: memory has %u in page %lu, stored was %u",
			   *memory, pfn, m->stored[pfn - MODEL_FIRST_PFN]);
	*memory = ++m->stored[pfn - MODEL_FIRST_PFN];
}

void *model_slot_addr(const struct model *m, uint32_t slot)
{
	return (char *)m->config.base + slot * model_slot_bytes(m);
}

void *model_find(const struct model *m, pkmap_pfn pfn)
{
	if (pfn == PKMAP_NO_PFN)
		return NULL;
	for (uint32_t i = 0; i < m->config.nslots; i++)
		if (m->slots[i].pte == pfn)
			return model_slot_addr(m, i);
	return NULL;
}

void model_check_quiet(const struct model *m)
{
	if (m->locked)
		model_fail("the window's lock was left taken");
	for (uint32_t i = 0; i < m->config.nslots; i++) {
		const struct model_slot *slot = &m->slots[i];

		if (slot->tlb != slot->pte)
			model_fail("I4: a TLB has page %ld at slot %u, the "
				   "table page %ld",
				   (long)slot->tlb, i, (long)slot->pte);
		if (slot->pte != PKMAP_NO_PFN &&
		    model_find(m, slot->pte) != model_slot_addr(m, i))
			model_fail("I5: page %lu is in two slots", slot->pte);
	}
}

void model_check_end(const struct model *m)
{
	model_check_quiet(m);
	if (m->depth)
		model_fail("%d local maps still keep the CPU", m->depth);
	for (uint32_t i = 0; i < m->config.nslots; i++)
		if (m->slots[i].pte != PKMAP_NO_PFN)
			model_fail("slot %u still shows page %lu", i,
				   m->slots[i].pte);
	for (uint32_t i = 0; i < local_count(m); i++)
		if (m->local[i].pte != PKMAP_NO_PFN)
			model_fail("local slot %u still shows page %lu", i,
				   m->local[i].pte);
	for (pkmap_pfn i = 0; i < m->config.npages; i++)
		if (m->memory[i] != m->stored[i])
			model_fail("I1: memory has %u in page %lu, stored "
				   "was %u",
				   m->memory[i], i + MODEL_FIRST_PFN,
				   m->stored[i]);
}

static void interrupt(struct model *m)
{
	if (m->on_interrupt)
		m->on_interrupt();
}

/* Window slots are set, cleaned and cleared by the owner of the lock only. */
static void check_owner(const struct model *m, const struct model_slot *slot)
{
	if (!is_local(m, slot) && !m->locked)
		model_fail("a window slot is worked on without the lock");
	if (is_local(m, slot) && !m->depth)
		model_fail("a local slot is worked on outside a local map");
}

static void check_colour(const struct model *m, const void *addr, pkmap_pfn pfn)
{
	if (((uintptr_t)addr >> MODEL_PAGE_SHIFT) % model_colours(m) !=
	    pfn % model_colours(m))
		model_fail("I5: page %lu at %p is of another colour", pfn,
			   addr);
}

static int model_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct model *m = port;
	struct model_slot *slot = slot_at(m, addr);
	int ret = m->on_set ? m->on_set() : 0;

	check_owner(m, slot);
	check_colour(m, addr, pfn);
	memory_of(m, pfn);
	interrupt(m);
	if (read_only != m->config.read_only)
		model_fail("the window is %sread-only, the slot %p is not",
			   m->config.read_only ? "" : "not ", addr);
	if (slot->pte != PKMAP_NO_PFN || slot->tlb != PKMAP_NO_PFN)
		model_fail("I4: %p is set to page %lu while page table or TLB "
			   "have page %ld, %ld",
			   addr, pfn, (long)slot->pte, (long)slot->tlb);
	if (ret)
		return ret;
	slot->pte = pfn;
	slot->tlb = pfn;
	if (is_for_dma(m, slot))
		m->did.dma_sets++;
	else if (is_local(m, slot))
		m->did.local_sets++;
	else
		m->did.sets++;
	return 0;
}

static void clear_one(struct model *m, void *addr)
{
	struct model_slot *slot = slot_at(m, addr);

	check_owner(m, slot);
	if (slot->cached)
		model_fail("I8: %p is torn down with lines of page %ld cached",
			   addr, (long)slot->pte);
	if (slot->pte == PKMAP_NO_PFN)
		model_fail("%p is torn down but shows no page", addr);
	slot->pte = PKMAP_NO_PFN;
	if (!is_local(m, slot))
		m->did.cleared++;
}

static void model_clear(void *port, void *addr, size_t npages)
{
	struct model *m = port;

	interrupt(m);
	if (m->config.guard && npages != 1)
		model_fail("guard pages are torn down");
	for (size_t i = 0; i < npages; i++)
		clear_one(m, (char *)addr + i * MODEL_PAGE_SIZE);
}

static void model_clear_now(void *port)
{
	struct model *m = port;

	if (!m->locked)
		model_fail("what was put off is cleared without the lock");
	m->did.cleared_now++;
}

static void model_flush_tlb(void *port, void *addr, size_t npages,
			    bool this_cpu)
{
	struct model *m = port;

	interrupt(m);
	for (size_t i = 0; i < npages; i += (size_t)1 + m->config.guard) {
		struct model_slot *slot =
			slot_at(m, (char *)addr + i * MODEL_PAGE_SIZE);

		check_owner(m, slot);
		if (this_cpu != is_local(m, slot))
			model_fail("%p: a local slot is flushed from this "
				   "CPU's TLB, others from all",
				   addr);
		slot->tlb = slot->pte;
	}
	if (!this_cpu)
		m->did.flushes++;
}

static void clean_one(struct model *m, struct model_slot *slot)
{
	check_owner(m, slot);
	if (slot->cached)
		*memory_of(m, slot->pte) = slot->line;
	slot->cached = false;
}

static void model_cache_clean_inval(void *port, void *addr, size_t bytes)
{
	struct model *m = port;

	interrupt(m);
	if (!bytes || bytes % MODEL_PAGE_SIZE ||
	    (m->config.guard && bytes != MODEL_PAGE_SIZE))
		model_fail("%zu bytes are to be cleaned", bytes);
	for (size_t i = 0; i < bytes; i += MODEL_PAGE_SIZE)
		clean_one(m, slot_at(m, (char *)addr + i));
	interrupt(m);
}

/* Reaches the local slots' lines as well, which is harmless. */
static void model_cache_clean_inval_all(void *port)
{
	struct model *m = port;

	interrupt(m);
	for (uint32_t i = 0; i < m->config.nslots; i++)
		clean_one(m, &m->slots[i]);
	interrupt(m);
}

static void model_lock(void *port)
{
	struct model *m = port;

	if (m->locked)
		model_fail("I7: the window's lock is taken twice");
	interrupt(m);
	m->locked = true;
}

static bool model_trylock(void *port)
{
	struct model *m = port;

	interrupt(m);
	if (m->lock_busy)
		return false;
	if (m->locked)
		model_fail("I7: the window's lock is taken twice");
	m->locked = true;
	return true;
}

static void model_unlock(void *port)
{
	struct model *m = port;

	if (!m->locked)
		model_fail("the window's lock is dropped but was not taken");
	m->locked = false;
	interrupt(m);
}

/* As a futex: the event is looked at once, then only wake() ends the sleep. */
static int model_wait(void *port, pkmap_a32 *event, uint32_t seen,
		      const struct pkmap_wait *wait)
{
	struct model *m = port;
	int ret = 0;

	if (m->locked)
		model_fail("I7: a task sleeps with the window's lock taken");
	if (m->depth)
		model_fail("a task sleeps in a local map");
	m->did.waits++;
	if (pkmap_a32_load_relaxed(event) != seen)
		return 0;
	m->waiting = true;
	m->woken = false;
	m->event = event;
	if (m->on_wait)
		ret = m->on_wait(wait);
	m->waiting = false;
	return ret;
}

static void model_wake(void *port, pkmap_a32 *event)
{
	struct model *m = port;

	if (m->waiting && m->event == event)
		m->woken = true;
}

static int model_local_enter(void *port)
{
	struct model *m = port;

	m->depth++;
	return 0;
}

static int model_local_cpu(void *port)
{
	struct model *m = port;

	return m->depth ? 0 : -1;
}

static void model_local_leave(void *port)
{
	struct model *m = port;

	if (!m->depth--)
		model_fail("a local map is left that was not entered");
}

static void model_report(void *port, const struct pkmap_report *report)
{
	struct model *m = port;

	m->did.reports++;
	m->report = *report;
}

static const struct pkmap_ops model_ops = {
	.set = model_set,
	.clear = model_clear,
	.clear_now = model_clear_now,
	.flush_tlb = model_flush_tlb,
	.cache_clean_inval = model_cache_clean_inval,
	.cache_clean_inval_all = model_cache_clean_inval_all,
	.lock = model_lock,
	.trylock = model_trylock,
	.unlock = model_unlock,
	.wait = model_wait,
	.wake = model_wake,
	.local_enter = model_local_enter,
	.local_cpu = model_local_cpu,
	.local_leave = model_local_leave,
	.report = model_report,
};

static void empty(struct model_slot *slots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		slots[i].pte = PKMAP_NO_PFN;
		slots[i].tlb = PKMAP_NO_PFN;
	}
}

void model_init(struct model *m, uint32_t nslots, pkmap_pfn npages)
{
	memset(m, 0, sizeof(*m));
	m->config.ops = &model_ops;
	m->config.port = m;
	m->config.base = WINDOW_BASE;
	m->config.nslots = nslots;
	m->config.page_shift = MODEL_PAGE_SHIFT;
	m->config.first_pfn = MODEL_FIRST_PFN;
	m->config.npages = npages;
	m->config.local_base = LOCAL_BASE;
	m->config.local_slots = MODEL_LOCAL_SLOTS;
	m->config.dma_slots = MODEL_DMA_SLOTS;
	m->config.ncpus = 1;
	empty(m->slots, MODEL_SLOTS);
	empty(m->local, (MODEL_LOCAL_SLOTS + MODEL_DMA_SLOTS) * MODEL_COLOURS);
}

/* An operation on the line that a page is here. */
static void model_cache(void *port, enum pkmap_cache_op op, void *addr,
			size_t bytes)
{
	struct model *m = port;
	struct model_slot *slot = slot_at(m, addr);

	interrupt(m);
	if (bytes != MODEL_PAGE_SIZE)
		model_fail("%zu bytes of a line of %zu", bytes,
			   MODEL_PAGE_SIZE);
	if (slot->pte == PKMAP_NO_PFN || slot->tlb != slot->pte)
		model_fail("I3: lines are worked on at %p, which shows nothing",
			   addr);
	if (slot->cached && op != PKMAP_CACHE_INVAL)
		*memory_of(m, slot->pte) = slot->line;
	if (op != PKMAP_CACHE_CLEAN)
		slot->cached = false;
}

static void model_dma_report(void *port, const struct pkmap_dma_report *report)
{
	struct model *m = port;

	if (m->ndma_reports == MODEL_DMA_REPORTS)
		model_fail("the tracker reports more than anybody looks at");
	m->did.dma_reports++;
	m->dma_report[m->ndma_reports++] = *report;
}

static const struct pkmap_dma_ops model_dma_ops = {
	.cache = model_cache,
	.report = model_dma_report,
};

const struct pkmap_dma_device model_devices[MODEL_DEVICES] = {
	{ .addr_mask = 0xffffffff, .bus_base = 0x10000000 },
	{ .addr_mask = 0xffffffff, .bus_base = 0x10000000 },
	{ .addr_mask = 0xffffffff, .bus_base = 0x10000000, .coherent = true },
};

void model_dma_init(struct model *m, struct pkmap_window *win,
		    uint32_t tracker_entries)
{
	const struct pkmap_dma_config config = {
		.win = win,
		.ops = &model_dma_ops,
		.port = m,
		.line_bytes = MODEL_PAGE_SIZE,
		.tracker_entries = tracker_entries,
	};

	if (pkmap_dma_size(&config) > sizeof(m->dma_memory) ||
	    pkmap_dma_init(m->dma_memory, &config, &m->dma))
		model_fail("no DMA layer can be made");
}

void model_device_reads(struct model *m, pkmap_pfn pfn)
{
	if (*memory_of(m, pfn) != m->stored[pfn - MODEL_FIRST_PFN])
		model_fail("I2: a device reads %u in page %lu, stored was %u",
			   *memory_of(m, pfn), pfn,
			   m->stored[pfn - MODEL_FIRST_PFN]);
}

void model_device_writes(struct model *m, pkmap_pfn pfn, bool shared)
{
	if (cached_at(m, pfn))
		model_fail("I1: page %lu is cached while a device writes to it",
			   pfn);
	if (shared && *memory_of(m, pfn) != m->stored[pfn - MODEL_FIRST_PFN])
		model_fail("I1: what a neighbour stored in page %lu is lost",
			   pfn);
	*memory_of(m, pfn) = ++m->stored[pfn - MODEL_FIRST_PFN];
}

/* Until it works: set() may fail. */
static void take_back(struct model *m, const struct pkmap_dma_buffer *buf,
		      enum pkmap_dma_dir dir)
{
	while (pkmap_dma_unmap(m->dma, model_devices, buf, 1, dir))
		m->did.dma_refused++;
}

static int give(struct model *m, const struct pkmap_dma_buffer *buf,
		enum pkmap_dma_dir dir)
{
	uint64_t start = ((uint64_t)buf->pfn << MODEL_PAGE_SHIFT) + buf->offset;
	struct pkmap_dma_segment seg;
	int n = pkmap_dma_map(m->dma, model_devices, buf, 1, dir, &seg, 1);

	if (n < 0) {
		m->did.dma_refused++;
		return n;
	}
	if (n != 1 || seg.addr != start + 0x10000000 || seg.len != buf->len)
		model_fail("the device is told another address");
	return 0;
}

int model_from_device(struct model *m, pkmap_pfn pfn, bool shared)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.offset = shared ? 16 : 0,
		.len = shared ? 32 : MODEL_PAGE_SIZE,
	};
	int ret = give(m, &buf, PKMAP_DMA_FROM_DEVICE);

	if (ret)
		return ret;
	model_device_writes(m, pfn, shared);
	take_back(m, &buf, PKMAP_DMA_FROM_DEVICE);
	return 0;
}

int model_to_device(struct model *m, pkmap_pfn pfn)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.len = MODEL_PAGE_SIZE,
	};
	int ret = give(m, &buf, PKMAP_DMA_TO_DEVICE);

	if (ret)
		return ret;
	model_device_reads(m, pfn);
	take_back(m, &buf, PKMAP_DMA_TO_DEVICE);
	return 0;
}
