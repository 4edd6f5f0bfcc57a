// SPDX-License-Identifier: MIT
#include "fake_dma.h"

#define BUS_BASE 0x10000000

static void cache(void *port, enum pkmap_cache_op op, void *addr, size_t bytes)
{
	struct fake_dma *d = port;

	if (bytes != FAKE_PAGE)
		FAIL("%zu bytes of a line of %zu", bytes, FAKE_PAGE);
	fake_cache_op(d->f, addr, op != PKMAP_CACHE_INVAL,
		      op != PKMAP_CACHE_CLEAN);
}

static void keep_report(void *port, const struct pkmap_dma_report *report)
{
	struct fake_dma *d = port;

	CHECK(d->nreports < FAKE_DMA_REPORTS);
	d->report[d->nreports++] = *report;
	d->nreported++;
}

static const struct pkmap_dma_ops ops = {
	.cache = cache,
	.report = keep_report,
};

const struct pkmap_dma_device fake_devices[FAKE_DEVICES] = {
	{ .addr_mask = 0xffffffff, .bus_base = BUS_BASE },
	{ .addr_mask = 0xffffffff, .bus_base = BUS_BASE },
	{ .addr_mask = 0xffffffff, .bus_base = BUS_BASE, .coherent = true },
};

void fake_dma_init(struct fake_dma *d, struct fake *f, uint32_t tracker_entries)
{
	const struct pkmap_dma_config config = {
		.win = f->win,
		.ops = &ops,
		.port = d,
		.line_bytes = FAKE_PAGE,
		.tracker_entries = tracker_entries,
	};

	*d = (struct fake_dma){ .f = f };
	CHECK(pkmap_dma_size(&config) <= sizeof(d->mem));
	CHECK(!pkmap_dma_init(d->mem, &config, &d->dma));
}

static int give(struct fake_dma *d, const struct pkmap_dma_buffer *buf,
		enum pkmap_dma_dir dir)
{
	const uint64_t start =
		((uint64_t)buf->pfn << FAKE_PAGE_SHIFT) + buf->offset;
	struct pkmap_dma_segment seg;
	int n = pkmap_dma_map(d->dma, fake_devices, buf, 1, dir, &seg, 1);

	if (n < 0) {
		d->nrefused++;
		return n;
	}
	CHECK(n == 1 && seg.addr == start + BUS_BASE && seg.len == buf->len);
	return 0;
}

/* Until it works: set() may fail. */
static void take_back(struct fake_dma *d, const struct pkmap_dma_buffer *buf,
		      enum pkmap_dma_dir dir)
{
	while (pkmap_dma_unmap(d->dma, fake_devices, buf, 1, dir))
		d->nrefused++;
}

int fake_from_device(struct fake_dma *d, pkmap_pfn pfn, bool part)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.offset = part ? 16 : 0,
		.len = part ? 32 : FAKE_PAGE,
	};
	int err = give(d, &buf, PKMAP_DMA_FROM_DEVICE);

	if (err)
		return err;
	fake_device_writes(d->f, pfn, part);
	take_back(d, &buf, PKMAP_DMA_FROM_DEVICE);
	return 0;
}

int fake_to_device(struct fake_dma *d, pkmap_pfn pfn)
{
	const struct pkmap_dma_buffer buf = {
		.pfn = pfn,
		.len = FAKE_PAGE,
	};
	int err = give(d, &buf, PKMAP_DMA_TO_DEVICE);

	if (err)
		return err;
	fake_device_reads(d->f, pfn);
	take_back(d, &buf, PKMAP_DMA_TO_DEVICE);
	return 0;
}
