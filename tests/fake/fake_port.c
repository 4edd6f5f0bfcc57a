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

static struct fake_slot *slot_of(struct fake *f, const void *addr)
{
	uintptr_t at = (uintptr_t)addr - (uintptr_t)f->config.base;

	if (is_local(f, addr)) {
		at = (uintptr_t)addr - (uintptr_t)f->config.local_base;
		at += f->config.nslots * slot_bytes(f);
	} else {
		CHECK(at < f->config.nslots * slot_bytes(f));
	}
	CHECK(at % slot_bytes(f) < page_bytes(f));
	return &f->slot[at / slot_bytes(f)];
}

static uint32_t *word_of(struct fake *f, pkmap_pfn pfn)
{
	CHECK(pfn - f->config.first_pfn < f->config.npages);
	return &f->memory[(pfn - f->config.first_pfn) % FAKE_NPAGES];
}

static void record(struct fake *f, struct fake_event e)
{
	void (*hook)(struct fake * f, const struct fake_event *e) = f->hook;

	CHECK(f->nlog < FAKE_LOG);
	f->log[f->nlog++] = e;
	f->count[e.op]++;
	if (hook && f->hook_op == e.op) {
		f->hook = NULL;
		hook(f, &e);
		f->hook = hook;
	}
}

/* Translations and lines: under the lock, or of this CPU's local slots. */
static void check_context(struct fake *f, const void *addr)
{
	const size_t per_cpu = nlocal_of_cpu(f) * slot_bytes(f);
	const uintptr_t first =
		(uintptr_t)f->config.local_base + (uintptr_t)f->cpu * per_cpu;

	if (is_local(f, addr))
		CHECK(f->entered && (uintptr_t)addr - first < per_cpu);
	else
		CHECK(f->locked && !f->any_context);
}

static void check_set(struct fake *f, const void *addr, pkmap_pfn pfn)
{
	const struct fake_slot *slot = slot_of(f, addr);
	const uintptr_t at = (uintptr_t)addr / page_bytes(f);
	const struct fake_slot *s;
	bool same_kind;

	CHECK(slot->state == FAKE_EMPTY && !slot->cached);
	CHECK((at & (ncolours(f) - 1)) == (pfn & (ncolours(f) - 1)));
	CHECK(!is_vivt(f) || !is_local(f, addr) ||
	      fake_local_place(f, addr) < f->config.local_slots);
	for (s = f->slot; s < f->slot + f->config.nslots + nlocal(f); s++) {
		if (s->state == FAKE_EMPTY || s->pfn != pfn)
			continue;
		same_kind = !is_local(f, addr) &&
			    s < f->slot + f->config.nslots;
		CHECK(!same_kind);
		CHECK(!(is_vivt(f) && s->cached));
	}
}

static int fake_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	struct fake *f = port;
	struct fake_slot *slot = slot_of(f, addr);
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

static void fake_clear(void *port, void *addr, size_t npages)
{
	struct fake *f = port;
	struct fake_slot *slot = slot_of(f, addr);
	struct fake_slot *s;

	record(f, (struct fake_event){
			  .op = FAKE_CLEAR,
			  .addr = addr,
			  .n = npages,
		  });
	check_context(f, addr);
	CHECK(npages && (npages == 1 || !f->config.guard));
	for (s = slot; s < slot + npages; s++) {
		CHECK(s->state == FAKE_SHOWN ||
		      (f->cpu_gone && is_local(f, addr)));
		CHECK(!is_vivt(f) || (s->cleaned && !s->cached));
		s->state = FAKE_STALE;
	}
}

static void fake_clear_now(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_CLEAR_NOW });
	CHECK(f->locked && !f->any_context);
}

static void fake_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu)
{
	struct fake *f = port;
	struct fake_slot *slot = slot_of(f, addr);
	unsigned int flushed = 0;
	struct fake_slot *s;

	record(f, (struct fake_event){
			  .op = FAKE_FLUSH_TLB,
			  .addr = addr,
			  .n = npages,
			  .this_cpu = this_cpu,
		  });
	check_context(f, addr);
	CHECK(this_cpu == is_local(f, addr));
	/* Pages of address space: of a guarded slot's two the first will do. */
	for (s = slot;
	     s < slot + ((npages + f->config.guard) >> f->config.guard); s++) {
		if (s->state != FAKE_STALE)
			continue;
		s->state = FAKE_EMPTY;
		flushed++;
	}
	CHECK(flushed);
}

static void clean(struct fake *f, struct fake_slot *s)
{
	if (s->cached)
		*word_of(f, s->pfn) = s->line;
	s->cached = false;
	s->cleaned = true;
}

static void fake_clean_inval(void *port, void *addr, size_t bytes)
{
	struct fake *f = port;
	struct fake_slot *slot = slot_of(f, addr);
	struct fake_slot *s;

	record(f, (struct fake_event){
			  .op = FAKE_CLEAN,
			  .addr = addr,
			  .n = bytes,
		  });
	check_context(f, addr);
	CHECK(is_vivt(f) && bytes && !(bytes % page_bytes(f)));
	CHECK(bytes == page_bytes(f) || !f->config.guard);
	for (s = slot; s < slot + bytes / page_bytes(f); s++) {
		CHECK(s->state == FAKE_SHOWN);
		clean(f, s);
	}
}

static void fake_clean_inval_all(void *port)
{
	struct fake *f = port;
	struct fake_slot *s;

	record(f, (struct fake_event){ .op = FAKE_CLEAN_ALL });
	CHECK(f->locked && is_vivt(f));
	for (s = f->slot; s < f->slot + FAKE_NSLOTS; s++)
		clean(f, s);
}

static void fake_lock(void *port)
{
	struct fake *f = port;

	CHECK(!f->any_context && !f->locked);
	record(f, (struct fake_event){ .op = FAKE_LOCK });
	f->locked = true;
}

static bool fake_trylock(void *port)
{
	struct fake *f = port;

	CHECK(!f->any_context && !f->locked);
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

/* Nobody else is there to wake us: what the hook did must be enough. */
static int fake_wait(void *port, pkmap_a32 *event, uint32_t seen,
		     const struct pkmap_wait *wait)
{
	struct fake *f = port;

	CHECK(wait && !(wait->flags & PKMAP_WAIT_NEVER));
	CHECK(!f->any_context && !f->locked);
	record(f, (struct fake_event){ .op = FAKE_WAIT, .addr = event });
	if (pkmap_a32_load_acquire(event) != seen)
		return 0;
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
	record(port, (struct fake_event){ .op = FAKE_WAKE, .addr = event });
}

static int fake_local_enter(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_ENTER });
	if (f->enter_error)
		return f->enter_error;
	f->entered++;
	return f->cpu;
}

static int fake_local_cpu(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_CPU });
	return f->entered ? f->cpu : -1;
}

static void fake_local_leave(void *port)
{
	struct fake *f = port;

	record(f, (struct fake_event){ .op = FAKE_LOCAL_LEAVE });
	CHECK(f->entered);
	f->entered--;
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

	CHECK(!pkmap_fini(f->win));
	for (s = f->slot; s < f->slot + FAKE_NSLOTS; s++)
		CHECK(s->state == FAKE_EMPTY);
	CHECK(!f->locked && !f->entered);
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

	for (s = f->slot; s < f->slot + f->config.nslots; s++)
		CHECK(!is_vivt(f) || s->pfn != pfn || !s->cached);
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

uint32_t fake_read(struct fake *f, const void *addr)
{
	struct fake_slot *slot = slot_of(f, addr);

	CHECK(slot->state == FAKE_SHOWN);
	if (!is_vivt(f))
		return *word_of(f, slot->pfn);
	if (!slot->cached)
		slot->line = *word_of(f, slot->pfn);
	slot->cached = true;
	return slot->line;
}

void fake_write(struct fake *f, const void *addr, uint32_t value)
{
	struct fake_slot *slot = slot_of(f, addr);

	CHECK(slot->state == FAKE_SHOWN);
	if (!is_vivt(f)) {
		*word_of(f, slot->pfn) = value;
		return;
	}
	slot->line = value;
	slot->cached = true;
}

void fake_cache_op(struct fake *f, const void *addr, bool clean, bool inval)
{
	struct fake_slot *slot = slot_of(f, addr);

	CHECK(slot->state == FAKE_SHOWN);
	if (clean && slot->cached)
		*word_of(f, slot->pfn) = slot->line;
	if (inval)
		slot->cached = false;
}

pkmap_pfn fake_shows(struct fake *f, uint32_t slot)
{
	const struct fake_slot *s = &f->slot[slot];

	return s->state == FAKE_SHOWN ? s->pfn : PKMAP_NO_PFN;
}

void *fake_addr(struct fake *f, uint32_t slot)
{
	return (char *)f->config.base + slot * slot_bytes(f);
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
	pkmap_pfn pfn;
	uint32_t slot;
	void *addr;

	for (pfn = 0; pfn < FAKE_NPAGES; pfn++) {
		addr = NULL;
		for (slot = 0; slot < f->config.nslots; slot++) {
			if (fake_shows(f, slot) == f->config.first_pfn + pfn)
				addr = fake_addr(f, slot);
		}
		CHECK(pkmap_pfn_to_addr(f->win, f->config.first_pfn + pfn) ==
		      addr);
	}
	for (slot = 0; slot < f->config.nslots; slot++)
		CHECK(pkmap_addr_to_pfn(f->win, fake_addr(f, slot)) ==
		      fake_shows(f, slot));
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
