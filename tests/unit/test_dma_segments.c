// SPDX-License-Identifier: MIT
/*
 * test_dma_segments.c - what a device is told: every byte in order, within its
 * limits, in no more segments than dma.h says.
 */
#include "dma_recorder.h"
#include "unit_test.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TO	      PKMAP_DMA_TO_DEVICE
#define MAX_BUFS      3u
#define FIRST_ADDR    ((uint64_t)DMA_FIRST << DMA_PAGE_SHIFT)

/* The device's address of a buffer's first byte. */
static uint64_t addr_of(const struct pkmap_dma_device *dev,
			const struct pkmap_dma_buffer *buf)
{
	return ((uint64_t)buf->pfn << DMA_PAGE_SHIFT) + buf->offset -
	       dev->phys_base + dev->bus_base;
}

/* Whether a segment of @len bytes from @addr on is within the limits. */
static bool is_allowed(const struct pkmap_dma_device *dev, uint64_t addr,
		       uint64_t len)
{
	if (dev->max_segment && len > dev->max_segment)
		return false;
	return !dev->boundary ||
	       addr / dev->boundary == (addr + len - 1) / dev->boundary;
}

/* The least number of segments that a buffer takes on its own. */
static unsigned int fewest(const struct pkmap_dma_device *dev, uint64_t addr,
			   uint64_t len)
{
	uint64_t start = addr;
	unsigned int n = 1;
	uint64_t at;

	for (at = addr; at - addr < len; at++) {
		if (is_allowed(dev, start, at - start + 1))
			continue;
		start = at;
		n++;
	}
	return n;
}

/* They hold the buffers' bytes, in order, and nothing else. */
static void check_bytes(const struct dma_recorder *r,
			const struct pkmap_dma_device *dev,
			const struct pkmap_dma_buffer *bufs, uint32_t nbufs)
{
	uint64_t in_seg = 0;
	int seg = 0;
	uint64_t i;
	uint32_t k;

	for (k = 0; k < nbufs; k++) {
		for (i = 0; i < bufs[k].len; i++) {
			CHECK(seg < r->nsegs);
			CHECK(r->seg[seg].addr + in_seg ==
			      addr_of(dev, &bufs[k]) + i);
			if (++in_seg < r->seg[seg].len)
				continue;
			seg++;
			in_seg = 0;
		}
	}
	CHECK(seg == r->nsegs);
}

/* Each is within the limits, and could not be joined with the one before. */
static void check_limits(const struct dma_recorder *r,
			 const struct pkmap_dma_device *dev)
{
	const struct pkmap_dma_segment *s = r->seg;
	int i;

	for (i = 0; i < r->nsegs; i++) {
		CHECK(s[i].len && is_allowed(dev, s[i].addr, s[i].len));
		if (i && s[i - 1].addr + s[i - 1].len == s[i].addr)
			CHECK(!is_allowed(dev, s[i - 1].addr,
					  s[i - 1].len + s[i].len));
	}
}

/* A buffer is cut only where it has to be. */
static void check_cuts(const struct dma_recorder *r,
		       const struct pkmap_dma_device *dev,
		       const struct pkmap_dma_buffer *buf)
{
	const uint64_t addr = addr_of(dev, buf);
	unsigned int cuts = 0;
	int i;

	for (i = 0; i < r->nsegs; i++)
		cuts += r->seg[i].addr > addr &&
			r->seg[i].addr - addr < buf->len;
	CHECK(cuts == fewest(dev, addr, buf->len) - 1);
}

static void check_map(struct dma_recorder *r,
		      const struct pkmap_dma_device *dev,
		      const struct pkmap_dma_buffer *bufs, uint32_t nbufs)
{
	struct pkmap_dma_segment segs[DMA_SEGMENTS];
	uint32_t k;

	CHECK(!dma_call(r, DMA_MAP, dev, bufs, nbufs, TO));
	check_bytes(r, dev, bufs, nbufs);
	check_limits(r, dev);
	for (k = 0; k < nbufs; k++)
		check_cuts(r, dev, &bufs[k]);
	CHECK(pkmap_dma_map(r->dma, dev, bufs, nbufs, TO, segs,
			    (uint32_t)r->nsegs) == r->nsegs);
	CHECK(pkmap_dma_map(r->dma, dev, bufs, nbufs, TO, segs,
			    (uint32_t)r->nsegs - 1) == PKMAP_ENOSPC);
}

/* Three buffers, from byte @start of the memory on, some with gaps between. */
static void check_three(struct dma_recorder *r,
			const struct pkmap_dma_device *dev, uint64_t start)
{
	static const size_t lens[] = { 1, 2, 3, 5 };
	struct pkmap_dma_buffer bufs[MAX_BUFS];
	uint32_t choice;
	uint32_t left;
	uint64_t at;
	uint32_t k;

	for (choice = 0; choice < 8 * 8 * 8; choice++) {
		at = start;
		left = choice;
		for (k = 0; k < MAX_BUFS; k++, left /= 8) {
			at += left & 4 ? 1 : 0;
			bufs[k] = (struct pkmap_dma_buffer){
				.pfn = DMA_FIRST +
				       (pkmap_pfn)(at >> DMA_PAGE_SHIFT),
				.offset = at & (DMA_PAGE - 1),
				.len = lens[left & 3],
			};
			at += bufs[k].len;
		}
		check_map(r, dev, bufs, MAX_BUFS);
	}
}

/*
 * The device's addresses are below and above those of the memory, beyond 32
 * bits, and the last that there are.
 */
static void limits(void)
{
	static const uint64_t bases[] = {
		0,
		((uint64_t)1 << 32) - 16,
		UINT64_MAX - 31,
	};
	static const uint64_t max_segments[] = { 0, 1, 2, 3, 4, 7 };
	static const uint64_t boundaries[] = { 0, 1, 2, 4, 8 };
	struct pkmap_dma_device dev = {
		.addr_mask = UINT64_MAX,
		.phys_base = FIRST_ADDR,
		.coherent = true,
	};
	struct dma_recorder r;
	uint64_t start;
	size_t i;
	size_t m;
	size_t b;

	dma_init(&r);
	dma_open(&r);
	for (i = 0; i < 3 * ARRAY_SIZE(max_segments) * ARRAY_SIZE(boundaries);
	     i++) {
		m = i / 3 % ARRAY_SIZE(max_segments);
		b = i / 3 / ARRAY_SIZE(max_segments);
		dev.bus_base = bases[i % 3];
		dev.max_segment = max_segments[m];
		dev.boundary = boundaries[b];
		for (start = 12; start < 15; start++)
			check_three(&r, &dev, start);
	}
	dma_close(&r);
}

/* Buffers that do not follow each other in memory are not joined. */
static void order_is_kept(void)
{
	static const struct pkmap_dma_buffer bufs[] = {
		{ DMA_FIRST + 1, 0, DMA_PAGE }, { DMA_FIRST, 0, DMA_PAGE },
		{ DMA_FIRST + 1, 0, DMA_PAGE }, { DMA_FIRST + 1, 0, DMA_PAGE },
		{ DMA_FIRST + 2, 0, DMA_PAGE },
	};
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dma_device, bufs, 5, TO));
	check_bytes(&r, &dma_device, bufs, 5);
	/* The second and third follow each other, and so do the last two. */
	CHECK(r.nsegs == 3);
	dma_close(&r);
}

/* The last bytes of the address space; the first bytes do not follow them. */
static void last_address(void)
{
	static const struct pkmap_dma_buffer bufs[] = {
		{ DMA_FIRST + 2, 0, DMA_PAGE },
		{ DMA_FIRST, 0, DMA_PAGE },
		{ DMA_FIRST + 1, 0, 2 * DMA_PAGE },
	};
	struct pkmap_dma_device dev = {
		.addr_mask = UINT64_MAX,
		.phys_base = FIRST_ADDR,
		.bus_base = UINT64_MAX - 3 * DMA_PAGE + 1,
	};
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 3, TO));
	check_bytes(&r, &dev, bufs, 3);
	CHECK(r.nsegs == 2);
	CHECK(r.seg[0].addr + r.seg[0].len == 0);
	CHECK(r.seg[1].addr + r.seg[1].len == 0);

	dev.max_segment = 5;
	dev.boundary = DMA_PAGE;
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 3, TO));
	check_bytes(&r, &dev, bufs, 3);
	CHECK(r.nsegs == 4 * 4);
	dma_close(&r);
}

/* A segment ends at the highest address that the device reaches. */
static void up_to_the_mask(void)
{
	static const struct pkmap_dma_buffer buf = { DMA_FIRST, 0,
						     4 * DMA_PAGE };
	struct pkmap_dma_device dev = {
		.addr_mask = UINT32_MAX,
		.phys_base = FIRST_ADDR,
		.bus_base = UINT32_MAX - 4 * DMA_PAGE + 1,
	};
	struct dma_recorder r;

	dma_init(&r);
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dev, &buf, 1, TO));
	CHECK(r.nsegs == 1 && r.seg[0].addr == dev.bus_base);
	CHECK(r.seg[0].addr + r.seg[0].len - 1 == dev.addr_mask);
	dev.bus_base++;
	CHECK(dma_call(&r, DMA_MAP, &dev, &buf, 1, TO) == PKMAP_ERANGE);
	dma_close(&r);
}

/* Memory beyond 4 GiB: no address is cut off, however long a pointer is. */
static void memory_beyond_32_bits(void)
{
	const struct pkmap_dma_buffer buf = { 0x1234567, 0x800, 0x1000 };
	const uint64_t phys = 0x1234567800;
	struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	struct dma_recorder r;
	unsigned int i;

	dma_init(&r);
	r.f.config.page_shift = FAKE_PAGE_SHIFT;
	r.f.config.first_pfn = 0x1234560;
	r.config.low_bytes = 0;
	r.has_outer = true;
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dev, &buf, 1, TO));
	CHECK(r.nsegs == 1);
	CHECK(r.seg[0].addr == phys && r.seg[0].len == 0x1000);
	/* The inner cache page by page, the outer one at once. */
	CHECK(r.nlog == 3);
	for (i = 0; i < 3; i++)
		CHECK(r.log[i].phys == (i == 1 ? phys + 0x800 : phys));

	dev.addr_mask = UINT32_MAX;
	CHECK(dma_call(&r, DMA_MAP, &dev, &buf, 1, TO) == PKMAP_ERANGE);
	dev.phys_base = (uint64_t)0x1234560 << FAKE_PAGE_SHIFT;
	CHECK(!dma_call(&r, DMA_MAP, &dev, &buf, 1, TO));
	CHECK(r.seg[0].addr == 0x7800);
	dma_close(&r);
}

/* Limits beyond 32 bits, and a segment that is longer than a size_t may be. */
static void segments_beyond_32_bits(void)
{
	const uint64_t gib = (uint64_t)1 << 30;
	const struct pkmap_dma_buffer bufs[] = {
		{ 2, 0, 3 * (size_t)gib },
		{ 5, 0, 3 * (size_t)gib },
	};
	struct pkmap_dma_device dev = {
		.addr_mask = UINT64_MAX,
		.coherent = true,
	};
	struct dma_recorder r;

	dma_init(&r);
	r.f.config.cache.kind = PKMAP_CACHE_VIVT;
	r.f.config.page_shift = 30;
	r.f.config.base = (void *)(uintptr_t)gib;
	r.f.config.nslots = 1;
	r.f.config.first_pfn = 0;
	r.f.config.local_slots = 0;
	r.f.config.dma_slots = 0;
	r.config.low_bytes = 0;
	dma_open(&r);
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 2, TO));
	CHECK(r.nsegs == 1);
	CHECK(r.seg[0].addr == 2 * gib && r.seg[0].len == 6 * gib);

	dev.max_segment = 6 * gib - 1;
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 2, TO));
	CHECK(r.nsegs == 2 && r.seg[1].addr == 5 * gib);
	dev.max_segment = 0;
	dev.boundary = 8 * gib;
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 2, TO));
	CHECK(r.nsegs == 1);
	dev.boundary = 4 * gib;
	CHECK(!dma_call(&r, DMA_MAP, &dev, bufs, 2, TO));
	CHECK(r.nsegs == 2 && r.seg[1].addr == 4 * gib);
	dma_close(&r);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(limits),
	UNIT_TEST(order_is_kept),
	UNIT_TEST(last_address),
	UNIT_TEST(up_to_the_mask),
	UNIT_TEST(memory_beyond_32_bits),
	UNIT_TEST(segments_beyond_32_bits),
	{ 0 },
};
