// SPDX-License-Identifier: MIT
/*
 * hardware.c - the machine's caches, TLBs, device, interrupts and scheduler:
 * what they can do, and what they never do.
 *
 * A task that sees what a test looks for calls seen(): it can happen if the
 * checker finds it.
 */
#include "machine_test.h"

#include "machine/model/model_priv.h"

static struct shared {
	pkmap_a32 a;
	pkmap_a32 b;
	pkmap_a32 event;
	struct machine_spinlock lock;
} * s;

/* What a sleeper reports by seen(). */
enum woken {
	AT_LAST, /* nothing */
	BY_DEADLINE,
	BY_WAKER,
	TOO_EARLY,
};

/* What the tasks of a test do; constant during a run. */
static struct {
	void (*first)(void);
	void (*second)(void); /* or NULL */
	void (*handler)(void);
	int level;
	int cpu; /* of the second task and the handler */
	enum pkmap_cache_op op;
	enum pkmap_dma_dir dir;
	struct pkmap_dma_buffer buf;
	uint32_t slot;
	enum woken woken;
	bool with; /* the tasks do what the test is about */
} t;

static const struct machine_config pipt = {
	.ncpus = 1,
	.nslots = 4,
	.npages = 3,
	.page_shift = 2,
	.line_shift = 1,
	.cache.kind = PKMAP_CACHE_PIPT,
};

static struct machine_config kind(uint32_t nr)
{
	struct machine_config c = pipt;

	if (nr == 1 || nr == 2)
		c.cache.kind = PKMAP_CACHE_VIPT;
	if (nr == 2)
		c.cache.colours = 2;
	if (nr == 3)
		c.cache.kind = PKMAP_CACHE_VIVT;
	return c;
}

#define KINDS	 4
#define ALIASING 2
#define VIVT	 3

static struct machine_config two_cpus(void)
{
	struct machine_config c = pipt;

	c.ncpus = 2;
	return c;
}

/* Slot 0 shows page 0, and the interrupt is raised from the beginning. */
static void prepare(void)
{
	s = machine_alloc(sizeof(*s));
	set(0, 0);
	machine_task("first", 0, t.first);
	if (t.second)
		machine_task("second", t.cpu, t.second);
	if (t.handler)
		machine_raise(machine_interrupt("handler", t.cpu, t.level,
						t.handler));
}

static const struct entry *line_of(uint32_t slot, int page, uint32_t line)
{
	return cache_entry(0, slot, page, line);
}

static void maintain(enum pkmap_cache_op op, uint32_t slot)
{
	machine_dma_ops.cache(NULL, op, at(slot, 0), page_bytes());
}

static void store_a(uint32_t value)
{
	pkmap_a32_store_relaxed(&s->a, value);
}

static uint32_t load_a(void)
{
	return pkmap_a32_load_relaxed(&s->a);
}

/*
 * Caches.
 */

static void store_and_touch(void)
{
	machine_store(at(0, 0), 0x31);
	machine_load(at(0, 1));
	if ((m.hw.memory[0][0] == 0x31) == t.with)
		seen();
}

static void store_and_clean(void)
{
	machine_store(at(0, 0), 0x31);
	maintain(PKMAP_CACHE_CLEAN, 0);
	if (m.hw.memory[0][0] != 0x31)
		seen();
}

/* A store reaches memory by a cleaning, or by an eviction if there is one. */
static void test_write_back(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	for (k = 0; k < KINDS; k++) {
		c = kind(k);
		t.first = store_and_touch;
		t.with = true;
		expect_seen(prepare, &c);
		t.with = false;
		expect_seen(prepare, &c);
		t.first = store_and_clean;
		expect_clean(prepare, &c);
	}
}

static void allocate(void)
{
	if (line_of(0, 0, 0)->valid)
		seen();
	machine_load(at(0, 0));
	if (!line_of(0, 0, 0)->valid || line_of(0, 0, 0)->dirty)
		seen();
	machine_store(at(0, 2), 0x31);
	if (!line_of(0, 0, 1)->valid || !line_of(0, 0, 1)->dirty)
		seen();
}

static void test_allocation(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = allocate;
	for (k = 0; k < KINDS; k++) {
		c = kind(k);
		expect_clean(prepare, &c);
	}
}

static void load_twice(void)
{
	machine_load(at(0, 0));
	m.hw.memory[0][0] = 0x55;
	m.hw.written[0][0] = 0;
	if ((machine_load(at(0, 0)) == 0x55) == t.with)
		seen();
}

/* A clean line may stay, or be evicted and filled again from memory. */
static void test_eviction_of_a_clean_line(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = load_twice;
	for (k = 0; k < 2 * KINDS; k++) {
		c = kind(k / 2);
		t.with = k % 2;
		expect_seen(prepare, &c);
	}
}

static void store_and_maintain(void)
{
	machine_store(at(0, 0), 0x31);
	maintain(t.op, 0);
	if (line_of(0, 0, 0)->dirty ||
	    line_of(0, 0, 0)->valid == !!(t.op & PKMAP_CACHE_INVAL))
		seen();
}

static void evict_or_invalidate(void)
{
	machine_store(at(0, 0), 0x31);
	maintain(PKMAP_CACHE_INVAL, 0);
}

/* A dirty line that is invalidated without being cleaned is lost (I1). */
static void test_maintenance(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	for (k = 0; k < KINDS; k++) {
		c = kind(k);
		t.first = store_and_maintain;
		t.op = PKMAP_CACHE_CLEAN_INVAL;
		expect_clean(prepare, &c);
		t.first = evict_or_invalidate;
		expect(prepare, &c, 1, VERDICT_DATA_LOSS);
	}
}

static void clean_twice(void)
{
	machine_store(at(0, 0), 0x31);
	maintain(PKMAP_CACHE_CLEAN, 0);
	if (line_of(0, 0, 0)->dirty)
		seen();
	if (line_of(0, 0, 0)->valid == t.with)
		seen();
}

/* A cleaned line is still cached, unless it was evicted just before. */
static void test_cleaned_line_stays(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = clean_twice;
	for (k = 0; k < 2 * KINDS; k++) {
		c = kind(k / 2);
		t.with = k % 2;
		expect_seen(prepare, &c);
	}
}

static void clean_page(void)
{
	if (t.with)
		machine_ops.cache_clean_inval_all(NULL);
	else
		machine_ops.cache_clean_inval(NULL, at(0, 0), page_bytes());
	if (line_of(0, 0, 0)->dirty)
		seen();
}

static void dirty_line(void)
{
	machine_store(at(0, 0), 0x31);
}

/* An interrupt may dirty a line that has been cleaned already. */
static void test_line_by_line(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = clean_page;
	for (k = 0; k < KINDS; k++) {
		c = kind(k);
		t.handler = NULL;
		t.with = false;
		expect_clean(prepare, &c);
		t.handler = dirty_line;
		t.level = 1;
		expect_seen(prepare, &c);
	}
	t.with = true;
	expect_seen(prepare, &c);
}

static void clean_two_pages(void)
{
	set(1, 1);
	machine_store(at(1, 0), 0x31);
	if (t.with)
		cache_clean_inval_range(at(0, 0), 2 * page_bytes());
	else
		machine_ops.cache_clean_inval(NULL, at(0, 0), 2 * page_bytes());
	if (line_of(1, 1, 0)->dirty)
		seen();
}

/* The hardware may clean one page only; the port cleans the whole range. */
static void test_range_of_two_pages(void **state)
{
	struct machine_config c = kind(VIVT);

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = clean_two_pages;
	for (; c.range_clean <= RANGE_IN_STEPS; c.range_clean++) {
		t.with = false;
		expect_clean(prepare, &c);
		t.with = true;
		if (c.range_clean == RANGE_ONE_PAGE)
			expect_seen(prepare, &c);
		else
			expect_clean(prepare, &c);
	}
}

static void clean_range(void)
{
	cache_clean_inval_range(at(0, 0), page_bytes());
}

/* An interrupt writes to a line after its cleaning, before its invalidation. */
static void test_clean_in_steps(void **state)
{
	struct machine_config c = kind(VIVT);

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = clean_range;
	t.handler = dirty_line;
	t.level = 1;
	expect_clean(prepare, &c);
	c.range_clean = RANGE_IN_STEPS;
	expect(prepare, &c, 1, VERDICT_DATA_LOSS);
}

static void use_two_slots(void)
{
	set(t.slot, 0);
	machine_store(at(0, 0), 0x31);
	if (t.with)
		maintain(PKMAP_CACHE_CLEAN_INVAL, 0);
	machine_load(at(t.slot, 0));
}

/* I5: two addresses of one page, on VIVT, or of two colours. */
static void test_aliases(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = use_two_slots;
	for (k = 0; k < 2 * KINDS; k++) {
		c = kind(k / 2);
		t.slot = 1 + k % 2;
		t.with = false;
		if (k / 2 == VIVT || (k / 2 == ALIASING && t.slot == 1))
			expect(prepare, &c, 5, VERDICT_BROKEN);
		else
			expect_clean(prepare, &c);
		t.with = true;
		expect_clean(prepare, &c);
	}
}

static void recycle(void)
{
	machine_load(at(0, 0));
	if (t.with)
		maintain(PKMAP_CACHE_CLEAN_INVAL, 0);
	clear(0);
	flush(0);
	set(0, 1);
}

static void recycle_and_load(void)
{
	recycle();
	machine_load(at(0, 0));
}

static void recycle_and_store(void)
{
	recycle();
	machine_store(at(0, 0), 0x31);
}

static void recycle_dirty(void)
{
	machine_store(at(0, 0), 0x31);
	recycle();
	m.hw.written[1][0] = 0;
	if (machine_load(at(0, 0)) == m.hw.memory[1][0])
		seen();
}

/* A VIVT cache finds a line of the page that the slot showed before. */
static void test_recycled_slot(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	for (k = 0; k < 2 * KINDS; k++) {
		c = kind(k / 2);
		t.with = k % 2;
		t.first = recycle_and_load;
		if (k / 2 == VIVT && !t.with)
			expect(prepare, &c, 2, VERDICT_STALE_READ);
		else
			expect_clean(prepare, &c);
		t.first = recycle_and_store;
		if (k / 2 == VIVT && !t.with)
			expect(prepare, &c, 1, VERDICT_DATA_LOSS);
		else
			expect_clean(prepare, &c);
	}
	t.with = false;
	t.first = recycle_dirty;
	expect_seen(prepare, &c);
}

static void load_and_store(void)
{
	machine_load(at(0, 0));
	machine_store(at(0, 0), 0x31);
	machine_load(at(0, 1));
}

static void load_and_store_beside(void)
{
	machine_load(at(0, 0));
	machine_store(at(0, 1), 0x32);
	machine_load(at(0, 0));
}

/* Each CPU sees what the other stores, and nothing is lost. */
static void test_coherent_caches(void **state)
{
	struct machine_config c = two_cpus();

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = load_and_store;
	t.second = load_and_store_beside;
	t.cpu = 1;
	c.own_caches = true;
	expect_clean(prepare, &c);
}

/*
 * Speculation.
 */

static void load_other_line(void)
{
	machine_load(at(0, 0));
	load_a();
	if (line_of(0, t.slot ? 1 : 0, 1)->valid)
		seen();
}

static void unmap_and_look(void)
{
	bool was_valid;

	clear(0);
	if (!t.with)
		flush(0);
	was_valid = line_of(0, 0, 1)->valid;
	load_a();
	if (line_of(0, 0, 1)->valid && !was_valid)
		seen();
}

static void unmap_and_flush(void)
{
	clear(0);
	flush(0);
	if (line_of(0, 0, 1)->valid)
		seen();
}

/* A line is filled speculatively only if its address can be translated. */
static void test_speculative_fills(void **state)
{
	struct machine_config c = pipt;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = load_other_line;
	c.unreduced = true;
	expect_clean(prepare, &c);
	c.cache.speculative = true;
	expect_seen(prepare, &c);
	t.slot = 1;
	expect_clean(prepare, &c);

	t.first = unmap_and_look;
	expect_clean(prepare, &c);
	t.with = true; /* the translation stays in the TLB */
	expect_seen(prepare, &c);

	t.first = unmap_and_flush;
	c.unreduced = false;
	expect_seen(prepare, &c);
}

static void wait_for_device(void)
{
	m.hw.written[0][0] = m.hw.written[0][1] = 0;
	maintain(PKMAP_CACHE_INVAL, 0);
	machine_device_start(&t.buf, t.dir, 0x55, 1);
	while (!load_a())
		;
	if (t.with)
		maintain(PKMAP_CACHE_INVAL, 0);
	machine_load(at(0, 0));
}

static void device_done(void)
{
	store_a(1);
}

static void prepare_device(void)
{
	s = machine_alloc(sizeof(*s));
	set(0, 0);
	machine_task("driver", 0, t.first);
	machine_interrupt("device done", 0, 1, t.handler);
}

/* Invalidating before a transfer is enough unless the cache speculates. */
static void test_speculation_during_a_transfer(void **state)
{
	struct machine_config c = pipt;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = wait_for_device;
	t.handler = device_done;
	t.dir = PKMAP_DMA_FROM_DEVICE;
	t.buf.len = 2;
	expect_clean(prepare_device, &c);
	c.cache.speculative = true;
	expect(prepare_device, &c, 2, VERDICT_STALE_READ);
	t.with = true;
	expect_clean(prepare_device, &c);
}

/*
 * Translations.
 */

static void use_after_clear(void)
{
	machine_load(at(0, 0));
	clear(0);
	if (t.with)
		flush(0);
	machine_load(at(0, 0));
}

static void set_after_clear(void)
{
	machine_load(at(0, 0));
	clear(0);
	if (t.with)
		flush(0);
	set(0, 1);
}

static void test_stale_translation(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = use_after_clear;
	expect(prepare, &pipt, 4, VERDICT_BROKEN);
	t.with = true;
	expect(prepare, &pipt, 4, VERDICT_BROKEN);
	t.first = set_after_clear;
	expect_clean(prepare, &pipt);
	t.with = false;
	expect(prepare, &pipt, 4, VERDICT_BROKEN);
}

static void user(void)
{
	machine_load(at(0, 0));
	store_a(1);
	while (load_a() == 1)
		;
	machine_load(at(0, 0));
}

static void remapper(void)
{
	while (!load_a())
		;
	clear(0);
	machine_ops.flush_tlb(NULL, at(0, 0), 1, t.with);
	set(0, 1);
	store_a(2);
}

/* A flush reaches all TLBs, in either way, unless it is a local one. */
static void test_flushes(void **state)
{
	struct machine_config c = two_cpus();
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = user;
	t.second = remapper;
	t.cpu = 1;
	for (k = 0; k < 4; k++) {
		c.ipi = k & 1;
		t.with = k & 2;
		if (t.with)
			expect(prepare, &c, 4, VERDICT_BROKEN);
		else
			expect_clean(prepare, &c);
	}
}

static void masked_stores(void)
{
	const bool were_on = machine_irq_save();

	store_a(1);
	store_a(2);
	machine_irq_restore(were_on);
}

static void flush_between(void)
{
	if (load_a() != 1)
		return;
	flush(0);
	if (load_a() == 1)
		seen();
}

/* A flush by interrupt waits until the other CPUs have interrupts on. */
static void test_flush_waits(void **state)
{
	struct machine_config c = two_cpus();

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = masked_stores;
	t.second = flush_between;
	t.cpu = 1;
	expect_seen(prepare, &c);
	c.ipi = true;
	expect_clean(prepare, &c);
}

static void lock_masked(void)
{
	bool were_on = true;

	if (t.with)
		were_on = machine_irq_save();
	machine_spin_lock(&s->lock);
	machine_spin_unlock(&s->lock);
	if (t.with)
		machine_irq_restore(were_on);
}

static void flush_locked(void)
{
	machine_spin_lock(&s->lock);
	flush(0);
	machine_spin_unlock(&s->lock);
}

/* I7: one CPU waits for a lock of another, which waits for its answer. */
static void test_flush_deadlock(void **state)
{
	struct machine_config c = two_cpus();

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = lock_masked;
	t.second = flush_locked;
	t.cpu = 1;
	c.ipi = true;
	expect_clean(prepare, &c);
	t.with = true;
	expect(prepare, &c, 7, VERDICT_DEADLOCK);
	c.ipi = false;
	expect_clean(prepare, &c);
}

/*
 * The device.
 */

static void give_to_device(void)
{
	machine_store(at(0, 0), 0x31);
	if (t.with)
		maintain(PKMAP_CACHE_CLEAN, 0);
	machine_device_start(&t.buf, t.dir, 0x55, 1);
}

static void no_handler(void)
{
}

/* I2: the device reads stale memory.  I1: a dirty line overwrites its data. */
static void test_device_is_behind_the_cache(void **state)
{
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = give_to_device;
	t.handler = no_handler;
	t.buf.len = 2;
	for (k = 0; k < 4; k++) {
		t.dir = k & 1 ? PKMAP_DMA_TO_DEVICE : PKMAP_DMA_FROM_DEVICE;
		t.with = k & 2;
		if (t.with)
			expect_clean(prepare_device, &pipt);
		else if (t.dir == PKMAP_DMA_TO_DEVICE)
			expect(prepare_device, &pipt, 2, VERDICT_STALE_READ);
		else
			expect(prepare_device, &pipt, 1, VERDICT_DATA_LOSS);
	}
}

static void watch_device(void)
{
	machine_device_start(&t.buf, t.dir, 0x55, 1);
	load_a();
	if (m.hw.memory[0][3] == 0x55 && m.hw.memory[1][0] != 0x55 &&
	    m.hw.device.active)
		seen();
}

static void look_at_buffer(void)
{
	const bool all = m.hw.memory[0][2] == 0x55 &&
			 m.hw.memory[0][3] == 0x55 && m.hw.memory[1][0] == 0x55;
	const bool others = m.hw.memory[0][1] == 0x10 &&
			    m.hw.memory[1][1] == 0x20;

	if (!all || !others || t.with)
		seen();
}

static void start_device(void)
{
	machine_device_start(&t.buf, t.dir, 0x55, 1);
}

/* It transfers line by line, goes on in the next page, and then interrupts. */
static void test_device_goes_line_by_line(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.dir = PKMAP_DMA_BIDIRECTIONAL;
	t.buf.offset = 2;
	t.buf.len = 3;
	t.first = watch_device;
	t.handler = no_handler;
	expect_seen(prepare_device, &pipt);
	t.first = start_device;
	t.handler = look_at_buffer;
	expect_clean(prepare_device, &pipt);
	t.with = true; /* the handler reports that it ran */
	expect_seen(prepare_device, &pipt);
}

/*
 * Interrupts and preemption.
 */

static void stores(void)
{
	store_a(1);
	store_a(2);
}

static void sees_between(void)
{
	if (load_a() == 1)
		seen();
}

static void expect_between(bool reachable)
{
	struct machine_config c = two_cpus();

	if (reachable)
		expect_seen(prepare, &c);
	else
		expect_clean(prepare, &c);
}

/* An interrupt comes at any moment; masked, only an NMI or another CPU's. */
static void test_masked_interrupts(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = stores;
	t.handler = sees_between;
	t.level = 1;
	expect_between(true);
	t.first = masked_stores;
	expect_between(false);
	t.level = MACHINE_NMI;
	expect_between(true);
	t.level = 1;
	t.cpu = 1;
	expect_between(true);
}

/* A handler ends before its task continues; another CPU runs meanwhile. */
static void test_handler_has_its_cpu(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = sees_between;
	t.handler = stores;
	t.level = 1;
	expect_between(false);
	t.cpu = 1;
	expect_between(true);
}

static void nothing(void)
{
}

static void prepare_two_handlers(void)
{
	prepare();
	machine_raise(machine_interrupt("other", 0, 2, sees_between));
}

/* Only an interrupt of a higher level can interrupt a handler. */
static void test_nested_interrupts(void **state)
{
	struct machine_config c = two_cpus();

	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = nothing;
	t.handler = stores;
	t.level = 1;
	expect_seen(prepare_two_handlers, &c);
	t.level = 2;
	expect_clean(prepare_two_handlers, &c);
}

static void stores_locally(void)
{
	machine_ops.local_enter(NULL);
	stores();
	machine_ops.local_leave(NULL);
}

static void stores_spinlocked(void)
{
	machine_spin_lock(&s->lock);
	stores();
	machine_spin_unlock(&s->lock);
}

/* With preemption off, only other tasks of the same CPU are kept out. */
static void test_preemption(void **state)
{
	static void (*const off[])(void) = { masked_stores, stores_locally,
					     stores_spinlocked };
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.second = sees_between;
	t.first = stores;
	expect_between(true);
	for (k = 0; k < 3; k++) {
		t.first = off[k];
		t.cpu = 0;
		expect_between(false);
		t.cpu = 1;
		expect_between(true);
	}
	t.second = NULL;
	t.handler = sees_between;
	t.level = 1;
	t.cpu = 0;
	expect_between(true);
	t.first = stores_locally;
	expect_between(true);
}

/*
 * Sleep.
 */

static void sleeper(void)
{
	const struct pkmap_wait wait = {
		.deadline = t.with ? 1 : PKMAP_NO_DEADLINE,
	};
	const int err = machine_ops.wait(NULL, &s->event, 0, &wait);

	if (err == PKMAP_ETIMEDOUT && t.woken == BY_DEADLINE)
		seen();
	if (!err && t.woken == BY_WAKER)
		seen();
	if (!err && t.woken == TOO_EARLY && !s->event.v)
		seen();
}

static void waker(void)
{
	pkmap_a32_add_release(&s->event, 1);
	machine_ops.wake(NULL, &s->event);
}

static void hasty_waker(void)
{
	machine_ops.wake(NULL, &s->event);
	pkmap_a32_add_release(&s->event, 1);
}

static void waker_of_another(void)
{
	machine_ops.wake(NULL, &s->b);
	waker();
}

static void prepare_sleepers(void)
{
	prepare();
	machine_task("another", 0, sleeper);
}

/* All sleepers are woken; I9: one sleeps, and nobody is left to wake it. */
static void test_sleep(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = sleeper;
	t.second = waker;
	t.woken = TOO_EARLY;
	expect_clean(prepare_sleepers, &pipt);
	t.second = waker_of_another;
	expect_clean(prepare_sleepers, &pipt);
	t.woken = AT_LAST;
	t.second = hasty_waker;
	expect(prepare, &pipt, 9, VERDICT_DEADLOCK);
	t.second = NULL;
	expect(prepare, &pipt, 9, VERDICT_DEADLOCK);
}

static void test_deadline(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = sleeper;
	t.second = waker;
	t.with = true;
	t.woken = BY_DEADLINE;
	expect_seen(prepare, &pipt);
	t.woken = BY_WAKER;
	expect_seen(prepare, &pipt);
	t.woken = AT_LAST;
	t.second = NULL;
	expect_clean(prepare, &pipt);
}

static void sleep_masked(void)
{
	machine_irq_save();
	sleeper();
}

static void sleep_unpreemptible(void)
{
	machine_ops.local_enter(NULL);
	machine_ops.lock(NULL);
}

static void lock_twice(void)
{
	machine_ops.lock(NULL);
	machine_ops.lock(NULL);
}

static void test_sleep_where_it_must_not(void **state)
{
	static void (*const tasks[])(
		void) = { sleep_masked, sleep_unpreemptible, lock_twice };
	uint32_t k;

	(void)state;
	memset(&t, 0, sizeof(t));
	for (k = 0; k < 3; k++) {
		t.first = tasks[k];
		expect(prepare, &pipt, 7, VERDICT_DEADLOCK);
	}
	t.first = nothing;
	t.handler = sleeper;
	t.level = 1;
	expect(prepare, &pipt, 7, VERDICT_DEADLOCK);
}

static void lock_stores(void)
{
	machine_ops.lock(NULL);
	stores();
	machine_ops.unlock(NULL);
}

static void lock_and_look(void)
{
	machine_ops.lock(NULL);
	sees_between();
	machine_ops.unlock(NULL);
}

static void trylock_and_look(void)
{
	if (!machine_ops.trylock(NULL))
		return;
	sees_between();
	machine_ops.unlock(NULL);
}

/* A task that waits for the lock lets its holder run. */
static void test_mutex(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.first = lock_stores;
	t.second = sees_between;
	expect_between(true);
	t.second = lock_and_look;
	expect_between(false);
	t.second = trylock_and_look;
	expect_between(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_back),
		cmocka_unit_test(test_allocation),
		cmocka_unit_test(test_eviction_of_a_clean_line),
		cmocka_unit_test(test_maintenance),
		cmocka_unit_test(test_cleaned_line_stays),
		cmocka_unit_test(test_line_by_line),
		cmocka_unit_test(test_range_of_two_pages),
		cmocka_unit_test(test_clean_in_steps),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_recycled_slot),
		cmocka_unit_test(test_coherent_caches),
		cmocka_unit_test(test_speculative_fills),
		cmocka_unit_test(test_speculation_during_a_transfer),
		cmocka_unit_test(test_stale_translation),
		cmocka_unit_test(test_flushes),
		cmocka_unit_test(test_flush_waits),
		cmocka_unit_test(test_flush_deadlock),
		cmocka_unit_test(test_device_is_behind_the_cache),
		cmocka_unit_test(test_device_goes_line_by_line),
		cmocka_unit_test(test_masked_interrupts),
		cmocka_unit_test(test_handler_has_its_cpu),
		cmocka_unit_test(test_nested_interrupts),
		cmocka_unit_test(test_preemption),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_sleep_where_it_must_not),
		cmocka_unit_test(test_mutex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
