// SPDX-License-Identifier: MIT
#include "tracker_port.h"

#include <stdlib.h>
#include <string.h>

const struct pkmap_dma_device devices[2] = {
	{ .addr_mask = UINT64_MAX },
	{ .addr_mask = UINT64_MAX },
};

static void count_phys(void *port, enum pkmap_cache_op op, uint64_t phys,
		       uint64_t bytes)
{
	struct tracker *t = port;

	CHECK(op >= PKMAP_CACHE_CLEAN && op <= PKMAP_CACHE_CLEAN_INVAL);
	CHECK(bytes && !(phys % LINE) && !(bytes % LINE));
	t->ncache++;
}

static void keep_report(void *port, const struct pkmap_dma_report *report)
{
	struct tracker *t = port;

	CHECK(t->nreports < TRACKER_REPORTS);
	t->report[t->nreports++] = *report;
}

static const struct pkmap_dma_ops ops = {
	.cache_phys = count_phys,
	.report = keep_report,
};

void tracker_init(struct tracker *t)
{
	*t = (struct tracker){
		.config = {
			.ops = &ops,
			.line_bytes = LINE,
			.tracker_entries = 8,
		},
	};
	fake_init(&t->f);
	t->f.config.cache.speculative = true;
}

void tracker_open(struct tracker *t)
{
	size_t size;

	fake_open(&t->f);
	t->config.win = t->f.win;
	t->config.port = t;
	size = pkmap_dma_size(&t->config);
	CHECK(size);
	CHECK(!posix_memalign(&t->mem, PKMAP_ALIGN, size));
	CHECK(!pkmap_dma_init(t->mem, &t->config, &t->dma));
}

static struct transfer nth_page(const struct tracker *t, uint32_t n)
{
	return (struct transfer){
		.dev = &devices[0],
		.buf = { .pfn = t->f.config.first_pfn + n, .len = 1 },
		.dir = PKMAP_DMA_TO_DEVICE,
	};
}

/*
 * All entries are free again: there is room for as many mappings as at first.
 */
static void check_all_free(struct tracker *t)
{
	const uint32_t n = t->config.tracker_entries;
	struct transfer x;
	uint32_t i;

	CHECK(!pkmap_dma_leaks(t->dma, NULL));
	t->nreports = 0;
	for (i = 0; i <= n; i++) {
		CHECK(!t->nreports);
		x = nth_page(t, i);
		CHECK(!tracker_map(t, &x));
	}
	CHECK(t->nreports == 1);
	tracker_check(t, 0, PKMAP_DMA_TRACKER_FULL, "pkmap_dma_map", &x, NULL);
}

void tracker_close(struct tracker *t)
{
	check_all_free(t);
	tracker_discard(t);
}

void tracker_discard(struct tracker *t)
{
	fake_close(&t->f);
	free(t->mem);
}

int tracker_map(struct tracker *t, const struct transfer *x)
{
	struct pkmap_dma_segment seg;
	int n = pkmap_dma_map(t->dma, x->dev, &x->buf, 1, x->dir, &seg, 1);

	return n < 0 ? n : 0;
}

int tracker_unmap(struct tracker *t, const struct transfer *x)
{
	return pkmap_dma_unmap(t->dma, x->dev, &x->buf, 1, x->dir);
}

int tracker_sync_for_cpu(struct tracker *t, const struct transfer *x)
{
	return pkmap_dma_sync_for_cpu(t->dma, x->dev, &x->buf, 1, x->dir);
}

int tracker_sync_for_device(struct tracker *t, const struct transfer *x)
{
	return pkmap_dma_sync_for_device(t->dma, x->dev, &x->buf, 1, x->dir);
}

static bool same_buffer(const struct pkmap_dma_buffer *a,
			const struct pkmap_dma_buffer *b)
{
	return a->pfn == b->pfn && a->offset == b->offset && a->len == b->len;
}

void tracker_check(const struct tracker *t, unsigned int n,
		   enum pkmap_dma_misuse what, const char *call,
		   const struct transfer *x, const struct transfer *known)
{
	const struct pkmap_dma_report *r = &t->report[n];

	CHECK(n < t->nreports);
	CHECK(r->what == what);
	CHECK(!strcmp(r->call, call));
	CHECK(r->dev == x->dev);
	CHECK(same_buffer(&r->buf, &x->buf));
	CHECK(r->dir == x->dir);
	if (known) {
		CHECK(same_buffer(&r->known, &known->buf));
		CHECK(r->known_dir == known->dir);
		CHECK(r->known_dev == known->dev);
	} else {
		CHECK(!r->known.len && !r->known_dev);
	}
}

struct pkmap_dma_stats tracker_stats(struct tracker *t)
{
	struct pkmap_dma_stats stats;

	pkmap_dma_read_stats(t->dma, &stats);
	return stats;
}
