// SPDX-License-Identifier: MIT
/*
 * pkmap.c - src/, as a scheme.
 */
#include "scheme.h"

#include "machine/model/machine.h"
#include "src/dma_priv.h"

#define DMA_AT(mem) ((struct pkmap_dma **)(mem))
#define WIN_AT(mem) ((struct pkmap_window **)(mem) + 1)

static const struct pkmap_dma_device device = {
	.addr_mask = UINT64_MAX,
};

static struct pkmap_window *win(void *mem)
{
	return *WIN_AT(mem);
}

static struct pkmap_dma_config dma_config(struct pkmap_window *w)
{
	return (struct pkmap_dma_config){
		.win = w,
		.ops = &machine_dma_ops,
		.line_bytes = machine_line_bytes(),
	};
}

static size_t scheme_size(const struct pkmap_config *config)
{
	(void)config;
	return 2 * sizeof(void *);
}

static void scheme_init(void *mem, const struct pkmap_config *config)
{
	struct pkmap_dma_config dma;
	struct pkmap_window *w;
	struct pkmap_dma *d;

	pkmap_init(machine_alloc(pkmap_size(config)), config, &w);
	dma = dma_config(w);
	pkmap_dma_init(machine_alloc(pkmap_dma_size(&dma)), &dma, &d);
	*WIN_AT(mem) = w;
	*DMA_AT(mem) = d;

	machine_has_counters(&w->misses, w + 1);
	machine_has_counters(&d->maps, d + 1);
	machine_has_locked(w->next, w->colour);
	machine_has_private(w->cpu, (char *)w->cpu + w->ncpus * w->cpu_bytes);
}

static int scheme_map(void *mem, const pkmap_pfn *pfns, uint32_t n,
		      const struct pkmap_wait *wait, void **addrs)
{
	if (n == 1)
		return pkmap_map(win(mem), *pfns, wait, addrs);
	return pkmap_map_pages(win(mem), pfns, n, wait, addrs);
}

static int scheme_unmap(void *mem, void *addr)
{
	return pkmap_unmap(win(mem), addr);
}

static void *scheme_pin(void *mem, pkmap_pfn pfn)
{
	return pkmap_pin(win(mem), pfn);
}

static void scheme_unpin(void *mem, void *addr)
{
	pkmap_unmap(win(mem), addr);
}

static int scheme_local_map(void *mem, pkmap_pfn pfn, void **addr)
{
	return pkmap_local_map(win(mem), pfn, addr);
}

static int scheme_local_unmap(void *mem, void *addr)
{
	return pkmap_local_unmap(win(mem), addr);
}

static int scheme_dma_map(void *mem, const struct pkmap_dma_buffer *buf,
			  enum pkmap_dma_dir dir)
{
	struct pkmap_dma_segment seg;
	const int n =
		pkmap_dma_map(*DMA_AT(mem), &device, buf, 1, dir, &seg, 1);

	return n < 0 ? n : 0;
}

static int scheme_dma_unmap(void *mem, const struct pkmap_dma_buffer *buf,
			    enum pkmap_dma_dir dir)
{
	return pkmap_dma_unmap(*DMA_AT(mem), &device, buf, 1, dir);
}

static void scheme_flush_unused(void *mem)
{
	pkmap_flush_unused(win(mem));
}

static int scheme_unmap_pfn(void *mem, pkmap_pfn pfn)
{
	return pkmap_unmap_pfn(win(mem), pfn);
}

static int scheme_forget(void *mem, pkmap_pfn pfn)
{
	return pkmap_forget(win(mem), pfn, 1, NULL);
}

static const char *scheme_check_end(void *mem)
{
	struct pkmap_window *w = win(mem);
	uint32_t word;
	uint32_t slot;

	for (slot = 0; slot < w->nslots; slot++) {
		word = pkmap_a32_load_relaxed(slot_word(w, slot));
		if (!(word & WORD_MAPPED))
			continue;
		if (!word_idle(word))
			return "a slot's word is neither unmapped nor idle";
		if (word & WORD_CLEANING)
			return "a slot's word has CLEANING";
	}
	if (pkmap_a32_load_relaxed(&w->waiters))
		return "a waiter is still announced";
	return NULL;
}

const struct scheme scheme_pkmap = {
	.name = "pkmap",
	.size = scheme_size,
	.init = scheme_init,
	.map = scheme_map,
	.unmap = scheme_unmap,
	.pin = scheme_pin,
	.unpin = scheme_unpin,
	.local_map = scheme_local_map,
	.local_unmap = scheme_local_unmap,
	.dma_map = scheme_dma_map,
	.dma_unmap = scheme_dma_unmap,
	.flush_unused = scheme_flush_unused,
	.unmap_pfn = scheme_unmap_pfn,
	.forget = scheme_forget,
	.check_end = scheme_check_end,
};
