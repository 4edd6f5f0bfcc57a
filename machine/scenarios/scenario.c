// SPDX-License-Identifier: MIT
/*
 * scenario.c - calls the scheme, and records what the checker needs: who holds
 * which slot (I3), and who is in a pin (I8).
 */
#include "scenario.h"

#include "machine/model/model.h"

static const struct scheme *scheme;
static void *mem;

void scenario_prepare(const struct scenario *scenario, const struct scheme *s)
{
	const struct machine_config *c = &m.config;
	const uint32_t local = c->nslots;
	const struct pkmap_config config = {
		.ops = &machine_ops,
		.base = (void *)WINDOW_BASE,
		.nslots = c->nslots,
		.page_shift = c->page_shift,
		.npages = c->npages,
		.cache = port_cache(c),
		.batch = c->batch,
		.local_base = (void *)(WINDOW_BASE +
				       ((uintptr_t)local << c->page_shift)),
		.local_slots = c->local_slots,
		.dma_slots = c->dma_slots,
		.ncpus = c->ncpus,
	};

	scheme = s;
	mem = machine_alloc(scheme->size(&config));
	scheme->init(mem, &config);
	scenario->prepare();
}

const char *scenario_check_end(void)
{
	const char *wrong;

	m.preparing = true;
	wrong = scheme->check_end(mem);
	m.preparing = false;
	return wrong;
}

int cpu_or_last(int cpu)
{
	return cpu < (int)m.config.ncpus ? cpu : (int)m.config.ncpus - 1;
}

static void hold(const void *addr, pkmap_pfn pfn)
{
	const uint32_t slot = slot_of(addr);

	if (m.hw.pte[slot] != pfn + 1)
		broken(3, VERDICT_BROKEN, "page %lu is not at slot %u", pfn,
		       slot);
	m.hw.held[slot]++;
	m.hw.page_held[pfn]++;
	sync_hold((int)pfn);
}

static void let_go(const void *addr)
{
	const uint32_t slot = slot_of(addr);

	m.hw.held[slot]--;
	if (m.hw.pte[slot])
		m.hw.page_held[m.hw.pte[slot] - 1]--;
}

static int map_one(pkmap_pfn pfn, const struct pkmap_wait *wait, void **addr)
{
	int err;

	log_event(m.current, EVENT_BEGIN, "maps page %lu", pfn);
	err = scheme->map(mem, &pfn, 1, wait, addr);
	if (err) {
		log_event(m.current, EVENT_END, "gets error %d", err);
		return err;
	}
	log_event(m.current, EVENT_END, "has it at slot %u", slot_of(*addr));
	hold(*addr, pfn);
	return 0;
}

char *map(pkmap_pfn pfn)
{
	void *addr = NULL;

	if (map_one(pfn, NULL, &addr))
		broken(10, VERDICT_BROKEN, "a map of page %lu fails", pfn);
	return addr;
}

char *map_in_time(pkmap_pfn pfn)
{
	const struct pkmap_wait wait = { .deadline = 1 };
	void *addr = NULL;
	const int err = map_one(pfn, &wait, &addr);

	if (err && (err != PKMAP_ETIMEDOUT || !context()->timed_out))
		broken(10, VERDICT_BROKEN,
		       "a map of page %lu fails before its deadline", pfn);
	return addr;
}

int map_two(pkmap_pfn first, pkmap_pfn second, void *addrs[2])
{
	const pkmap_pfn pfns[2] = { first, second };
	int err;

	log_event(m.current, EVENT_BEGIN, "maps pages %lu and %lu", first,
		  second);
	err = scheme->map(mem, pfns, 2, NULL, addrs);
	log_event(m.current, EVENT_END, err ? "fails" : "has both");
	if (err) {
		broken(10, VERDICT_BROKEN, "a map of two pages fails");
		return err;
	}
	hold(addrs[0], first);
	hold(addrs[1], second);
	return 0;
}

void use_page(pkmap_pfn pfn, uint8_t value)
{
	uint32_t round;
	char *page;

	for (round = 0; round < rounds(); round++) {
		page = map(pfn);
		store(page, value);
		unmap(page);
	}
}

void unmap(void *addr)
{
	log_event(m.current, EVENT_BEGIN, "unmaps slot %u", slot_of(addr));
	let_go(addr);
	if (scheme->unmap(mem, addr))
		broken(10, VERDICT_BROKEN, "an unmap of slot %u is refused",
		       slot_of(addr));
	log_event(m.current, EVENT_END, "done");
}

void unmap_once_too_often(void *addr)
{
	log_event(m.current, EVENT_BEGIN, "unmaps slot %u, once too often",
		  slot_of(addr));
	context()->misuse_expected = true;
	if (!scheme->unmap(mem, addr))
		broken(10, VERDICT_BROKEN, "one unmap too many is accepted");
	log_event(m.current, EVENT_END, "is refused");
}

char *pin(pkmap_pfn pfn)
{
	struct context *c = context();
	char *addr;

	log_event(m.current, EVENT_BEGIN, "pins page %lu", pfn);
	c->pinning = (uint8_t)(pfn + 1);
	/* A CPU that does not see the last user does not see its map. */
	c->may_miss = !sync_sees_hold((int)pfn);
	watch_pins();
	addr = scheme->pin(mem, pfn);
	if (!addr)
		check_miss((int)pfn);
	c->pinning = 0;
	c->may_miss = false;
	c->miss_after = 0;
	if (addr) {
		log_event(m.current, EVENT_END, "has it at slot %u",
			  slot_of(addr));
		hold(addr, pfn);
	} else {
		log_event(m.current, EVENT_END, "finds it not mapped");
	}
	return addr;
}

void unpin(void *addr)
{
	log_event(m.current, EVENT_BEGIN, "unpins slot %u", slot_of(addr));
	let_go(addr);
	scheme->unpin(mem, addr);
	log_event(m.current, EVENT_END, "done");
}

char *local_map(pkmap_pfn pfn)
{
	void *addr = NULL;

	log_event(m.current, EVENT_BEGIN, "maps page %lu locally", pfn);
	if (scheme->local_map(mem, pfn, &addr)) {
		broken(10, VERDICT_BROKEN, "a local map of page %lu fails",
		       pfn);
		return NULL;
	}
	log_event(m.current, EVENT_END, "has it at slot %u", slot_of(addr));
	hold(addr, pfn);
	return addr;
}

void local_unmap(void *addr)
{
	log_event(m.current, EVENT_BEGIN, "ends its local map, slot %u",
		  slot_of(addr));
	let_go(addr);
	if (scheme->local_unmap(mem, addr))
		broken(10, VERDICT_BROKEN, "a local unmap is refused");
	log_event(m.current, EVENT_END, "done");
}

void local_unmap_out_of_order(void *addr)
{
	log_event(m.current, EVENT_BEGIN,
		  "ends a local map out of order, slot %u", slot_of(addr));
	context()->misuse_expected = true;
	if (!scheme->local_unmap(mem, addr))
		broken(10, VERDICT_BROKEN,
		       "local maps that end out of order are accepted");
	log_event(m.current, EVENT_END, "is refused");
}

void flush_unused(void)
{
	log_event(m.current, EVENT_BEGIN, "flushes unused mappings");
	scheme->flush_unused(mem);
	log_event(m.current, EVENT_END, "done");
}

void unmap_pfn(pkmap_pfn pfn, void *addr)
{
	if (!scheme->unmap_pfn) {
		unmap(addr);
		return;
	}
	log_event(m.current, EVENT_BEGIN, "unmaps page %lu", pfn);
	let_go(addr);
	if (scheme->unmap_pfn(mem, pfn))
		broken(10, VERDICT_BROKEN, "an unmap of page %lu is refused",
		       pfn);
	log_event(m.current, EVENT_END, "done");
}

void unmap_pfn_once_too_often(pkmap_pfn pfn)
{
	if (!scheme->unmap_pfn)
		return;
	log_event(m.current, EVENT_BEGIN, "unmaps page %lu, once too often",
		  pfn);
	context()->misuse_expected = true;
	if (!scheme->unmap_pfn(mem, pfn))
		broken(10, VERDICT_BROKEN, "one unmap too many is accepted");
	log_event(m.current, EVENT_END, "is refused");
}

static void check_forgotten(pkmap_pfn pfn)
{
	uint32_t slot;

	for (slot = 0; slot < m.nslots; slot++) {
		if (m.hw.pte[slot] == pfn + 1)
			broken(3, VERDICT_BROKEN,
			       "page %lu is forgotten, and slot %u shows it",
			       pfn, slot);
	}
}

void forget(pkmap_pfn pfn)
{
	if (!scheme->forget) {
		flush_unused();
		return;
	}
	log_event(m.current, EVENT_BEGIN, "forgets page %lu", pfn);
	if (scheme->forget(mem, pfn))
		broken(10, VERDICT_BROKEN, "page %lu is not forgotten", pfn);
	check_forgotten(pfn);
	log_event(m.current, EVENT_END, "done");
}

void share_local_maps(void)
{
	machine_has_no_private();
}

struct note {
	pkmap_a32 written;
};

struct note *make_note(void)
{
	return machine_alloc(sizeof(struct note));
}

void write_note(struct note *note)
{
	pkmap_a32_store_release(&note->written, 1);
}

bool note_is_written(const struct note *note)
{
	return pkmap_a32_load_acquire(&note->written);
}

void store(char *addr, uint8_t value)
{
	machine_store(addr, value);
}

uint8_t load(const char *addr)
{
	return machine_load(addr);
}

/* The device will overwrite the buffer, so its contents need not be kept. */
static void give_up_contents(const struct pkmap_dma_buffer *buf)
{
	uint8_t *first = m.hw.written[buf->pfn];
	size_t k;

	for (k = buf->offset; k < buf->offset + buf->len; k++)
		first[k] = 0;
}

static const char *dir_name(enum pkmap_dma_dir dir)
{
	static const char *const names[] = {
		[PKMAP_DMA_TO_DEVICE] = "to the device",
		[PKMAP_DMA_FROM_DEVICE] = "from the device",
		[PKMAP_DMA_BIDIRECTIONAL] = "both ways",
	};

	return names[dir];
}

void dma_start(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir,
	       uint8_t value, int irq)
{
	log_event(m.current, EVENT_BEGIN, "maps page %lu for DMA, %s", buf->pfn,
		  dir_name(dir));
	if (dir == PKMAP_DMA_FROM_DEVICE)
		give_up_contents(buf);
	if (scheme->dma_map(mem, buf, dir))
		broken(10, VERDICT_BROKEN, "a DMA map of page %lu fails",
		       buf->pfn);
	log_event(m.current, EVENT_END, "done");
	machine_device_start(buf, dir, value, irq);
}

void dma_finish(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir)
{
	log_event(m.current, EVENT_BEGIN, "ends DMA of page %lu", buf->pfn);
	if (scheme->dma_unmap(mem, buf, dir))
		broken(10, VERDICT_BROKEN, "a DMA unmap of page %lu fails",
		       buf->pfn);
	log_event(m.current, EVENT_END, "done");
}

bool several_slots(const struct machine_config *config)
{
	return config->nslots > config->cache.colours;
}

uint32_t rounds(void)
{
	return m.config.rounds ? m.config.rounds : 1;
}

struct pkmap_dma_buffer whole_page(pkmap_pfn pfn)
{
	return (struct pkmap_dma_buffer){ .pfn = pfn, .len = page_bytes() };
}

void *leave_mapped(pkmap_pfn pfn, uint8_t value)
{
	char *page = map(pfn);
	uint32_t k;

	for (k = 0; k < page_bytes(); k++)
		store(page + k, value);
	unmap(page);
	return page;
}
