// SPDX-License-Identifier: MIT
#include "fake_port.h"

#include <stdlib.h>

static bool is_vivt(const struct fake *f)
{
	return f->config.cache.kind == PKMAP_CACHE_VIVT;
}

static uint32_t ncolours(const struct fake *f)
{
	return f->config.cache.colours ? f->config.cache.colours : 1;
}

static size_t page_bytes(const struct fake *f)
{
	return (size_t)1 << f->config.page_shift;
}

/* From one slot's address to the next one's. */
static size_t slot_bytes(const struct fake *f)
{
	return page_bytes(f) << f->config.guard;
}

/* Local slots of a CPU, of all colours. */
static uint32_t nlocal_of_cpu(const struct fake *f)
{
	return (f->config.local_slots + f->config.dma_slots) * ncolours(f);
}

static uint32_t nlocal(const struct fake *f)
{
	return nlocal_of_cpu(f) * f->config.ncpus;
}

static bool is_local(const struct fake *f, const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)f->config.local_base <
	       nlocal(f) * slot_bytes(f);
}

/* The slot that an address lies in. */
static struct fake_slot *slot_of(struct fake *f, const void *addr)
{
	uintptr_t at = (uintptr_t)addr - (uintptr_t)f->config.base;

	if (is_local(f, addr)) {
		at = (uintptr_t)addr - (uintptr_t)f->config.local_base;
		at += f->config.nslots * slot_bytes(f);
	} else if (at >= f->config.nslots * slot_bytes(f)) {
		FAIL("address %p is not in the window", addr);
	}
	if (at % slot_bytes(f) >= page_bytes(f))
		FAIL("address %p is in a guard page", addr);
	return &f->slot[at / slot_bytes(f)];
}

/* The same for an operation, which works on whole pages. */
static struct fake_slot *slot_at(struct fake *f, const void *addr)
{
	if ((uintptr_t)addr % page_bytes(f))
		FAIL("address %p is not the start of a slot", addr);
	return slot_of(f, addr);
}

/* Where the arrays have a page. */
static uint32_t page_index(const struct fake *f, pkmap_pfn pfn)
{
	const pkmap_pfn nr = pfn - f->config.first_pfn;

	if (nr >= f->config.npages)
		FAIL("page %lu does not exist", pfn);
	return (uint32_t)(nr % FAKE_NPAGES);
}

static uint32_t *word_of(struct fake *f, pkmap_pfn pfn)
{
	return &f->memory[page_index(f, pfn)];
}

static void call_hook(struct fake *f, const struct fake_event *e)
{
	void (*hook)(struct fake * f, const struct fake_event *e) = f->hook;

	if (!hook || (f->hook_op != e->op && f->hook_op != FAKE_ANY))
		return;
	f->hook = NULL;
	hook(f, e);
	f->hook = hook;
}

static void record(struct fake *f, struct fake_event e)
{
	CHECK(f->nlog < FAKE_LOG);
	f->log[f->nlog++] = e;
	f->count[e.op]++;
	call_hook(f, &e);
}

/* At how many addresses a page is cached. */
static unsigned int count_cached(const struct fake *f, pkmap_pfn pfn)
{
	const struct fake_slot *s;
	unsigned int n = 0;

	for (s = f->slot; s < f->slot + FAKE_NSLOTS; s++)
		n += s->cached && s->pfn == pfn;
	return n;
}

/* Translations and lines: under the lock, or of this CPU's local slots. */
static void check_context(struct fake *f, const void *addr)
{
	const size_t per_cpu = nlocal_of_cpu(f) * slot_bytes(f);
	const uintptr_t first =
		(uintptr_t)f->config.local_base + (uintptr_t)f->cpu * per_cpu;

	if (!is_local(f, addr)) {
		if (!f->locked || f->any_context)
			FAIL("a slot of the window changes without the lock");
		return;
	}
	if (!f->entered[f->cpu])
		FAIL("a local slot changes outside of a local map");
	if ((uintptr_t)addr - first >= per_cpu)
		FAIL("a local slot of another CPU changes");
}

static void check_set(struct fake *f, const void *addr, pkmap_pfn pfn)
{
	const struct fake_slot *slot = slot_at(f, addr);
	const uintptr_t at = (uintptr_t)addr / page_bytes(f);
	const struct fake_slot *s;

	page_index(f, pfn);
	if (slot->state != FAKE_EMPTY || slot->cached)
		FAIL("I4: %p is set to page %lu, but the table, a TLB or the "
		     "cache still has page %lu",
		     addr, pfn, slot->pfn);
	if ((at & (ncolours(f) - 1)) != (pfn & (ncolours(f) - 1)))
		FAIL("I5: page %lu at %p is of another colour", pfn, addr);
	if (is_vivt(f) && is_local(f, addr) &&
	    fake_local_place(f, addr) >= f->config.local_slots)
		FAIL("I5: a slot for DMA calls is used on VIVT");
	if (is_vivt(f) && count_cached(f, pfn))
		FAIL("I5: page %lu at %p is cached at another address", pfn,
		     addr);
	if (is_local(f, addr))
		return;
	for (s = f->slot; s < f->slot + f->config.nslots; s++) {
		if (s->state != FAKE_EMPTY && s->pfn == pfn)
			FAIL("I5: page %lu is in two slots", pfn);
	}
}

static int fake_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct fake *f = port;
	struct fake_slot *slot = slot_at(f, addr);
	int err;

	record(f, (struct fake_event){
			  .op = FAKE_SET,
			  .addr = addr,
			  .n = 1,
			  .pfn = pfn,
		  });
	check_context(f, addr);
	check_set(f, addr, pfn);
	CHECK(read_only == f->config.read_only);

	err = f->set_error;
	f->set_error = 0;
	if (err)
		return err;
	*slot = (struct fake_slot){ .state = FAKE_SHOWN, .pfn = pfn };
	return 0;
}

static void clear_one(struct fake *f, const void *addr)
{
	struct fake_slot *slot = slot_at(f, addr);

	check_context(f, addr);
	if (slot->state != FAKE_SHOWN && !(f->cpu_gone && is_local(f, addr)))
		FAIL("%p is cleared but shows no page", addr);
	if (is_vivt(f) && (slot->cached || !slot->cleaned))
		FAIL("I8: %p is cleared, but page %lu %s", addr, slot->pfn,
		     slot->cached ? "has a line in the cache" :
				    "was not cleaned");
	slot->state = FAKE_STALE;
}

static void fake_clear(void *port, void *addr, size_t npages)
{
	struct fake *f = port;
	size_t i;

	record(f, (struct fake_event){
			  .op = FAKE_CLEAR,
			  .addr = addr,
			  .n = npages,
		  });
	if (!npages || (f->config.guard && npages != 1))
		FAIL("%zu pages are cleared", npages);
	for (i = 0; i < npages; i++)
		clear_one(f, (char *)addr + i * page_bytes(f));
}

static void fake_clear_now(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_CLEAR_NOW });
	CHECK(f->locked && !f->any_context);
}

/* Whether a TLB had what the slot showed. */
static bool flush_one(struct fake *f, const void *addr, bool this_cpu)
{
	struct fake_slot *slot = slot_at(f, addr);

	check_context(f, addr);
	if (this_cpu != is_local(f, addr))
		FAIL("%p is flushed from %s", addr,
		     this_cpu ? "this CPU's TLB only" : "all TLBs");
	if (slot->state != FAKE_STALE)
		return false;
	slot->state = FAKE_EMPTY;
	return true;
}

static void fake_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu)
{
	struct fake *f = port;
	unsigned int flushed = 0;
	size_t i;

	record(f, (struct fake_event){
			  .op = FAKE_FLUSH_TLB,
			  .addr = addr,
			  .n = npages,
			  .this_cpu = this_cpu,
		  });
	/* Pages of address space: of a guarded slot's two the first will do. */
	for (i = 0; i < npages; i += (size_t)1 + f->config.guard)
		flushed += flush_one(f, (char *)addr + i * page_bytes(f),
				     this_cpu);
	CHECK(flushed);
}

static void clean(struct fake *f, struct fake_slot *s)
{
	if (s->cached)
		*word_of(f, s->pfn) = s->line;
	s->cached = false;
	s->cleaned = true;
}

static void clean_one(struct fake *f, const void *addr)
{
	struct fake_slot *slot = slot_at(f, addr);

	check_context(f, addr);
	CHECK(slot->state == FAKE_SHOWN);
	clean(f, slot);
}

static void fake_clean_inval(void *port, void *addr, size_t bytes)
{
	struct fake *f = port;
	size_t i;

	record(f, (struct fake_event){
			  .op = FAKE_CLEAN,
			  .addr = addr,
			  .n = bytes,
		  });
	CHECK(is_vivt(f));
	if (!bytes || bytes % page_bytes(f) ||
	    (f->config.guard && bytes != page_bytes(f)))
		FAIL("%zu bytes are cleaned", bytes);
	for (i = 0; i < bytes; i += page_bytes(f))
		clean_one(f, (char *)addr + i);
	call_hook(f, &(struct fake_event){
			     .op = FAKE_CLEANED,
			     .addr = addr,
			     .n = bytes,
		     });
}

static void fake_clean_inval_all(void *port)
{
	struct fake *f = port;
	struct fake_slot *s;

	record(f, (struct fake_event){ .op = FAKE_CLEAN_ALL });
	CHECK(f->locked && is_vivt(f));
	for (s = f->slot; s < f->slot + FAKE_NSLOTS; s++)
		clean(f, s);
	call_hook(f, &(struct fake_event){ .op = FAKE_CLEANED });
}

static void check_lock(const struct fake *f)
{
	if (f->any_context)
		FAIL("I7: the lock is taken where the library must not sleep");
	if (f->locked)
		FAIL("I7: the lock is taken twice");
}

static void fake_lock(void *port)
{
	struct fake *f = port;

	check_lock(f);
	record(f, (struct fake_event){ .op = FAKE_LOCK });
	f->locked = true;
}

static bool fake_trylock(void *port)
{
	struct fake *f = port;

	check_lock(f);
	record(f, (struct fake_event){ .op = FAKE_TRYLOCK });
	f->locked = !f->lock_is_taken;
	return f->locked;
}

static void fake_unlock(void *port)
{
	struct fake *f = port;

	CHECK(f->locked);
	f->locked = false;
	record(f, (struct fake_event){ .op = FAKE_UNLOCK });
}

/*
 * As a futex: the event is looked at once, and then only wake() ends the sleep.
 * If the test has no sleep(), what its hook did must be enough.
 */
static int fake_wait(void *port, pkmap_a32 *event, uint32_t seen,
		     const struct pkmap_wait *wait)
{
	struct fake *f = port;
	int err;

	CHECK(wait && !(wait->flags & PKMAP_WAIT_NEVER));
	CHECK(!f->any_context);
	if (f->locked)
		FAIL("I7: a task sleeps with the lock taken");
	if (f->entered[f->cpu])
		FAIL("a task sleeps in a local map");
	record(f, (struct fake_event){ .op = FAKE_WAIT, .addr = event });
	if (pkmap_a32_load_acquire(event) != seen)
		return 0;
	if (f->sleep) {
		f->event = event;
		f->woken = false;
		err = f->sleep(f, wait);
		f->event = NULL;
		return err;
	}
	if (wait->flags & PKMAP_WAIT_INTERRUPTIBLE)
		return PKMAP_EINTR;
	if (wait->deadline != PKMAP_NO_DEADLINE)
		return PKMAP_ETIMEDOUT;
	CHECK(f->wait_early);
	f->wait_early--;
	return 0;
}

static void fake_wake(void *port, pkmap_a32 *event)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_WAKE, .addr = event });
	if (f->event == event)
		f->woken = true;
}

static int fake_local_enter(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_ENTER });
	if (f->enter_error)
		return f->enter_error;
	f->entered[f->cpu]++;
	return f->cpu;
}

static int fake_local_cpu(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_CPU });
	return f->entered[f->cpu] ? f->cpu : -1;
}

static void fake_local_leave(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_LEAVE });
	CHECK(f->entered[f->cpu]);
	f->entered[f->cpu]--;
}

static void fake_report(void *port, const struct pkmap_report *report)
{
	struct fake *f = port;

	f->report = *report;
	record(f, (struct fake_event){ .op = FAKE_REPORT });
}

static const struct pkmap_ops fake_ops = {
	.set = fake_set,
	.clear = fake_clear,
	.clear_now = fake_clear_now,
	.flush_tlb = fake_flush_tlb,
	.cache_clean_inval = fake_clean_inval,
	.cache_clean_inval_all = fake_clean_inval_all,
	.lock = fake_lock,
	.trylock = fake_trylock,
	.unlock = fake_unlock,
	.wait = fake_wait,
	.wake = fake_wake,
	.local_enter = fake_local_enter,
	.local_cpu = fake_local_cpu,
	.local_leave = fake_local_leave,
	.report = fake_report,
};

void fake_init(struct fake *f)
{
	*f = (struct fake){
		.config = {
			.ops = &fake_ops,
			.base = (void *)FAKE_BASE,
			.nslots = 4,
			.page_shift = FAKE_PAGE_SHIFT,
			.npages = FAKE_NPAGES,
			.local_base = (void *)FAKE_LOCAL_BASE,
			.local_slots = 4,
			.ncpus = 2,
		},
	};
}

void fake_open(struct fake *f)
{
	size_t size = pkmap_size(&f->config);

	CHECK(size);
	CHECK(f->config.nslots + nlocal(f) <= FAKE_NSLOTS);
	CHECK(!posix_memalign(&f->mem, PKMAP_ALIGN, size));
	f->config.port = f;
	CHECK(!pkmap_init(f->mem, &f->config, &f->win));
}

void fake_close(struct fake *f)
{
	const struct fake_slot *s;
	uint32_t cpu;

	CHECK(!pkmap_fini(f->win));
	for (s = f->slot; s < f->slot + FAKE_NSLOTS; s++) {
		if (s->state != FAKE_EMPTY)
			FAIL("page %lu is still %s", s->pfn,
			     s->state == FAKE_SHOWN ? "shown" : "in a TLB");
	}
	if (f->locked)
		FAIL("the lock was left taken");
	for (cpu = 0; cpu < FAKE_NCPUS; cpu++)
		CHECK(!f->entered[cpu]);
	free(f->mem);
}

void *fake_map(struct fake *f, pkmap_pfn pfn)
{
	void *addr = NULL;

	CHECK(!pkmap_map(f->win, pfn, NULL, &addr));
	CHECK(slot_of(f, addr)->state == FAKE_SHOWN);
	CHECK(slot_of(f, addr)->pfn == pfn);
	return addr;
}

void fake_unmap(struct fake *f, void *addr)
{
	const bool before = f->any_context;

	f->any_context = true;
	CHECK(!pkmap_unmap(f->win, addr));
	f->any_context = before;
}

/* On VIVT a page that is not mapped has no line in the cache (I8). */
static void check_miss(struct fake *f, pkmap_pfn pfn)
{
	const struct fake_slot *s;

	for (s = f->slot; s < f->slot + f->config.nslots; s++) {
		if (s->cached && s->pfn == pfn)
			FAIL("I8: page %lu is cached though it is not mapped",
			     pfn);
	}
}

void *fake_pin(struct fake *f, pkmap_pfn pfn)
{
	const bool before = f->any_context;
	void *addr;

	f->any_context = true;
	addr = pkmap_pin(f->win, pfn);
	f->any_context = before;

	if (addr) {
		CHECK(slot_of(f, addr)->state == FAKE_SHOWN);
		CHECK(slot_of(f, addr)->pfn == pfn);
	} else {
		check_miss(f, pfn);
	}
	return addr;
}

void *fake_local_map(struct fake *f, pkmap_pfn pfn)
{
	const bool before = f->any_context;
	void *addr = NULL;

	f->any_context = true;
	CHECK(!pkmap_local_map(f->win, pfn, &addr));
	f->any_context = before;
	CHECK(slot_of(f, addr)->state == FAKE_SHOWN);
	CHECK(slot_of(f, addr)->pfn == pfn);
	return addr;
}

void fake_local_unmap(struct fake *f, void *addr)
{
	const bool before = f->any_context;

	f->any_context = true;
	CHECK(!pkmap_local_unmap(f->win, addr));
	f->any_context = before;
}

void fake_touch(struct fake *f, pkmap_pfn pfn)
{
	fake_unmap(f, fake_map(f, pfn));
}

void fake_touch_range(struct fake *f, pkmap_pfn first, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		fake_touch(f, first + i);
}

/* Where the value is that the CPU works on. */
static uint32_t *value_at(struct fake *f, const void *addr)
{
	struct fake_slot *slot = slot_of(f, addr);
	uint32_t *memory;

	if (slot->state != FAKE_SHOWN)
		FAIL("I3: %p shows no page", addr);
	memory = word_of(f, slot->pfn);
	if (!is_vivt(f))
		return memory;
	if (!slot->cached)
		slot->line = *memory;
	slot->cached = true;
	if (count_cached(f, slot->pfn) > 1)
		FAIL("I5: page %lu is cached at two addresses", slot->pfn);
	return &slot->line;
}

uint32_t fake_read(struct fake *f, const void *addr)
{
	return *value_at(f, addr);
}

void fake_write(struct fake *f, const void *addr, uint32_t value)
{
	*value_at(f, addr) = value;
}

void fake_cache_op(struct fake *f, const void *addr, bool clean, bool inval)
{
	struct fake_slot *slot = slot_of(f, addr);

	call_hook(f, &(struct fake_event){ .op = FAKE_CACHE_OP });
	CHECK(slot->state == FAKE_SHOWN);
	if (clean && slot->cached)
		*word_of(f, slot->pfn) = slot->line;
	if (inval)
		slot->cached = false;
}

void fake_load(struct fake *f, const void *addr, pkmap_pfn pfn)
{
	const uint32_t stored = f->stored[page_index(f, pfn)];
	const pkmap_pfn shown = fake_page_at(f, addr);
	uint32_t seen;

	if (shown != pfn)
		FAIL("I3: %p shows page %ld, not page %lu", addr, (long)shown,
		     pfn);
	seen = fake_read(f, addr);
	if (seen != stored)
		FAIL("I2: page %lu holds %u at %p, stored was %u", pfn, seen,
		     addr, stored);
}

void fake_store(struct fake *f, const void *addr, pkmap_pfn pfn)
{
	fake_load(f, addr, pfn);
	fake_write(f, addr, ++f->stored[page_index(f, pfn)]);
}

void fake_device_reads(struct fake *f, pkmap_pfn pfn)
{
	const uint32_t stored = f->stored[page_index(f, pfn)];
	const uint32_t seen = *word_of(f, pfn);

	if (seen != stored)
		FAIL("I2: a device reads %u in page %lu, stored was %u", seen,
		     pfn, stored);
}

void fake_device_writes(struct fake *f, pkmap_pfn pfn, bool part)
{
	uint32_t *stored = &f->stored[page_index(f, pfn)];
	uint32_t *memory = word_of(f, pfn);

	if (count_cached(f, pfn))
		FAIL("I8: page %lu is cached while a device writes to it", pfn);
	if (part && *memory != *stored)
		FAIL("I1: memory has %u in page %lu, stored was %u", *memory,
		     pfn, *stored);
	*memory = ++*stored;
}

pkmap_pfn fake_shows(const struct fake *f, uint32_t slot)
{
	const struct fake_slot *s = &f->slot[slot];

	return s->state == FAKE_SHOWN ? s->pfn : PKMAP_NO_PFN;
}

void *fake_addr(const struct fake *f, uint32_t slot)
{
	return (char *)f->config.base + slot * slot_bytes(f);
}

void *fake_find(const struct fake *f, pkmap_pfn pfn)
{
	uint32_t slot;

	if (pfn == PKMAP_NO_PFN)
		return NULL;
	for (slot = 0; slot < f->config.nslots; slot++) {
		if (fake_shows(f, slot) == pfn)
			return fake_addr(f, slot);
	}
	return NULL;
}

pkmap_pfn fake_page_at(struct fake *f, const void *addr)
{
	const struct fake_slot *s = slot_of(f, addr);

	return s->state == FAKE_SHOWN ? s->pfn : PKMAP_NO_PFN;
}

uint32_t fake_local_place(const struct fake *f, const void *addr)
{
	const uintptr_t slot =
		((uintptr_t)addr - (uintptr_t)f->config.local_base) /
			slot_bytes(f) -
		(uintptr_t)f->cpu * nlocal_of_cpu(f);

	if (slot >= nlocal_of_cpu(f))
		return PKMAP_NO_SLOT;
	return (uint32_t)slot / ncolours(f);
}

void fake_check_index(struct fake *f)
{
	const pkmap_pfn first = f->config.first_pfn;
	pkmap_pfn i;
	uint32_t slot;

	for (i = 0; i < FAKE_NPAGES; i++)
		CHECK(pkmap_pfn_to_addr(f->win, first + i) ==
		      fake_find(f, first + i));
	for (slot = 0; slot < f->config.nslots; slot++)
		CHECK(pkmap_addr_to_pfn(f->win, fake_addr(f, slot)) ==
		      fake_shows(f, slot));
}

void fake_check_quiet(const struct fake *f)
{
	const struct fake_slot *s;

	if (f->locked)
		FAIL("the lock was left taken");
	for (s = f->slot; s < f->slot + f->config.nslots; s++) {
		if (s->state == FAKE_STALE)
			FAIL("I4: a TLB still has page %lu", s->pfn);
	}
}

void fake_check_memory(const struct fake *f)
{
	uint32_t i;

	for (i = 0; i < FAKE_NPAGES; i++) {
		if (f->memory[i] != f->stored[i])
			FAIL("I1: memory has %u in page %lu, stored was %u",
			     f->memory[i], f->config.first_pfn + i,
			     f->stored[i]);
	}
}

struct pkmap_stats fake_stats(struct fake *f)
{
	struct pkmap_stats stats;

	pkmap_read_stats(f->win, &stats);
	return stats;
}

void fake_clear_log(struct fake *f)
{
	unsigned int op;

	f->nlog = 0;
	for (op = 0; op < FAKE_NOPS; op++)
		f->count[op] = 0;
}
