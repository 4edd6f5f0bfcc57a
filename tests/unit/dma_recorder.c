// SPDX-License-Identifier: MIT
#include "src/window_priv.h"
#include "dma_recorder.h"

#include <stdlib.h>
#include <string.h>

const struct pkmap_dma_device dma_device = { .addr_mask = UINT64_MAX };

static size_t page_bytes(const struct dma_recorder *r)
{
	return (size_t)1 << r->f.config.page_shift;
}

static void record(struct dma_recorder *r, struct dma_record rec)
{
	void (*hook)(struct dma_recorder * r, const struct dma_record *rec) =
		r->hook;

	CHECK(rec.op >= PKMAP_CACHE_CLEAN && rec.op <= PKMAP_CACHE_CLEAN_INVAL);
	CHECK(rec.bytes && !(rec.bytes % r->config.line_bytes));
	CHECK(!(rec.phys % r->config.line_bytes));
	CHECK(r->nlog < DMA_LOG);
	r->log[r->nlog++] = rec;
	if (hook) {
		r->hook = NULL;
		hook(r, &rec);
		r->hook = hook;
	}
}

static bool is_held(struct fake *f, const void *addr)
{
	const uintptr_t slot = addr_slot(f->win, addr);

	return word_in_use(pkmap_a32_load_relaxed(slot_word(f->win, slot)));
}

/* How an address of high memory is held; nobody may take the page away. */
static enum dma_where where_is(struct dma_recorder *r, const void *addr,
			       uint32_t *level)
{
	struct fake *f = &r->f;
	const uint32_t place = fake_local_place(f, addr);

	if (place == PKMAP_NO_SLOT) {
		CHECK(is_held(f, addr));
		return DMA_AT_PIN;
	}
	CHECK(f->entered[f->cpu]);
	if (place < f->config.local_slots)
		return DMA_AT_LOCAL_MAP;
	*level = place - f->config.local_slots;
	return DMA_AT_DMA_SLOT;
}

static void record_cache(void *port, enum pkmap_cache_op op, void *addr,
			 size_t bytes)
{
	struct dma_recorder *r = port;
	const uintptr_t at = (uintptr_t)addr - (uintptr_t)r->config.low_base;
	const size_t offset = (uintptr_t)addr % page_bytes(r);
	struct dma_record rec = { .op = op, .bytes = bytes };
	pkmap_pfn pfn;

	CHECK(bytes <= page_bytes(r) - offset);
	if (at < r->config.low_bytes) {
		rec.where = DMA_AT_LOW;
		pfn = r->config.low_first_pfn + at / page_bytes(r);
	} else {
		pfn = fake_page_at(&r->f, addr);
		CHECK(pfn != PKMAP_NO_PFN);
		rec.where = where_is(r, addr, &rec.level);
	}
	rec.phys = ((uint64_t)pfn << r->f.config.page_shift) + offset;
	record(r, rec);
	if (rec.where != DMA_AT_LOW)
		fake_cache_op(&r->f, addr, op != PKMAP_CACHE_INVAL,
			      op != PKMAP_CACHE_CLEAN);
}

static void record_cache_phys(void *port, enum pkmap_cache_op op, uint64_t phys,
			      uint64_t bytes)
{
	record(port, (struct dma_record){
			     .op = op,
			     .where = DMA_BY_PHYS,
			     .phys = phys,
			     .bytes = bytes,
		     });
}

static void record_outer(void *port, enum pkmap_cache_op op, uint64_t phys,
			 uint64_t bytes)
{
	record(port, (struct dma_record){
			     .op = op,
			     .where = DMA_OUTER,
			     .phys = phys,
			     .bytes = bytes,
		     });
}

void dma_init(struct dma_recorder *r)
{
	*r = (struct dma_recorder){
		.config = {
			.line_bytes = DMA_LINE,
			.low_base = (void *)DMA_LOW_BASE,
			.low_bytes = DMA_LOW_NPAGES * DMA_PAGE,
			.low_first_pfn = DMA_LOW_FIRST,
		},
	};
	fake_init(&r->f);
	r->f.config.page_shift = DMA_PAGE_SHIFT;
	r->f.config.first_pfn = DMA_FIRST;
	r->f.config.npages = DMA_NPAGES;
	r->f.config.local_slots = 3;
	r->f.config.dma_slots = 2;
	r->f.cpu = DMA_CPU;
}

void dma_open_window(struct dma_recorder *r)
{
	r->ops = (struct pkmap_dma_ops){
		.cache = r->has_phys ? NULL : record_cache,
		.cache_phys = r->has_phys ? record_cache_phys : NULL,
		.outer = r->has_outer ? record_outer : NULL,
	};
	fake_open(&r->f);
	r->config.win = r->f.win;
	r->config.ops = &r->ops;
	r->config.port = r;
}

void dma_open(struct dma_recorder *r)
{
	size_t size;

	dma_open_window(r);
	size = pkmap_dma_size(&r->config);
	CHECK(size);
	CHECK(!posix_memalign(&r->mem, PKMAP_ALIGN, size));
	CHECK(!pkmap_dma_init(r->mem, &r->config, &r->dma));
}

void dma_close(struct dma_recorder *r)
{
	fake_close(&r->f);
	free(r->mem);
}

/* What is held, and by how many users; a call must not change it. */
struct holdings {
	uint32_t users[FAKE_NSLOTS];
	enum fake_state state[FAKE_NSLOTS];
	pkmap_pfn pfn[FAKE_NSLOTS];
	int entered[FAKE_NCPUS];
};

static void take_stock(const struct dma_recorder *r, struct holdings *h)
{
	const struct fake *f = &r->f;
	uint32_t word;
	uint32_t slot;

	memset(h, 0, sizeof(*h));
	for (slot = 0; slot < f->config.nslots; slot++) {
		word = pkmap_a32_load_relaxed(slot_word(f->win, slot));
		if (word_in_use(word))
			h->users[slot] = word / WORD_USER;
	}
	for (slot = 0; slot < FAKE_NSLOTS; slot++) {
		h->state[slot] = f->slot[slot].state;
		if (h->state[slot] == FAKE_SHOWN)
			h->pfn[slot] = f->slot[slot].pfn;
	}
	memcpy(h->entered, f->entered, sizeof(h->entered));
}

static int make_call(struct dma_recorder *r, enum dma_moment moment,
		     const struct pkmap_dma_device *dev,
		     const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
		     enum pkmap_dma_dir dir)
{
	struct pkmap_dma_segment untouched[DMA_SEGMENTS];
	int n;

	switch (moment) {
	case DMA_MAP:
		memset(untouched, 0x5a, sizeof(untouched));
		memset(r->seg, 0x5a, sizeof(r->seg));
		n = pkmap_dma_map(r->dma, dev, bufs, nbufs, dir, r->seg,
				  DMA_SEGMENTS);
		CHECK(n);
		r->nsegs = n;
		if (n > 0)
			return 0;
		CHECK(!memcmp(r->seg, untouched, sizeof(untouched)));
		return n;
	case DMA_SYNC_FOR_DEVICE:
		return pkmap_dma_sync_for_device(r->dma, dev, bufs, nbufs, dir);
	case DMA_UNMAP:
		return pkmap_dma_unmap(r->dma, dev, bufs, nbufs, dir);
	default:
		return pkmap_dma_sync_for_cpu(r->dma, dev, bufs, nbufs, dir);
	}
}

int dma_call(struct dma_recorder *r, enum dma_moment moment,
	     const struct pkmap_dma_device *dev,
	     const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
	     enum pkmap_dma_dir dir)
{
	const bool context = r->f.any_context;
	struct holdings before;
	struct holdings after;
	int err;

	take_stock(r, &before);
	r->f.any_context = true;
	err = make_call(r, moment, dev, bufs, nbufs, dir);
	r->f.any_context = context;
	take_stock(r, &after);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	CHECK(err <= 0);
	return err;
}

void dma_one(struct dma_recorder *r, enum dma_moment moment,
	     struct pkmap_dma_buffer buf, enum pkmap_dma_dir dir)
{
	CHECK(!dma_call(r, moment, &dma_device, &buf, 1, dir));
}

bool dma_is_before(enum dma_moment moment)
{
	return moment == DMA_MAP || moment == DMA_SYNC_FOR_DEVICE;
}

struct pkmap_dma_stats dma_stats(struct dma_recorder *r)
{
	struct pkmap_dma_stats stats;

	pkmap_dma_read_stats(r->dma, &stats);
	return stats;
}

void dma_clear_log(struct dma_recorder *r)
{
	fake_clear_log(&r->f);
	r->nlog = 0;
}
