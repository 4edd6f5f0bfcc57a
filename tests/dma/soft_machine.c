// SPDX-License-Identifier: MIT
#include "soft_machine.h"

#include "src/window_priv.h"
#include <pkmap/posix.h>

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOCAL_SLOTS 3u
#define DMA_SLOTS   2u
#define LOCAL_PAGES \
	((LOCAL_SLOTS + DMA_SLOTS) * PKMAP_POSIX_NCPUS * SOFT_COLOURS)
#define RANGE_PAGES (SOFT_SLOTS + LOCAL_PAGES)
/* One way of a cache that does not alias. */
#define PLAIN_SETS  (SOFT_PAGE / SOFT_LINE)

static const struct pkmap_dma_device device = {
	.addr_mask = UINT32_MAX,
	.bus_base = SOFT_BUS_BASE,
	.max_segment = 5 * SOFT_PAGE / 4,
	.boundary = 4 * SOFT_PAGE,
};

static struct {
	struct soft_kind kind;
	const struct soft_hooks *hooks;
	struct pkmap_posix *posix; /* has the frames and the slots */
	const struct pkmap_ops *posix_ops;
	struct pkmap_ops ops;
	struct pkmap_dma_ops dma_ops;
	struct pkmap_window *win;
	struct pkmap_dma *dma;
	void *win_mem;
	void *dma_mem;
	uint8_t *memory;
	char *base;		      /* the slots, then the local slots */
	pkmap_pfn shown[RANGE_PAGES]; /* by slot; PKMAP_NO_PFN: no page */
	size_t last_local;	      /* the local slot that was set last */
	struct soft_cache inner;
	struct soft_cache outer;
	uint64_t random;
	volatile sig_atomic_t busy;
} m;

void soft_fail(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "Bail out! %s\n", text);
	_exit(1);
}

static bool kind_exists(const struct soft_kind *k)
{
	return k->cache != PKMAP_CACHE_VIVT || (!k->speculative && !k->by_phys);
}

bool soft_kind_nr(uint32_t nr, struct soft_kind *kind)
{
	uint32_t bits;

	for (bits = 0; bits < 3 << 4; bits++) {
		*kind = (struct soft_kind){
			.cache = (enum pkmap_cache_kind)(bits >> 4),
			.speculative = bits & 1,
			.outer = bits & 2,
			.write_allocate = bits & 4,
			.by_phys = bits & 8,
		};
		if (kind_exists(kind) && !nr--)
			return true;
	}
	return false;
}

const char *soft_kind_name(const struct soft_kind *kind)
{
	static const char *const caches[] = {
		[PKMAP_CACHE_PIPT] = "PIPT",
		[PKMAP_CACHE_VIPT] = "aliasing VIPT",
		[PKMAP_CACHE_VIVT] = "VIVT",
	};
	static char name[96];

	snprintf(name, sizeof(name), "%s%s%s%s%s", caches[kind->cache],
		 kind->speculative ? ", speculative" : "",
		 kind->outer ? ", outer cache" : "",
		 kind->write_allocate ? "" : ", no write-allocate",
		 kind->by_phys ? ", operations by physical address" : "");
	return name;
}

/* Around an access or an operation on a line, which must not be interrupted. */
static void enter(void)
{
	m.busy++;
	atomic_signal_fence(memory_order_seq_cst);
}

static void leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	m.busy--;
}

static bool is_low(const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)m.memory < SOFT_LOW_BYTES;
}

static size_t slot_of(const void *addr)
{
	const size_t slot = ((uintptr_t)addr - (uintptr_t)m.base) / SOFT_PAGE;

	if (slot >= RANGE_PAGES)
		soft_fail("%p is not in the window", addr);
	return slot;
}

/* The real MMU must agree. */
static void check_shown(const char *addr, struct soft_place at)
{
	/* An interrupt between the two reads could change memory. */
	m.busy++;
	if (*(const volatile char *)addr != (char)m.memory[at.phys])
		soft_fail("%p does not show page %zu", (const void *)addr,
			  at.phys / SOFT_PAGE);
	m.busy--;
}

static struct soft_place translate(const void *addr)
{
	struct soft_place at = { .virt = (uintptr_t)addr };
	pkmap_pfn pfn;

	if (is_low(addr)) {
		at.phys = at.virt - (uintptr_t)m.memory;
		return at;
	}
	pfn = m.shown[slot_of(addr)];
	if (pfn == PKMAP_NO_PFN)
		soft_fail("no page is mapped at %p", addr);
	at.phys = pfn * SOFT_PAGE + at.virt % SOFT_PAGE;
	check_shown(addr, at);
	return at;
}

static size_t rest_of_line(size_t at, size_t bytes)
{
	const size_t rest = SOFT_LINE - at % SOFT_LINE;

	return bytes < rest ? bytes : rest;
}

void soft_read(const void *addr, void *data, size_t bytes)
{
	size_t done;
	size_t n;

	for (done = 0; done < bytes; done += n) {
		const char *at = (const char *)addr + done;

		n = rest_of_line((uintptr_t)at, bytes - done);
		enter();
		soft_cache_read(&m.inner, translate(at), (char *)data + done,
				n);
		leave();
	}
}

void soft_write(void *addr, const void *data, size_t bytes)
{
	size_t done;
	size_t n;

	for (done = 0; done < bytes; done += n) {
		char *at = (char *)addr + done;

		n = rest_of_line((uintptr_t)at, bytes - done);
		enter();
		soft_cache_write(&m.inner, translate(at),
				 (const char *)data + done, n);
		leave();
	}
}

static uint8_t *device_sees(uint64_t bus, size_t bytes)
{
	if (bus < SOFT_BUS_BASE || bus - SOFT_BUS_BASE > SOFT_BYTES - bytes)
		soft_fail("the device accesses %#llx, which is not memory",
			  (unsigned long long)bus);
	return m.memory + (size_t)(bus - SOFT_BUS_BASE);
}

void soft_device_read(uint64_t bus, void *data, size_t bytes)
{
	memcpy(data, device_sees(bus, bytes), bytes);
}

void soft_device_write(uint64_t bus, const void *data, size_t bytes)
{
	memcpy(device_sees(bus, bytes), data, bytes);
}

/* An address where a page is mapped now, or NULL. */
static const char *some_address(void)
{
	const uint32_t r = random_next(&m.random);
	const size_t offset = r / 64 % SOFT_PAGE;
	size_t slot = r / 4 % SOFT_SLOTS;

	if (r % 4 == 0)
		return (char *)m.memory + r / 64 % SOFT_LOW_BYTES;
	if (r % 4 == 1)
		slot = m.last_local;
	if (m.shown[slot] == PKMAP_NO_PFN)
		return NULL;
	return m.base + slot * SOFT_PAGE + offset;
}

/* Fills some lines in a row, up to the end of the page, like a prefetcher. */
static void speculate(void)
{
	uint32_t n = random_next(&m.random) % 32;
	const char *addr = some_address();

	while (addr && n--) {
		soft_cache_fill(&m.inner, translate(addr));
		addr += SOFT_LINE;
		if ((uintptr_t)addr % SOFT_PAGE < SOFT_LINE)
			break;
	}
}

void soft_stir(void)
{
	int k;

	enter();
	soft_cache_evict(&m.inner, random_next(&m.random) % (m.inner.sets * 2));
	if (m.kind.outer)
		soft_cache_evict(&m.outer,
				 random_next(&m.random) % (m.outer.sets * 2));
	for (k = 0; m.kind.speculative && k < 4; k++)
		speculate();
	leave();
}

void soft_clean_all(void)
{
	enter();
	soft_cache_clean_all(&m.inner);
	soft_cache_clean_all(&m.outer);
	leave();
}

bool soft_is_busy(void)
{
	return m.busy;
}

static void around(void)
{
	if (m.hooks->around)
		m.hooks->around();
}

static void work_on_line(enum soft_level level, enum pkmap_cache_op op,
			 struct soft_place at)
{
	if (m.hooks->choose)
		op = m.hooks->choose(level, op, at.phys);
	if (!op)
		return;
	enter();
	if (level == SOFT_OUTER)
		soft_cache_op(&m.outer, op, at);
	else if (m.kind.by_phys)
		soft_cache_op_phys(&m.inner, op, at.phys);
	else
		soft_cache_op(&m.inner, op, at);
	leave();
}

static void work_on_level(enum soft_level level, enum pkmap_cache_op op,
			  struct soft_place at, size_t bytes)
{
	around();
	for (; bytes; bytes -= SOFT_LINE) {
		work_on_line(level, op, at);
		at.virt += SOFT_LINE;
		at.phys += SOFT_LINE;
	}
	around();
}

/* Does the outer level too, if the order is not that of the library. */
static void work_on_inner(enum pkmap_cache_op op, struct soft_place at,
			  size_t bytes)
{
	const enum soft_order order = m.hooks->order ? m.hooks->order() :
						       SOFT_AS_CALLED;

	if (at.phys % SOFT_LINE || bytes % SOFT_LINE)
		soft_fail("%zu bytes at %#zx are not whole lines", bytes,
			  at.phys);
	if (order == SOFT_OUTER_FIRST)
		work_on_level(SOFT_OUTER, op, at, bytes);
	work_on_level(SOFT_INNER, op, at, bytes);
	if (order == SOFT_INNER_FIRST)
		work_on_level(SOFT_OUTER, op, at, bytes);
}

static void cache(void *port, enum pkmap_cache_op op, void *addr, size_t bytes)
{
	(void)port;
	around();
	work_on_inner(op, translate(addr), bytes);
}

static struct soft_place place_of(uint64_t phys)
{
	return (struct soft_place){ (uintptr_t)phys, (size_t)phys };
}

static void cache_phys(void *port, enum pkmap_cache_op op, uint64_t phys,
		       uint64_t bytes)
{
	(void)port;
	work_on_inner(op, place_of(phys), (size_t)bytes);
}

static void outer(void *port, enum pkmap_cache_op op, uint64_t phys,
		  uint64_t bytes)
{
	(void)port;
	if (!m.hooks->order || m.hooks->order() == SOFT_AS_CALLED)
		work_on_level(SOFT_OUTER, op, place_of(phys), (size_t)bytes);
}

static void tearing_down(size_t slot)
{
	if (slot < SOFT_SLOTS && m.hooks->tearing_down)
		m.hooks->tearing_down();
}

static int set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	const size_t slot = slot_of(addr);
	const int err = m.posix_ops->set(port, addr, pfn, read_only);

	if (err)
		return err;
	m.shown[slot] = pfn;
	if (slot >= SOFT_SLOTS)
		m.last_local = slot;
	return 0;
}

static void clear(void *port, void *addr, size_t npages)
{
	const size_t slot = slot_of(addr);
	size_t k;

	tearing_down(slot);
	for (k = 0; k < npages; k++)
		m.shown[slot + k] = PKMAP_NO_PFN;
	m.posix_ops->clear(port, addr, npages);
}

/* VIVT: recycles slots of the window, or closes a local one. */
static void cache_clean_inval(void *port, void *addr, size_t bytes)
{
	char *at;

	(void)port;
	tearing_down(slot_of(addr));
	for (at = addr; at < (char *)addr + bytes; at += SOFT_LINE) {
		enter();
		soft_cache_op(&m.inner, PKMAP_CACHE_CLEAN_INVAL, translate(at));
		leave();
	}
}

static void report(void *port, const struct pkmap_report *r)
{
	(void)port;
	soft_fail("%s reports misuse %d of page %lu", r->call, (int)r->what,
		  r->pfn);
}

static void *allocate(size_t bytes)
{
	void *mem;

	if (!bytes || posix_memalign(&mem, PKMAP_ALIGN, bytes))
		soft_fail("out of memory, or an invalid configuration");
	return mem;
}

static void open_frames(void)
{
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = SOFT_PAGES,
		.page_size = SOFT_PAGE,
		.nslots = RANGE_PAGES + SOFT_COLOURS,
		.ncpus = PKMAP_POSIX_NCPUS,
		.strict = true,
	};
	const uintptr_t align = SOFT_COLOURS * SOFT_PAGE;
	struct pkmap_window *win;
	size_t slot;

	soft_must(pkmap_posix_open(&config, &m.posix));
	win = pkmap_posix_window(m.posix);
	m.posix_ops = win->ops;
	m.base = (char *)((win->base + align - 1) & ~(align - 1));
	m.memory = mmap(NULL, SOFT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			pkmap_posix_fd(m.posix), 0);
	if (m.memory == MAP_FAILED)
		soft_fail("out of memory");
	for (slot = 0; slot < RANGE_PAGES; slot++)
		m.shown[slot] = PKMAP_NO_PFN;
}

static void open_window(void)
{
	const struct pkmap_config config = {
		.ops = &m.ops,
		.port = m.posix,
		.base = m.base,
		.nslots = SOFT_SLOTS,
		.page_shift = (uint32_t)__builtin_ctz(SOFT_PAGE),
		.first_pfn = SOFT_LOW_PAGES,
		.npages = SOFT_PAGES - SOFT_LOW_PAGES,
		.cache = {
			.kind = m.kind.cache,
			.colours = m.kind.cache == PKMAP_CACHE_VIPT ?
					   SOFT_COLOURS : 1,
			.speculative = m.kind.speculative,
		},
		.local_base = m.base + SOFT_SLOTS * SOFT_PAGE,
		.local_slots = LOCAL_SLOTS,
		.dma_slots = m.kind.cache == PKMAP_CACHE_VIVT ? 0 : DMA_SLOTS,
		.ncpus = PKMAP_POSIX_NCPUS,
	};

	m.ops = *m.posix_ops;
	m.ops.set = set;
	m.ops.clear = clear;
	m.ops.cache_clean_inval = cache_clean_inval;
	m.ops.report = report;
	m.win_mem = allocate(pkmap_size(&config));
	soft_must(pkmap_init(m.win_mem, &config, &m.win));
}

static void open_dma(void)
{
	const struct pkmap_dma_config config = {
		.win = m.win,
		.ops = &m.dma_ops,
		.line_bytes = SOFT_LINE,
		.low_base = m.memory,
		.low_bytes = SOFT_LOW_BYTES,
	};

	m.dma_ops = (struct pkmap_dma_ops){
		.cache = m.kind.by_phys ? NULL : cache,
		.cache_phys = m.kind.by_phys ? cache_phys : NULL,
		.outer = m.kind.outer ? outer : NULL,
	};
	m.dma_mem = allocate(pkmap_dma_size(&config));
	soft_must(pkmap_dma_init(m.dma_mem, &config, &m.dma));
}

static void open_cache(struct soft_cache *c, enum pkmap_cache_kind kind,
		       struct soft_cache *next)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->sets = kind == PKMAP_CACHE_VIPT ? SOFT_MAX_SETS : PLAIN_SETS;
	c->write_allocate = m.kind.write_allocate;
	c->outer = next;
	c->memory = m.memory;
	c->random = &m.random;
}

void soft_open(const struct soft_kind *kind, const struct soft_hooks *hooks,
	       uint64_t seed)
{
	m.kind = *kind;
	m.hooks = hooks;
	m.random = seed * 0x9e3779b97f4a7c15u + 1;
	open_frames();
	open_cache(&m.outer, PKMAP_CACHE_PIPT, NULL);
	open_cache(&m.inner, kind->cache, kind->outer ? &m.outer : NULL);
	open_window();
	open_dma();
}

void soft_close(void)
{
	soft_must(pkmap_fini(m.win));
	free(m.win_mem);
	free(m.dma_mem);
	munmap(m.memory, SOFT_BYTES);
	soft_must(pkmap_posix_close(m.posix));
}

struct pkmap_window *soft_window(void)
{
	return m.win;
}

struct pkmap_dma *soft_dma(void)
{
	return m.dma;
}

const struct pkmap_dma_device *soft_device(void)
{
	return &device;
}

void *soft_low(size_t phys)
{
	return m.memory + phys;
}

const uint8_t *soft_memory(void)
{
	return m.memory;
}
