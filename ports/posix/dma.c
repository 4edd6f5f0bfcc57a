// SPDX-License-Identifier: MIT
/*
 * dma.c - the window's DMA layer.
 */
#include "posix_priv.h"

/* The cache line of x86 and of most ARM cores. */
#define LINE_BYTES 64

/* Nothing to do: the kernel keeps the file and the mappings coherent. */
static void cache(void *port, enum pkmap_cache_op op, void *addr, size_t bytes)
{
	(void)port;
	(void)op;
	(void)addr;
	(void)bytes;
}

static void cache_phys(void *port, enum pkmap_cache_op op, uint64_t phys,
		       uint64_t bytes)
{
	(void)port;
	(void)op;
	(void)phys;
	(void)bytes;
}

static void report(void *port, const struct pkmap_dma_report *what)
{
	struct pkmap_posix *p = port;

	if (p->dma_report)
		p->dma_report(p->report_arg, what);
	else
		pkmap_posix_print_dma_report(what);
}

static const struct pkmap_dma_ops ops = {
	.cache = cache,
	.report = report,
};

/* Operations by physical address, which need no slot. */
static const struct pkmap_dma_ops ops_without_slots = {
	.cache_phys = cache_phys,
	.report = report,
};

int pkmap_posix_dma_make(struct pkmap_posix *p, bool slots,
			 uint32_t tracker_entries)
{
	const struct pkmap_dma_config config = {
		.win = p->win,
		.ops = slots ? &ops : &ops_without_slots,
		.port = p,
		.line_bytes = LINE_BYTES,
		.tracker_entries = tracker_entries,
	};
	int err = pkmap_posix_allocate(pkmap_dma_size(&config), &p->dma_mem);

	if (err)
		return err;
	return pkmap_dma_init(p->dma_mem, &config, &p->dma);
}

struct pkmap_dma *pkmap_posix_dma(struct pkmap_posix *port)
{
	return port->dma;
}
