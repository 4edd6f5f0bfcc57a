// SPDX-License-Identifier: MIT
/*
 * test_dma_args.c - what DMA calls and pkmap_dma_init() refuse, and that a
 * refused call has done nothing.
 */
#include "dma_recorder.h"
#include "unit_test.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TO	      PKMAP_DMA_TO_DEVICE
#define FROM	      PKMAP_DMA_FROM_DEVICE
#define ALL	      UINT64_MAX
#define PHYS(pfn)     ((uint64_t)(pfn) << DMA_PAGE_SHIFT)
#define LAST	      (DMA_FIRST + DMA_NPAGES - 1)
#define LOW_LAST      (DMA_LOW_FIRST + DMA_LOW_NPAGES - 1)

/* A refused call calls no operation, and changes one counter. */
static void check_refused(struct dma_recorder *r, enum dma_moment moment,
			  const struct pkmap_dma_device *dev,
			  const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			  enum pkmap_dma_dir dir, int expected)
{
	struct pkmap_dma_stats stats = dma_stats(r);
	struct pkmap_dma_stats now;

	dma_clear_log(r);
	CHECK(dma_call(r, moment, dev, bufs, nbufs, dir) == expected);
	CHECK(!r->nlog && !r->f.nlog);
	now = dma_stats(r);
	stats.refused++;
	CHECK(!memcmp(&now, &stats, sizeof(now)));
}

static void open_with_all(struct dma_recorder *r)
{
	dma_init(r);
	r->f.config.cache.speculative = true;
	r->has_outer = true;
	dma_open(r);
}

/* A buffer that no call accepts, on its own and in the middle of a list. */
static void wrong_buffers(void)
{
	static const struct {
		struct pkmap_dma_buffer buf;
		int err;
	} wrong[] = {
		{ { DMA_FIRST, 0, 0 }, PKMAP_EINVAL },
		{ { DMA_FIRST, 1, SIZE_MAX }, PKMAP_EINVAL },
		{ { DMA_FIRST, 15, SIZE_MAX - 14 }, PKMAP_EINVAL },
		{ { DMA_FIRST, 0, SIZE_MAX }, PKMAP_ERANGE },
		{ { DMA_FIRST, DMA_PAGE, 1 }, PKMAP_EINVAL },
		{ { DMA_FIRST, SIZE_MAX, 1 }, PKMAP_EINVAL },
		{ { DMA_FIRST - 1, 0, 1 }, PKMAP_ERANGE },
		{ { DMA_FIRST - 1, 0, 2 * DMA_PAGE }, PKMAP_ERANGE },
		{ { LAST + 1, 0, 1 }, PKMAP_ERANGE },
		{ { LAST, 0, DMA_PAGE + 1 }, PKMAP_ERANGE },
		{ { LAST, 15, 2 }, PKMAP_ERANGE },
		{ { DMA_LOW_FIRST - 1, 0, 1 }, PKMAP_ERANGE },
		{ { LOW_LAST + 1, 0, 1 }, PKMAP_ERANGE },
		{ { LOW_LAST, 0, DMA_PAGE + 1 }, PKMAP_ERANGE },
		{ { 0, 0, 1 }, PKMAP_ERANGE },
		{ { PKMAP_NO_PFN, 0, 1 }, PKMAP_ERANGE },
	};
	struct pkmap_dma_buffer list[] = {
		{ DMA_FIRST, 0, 1 },
		{ 0, 0, 0 },
		{ LAST, 15, 1 },
	};
	enum dma_moment moment;
	struct dma_recorder r;
	size_t i;

	open_with_all(&r);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		list[1] = wrong[i].buf;
		for (moment = 0; moment < DMA_NMOMENTS; moment++) {
			check_refused(&r, moment, &dma_device, &wrong[i].buf, 1,
				      FROM, wrong[i].err);
			check_refused(&r, moment, &dma_device, list, 3, FROM,
				      wrong[i].err);
		}
	}
	dma_close(&r);
}

/* The first and the last of each kind of memory, and all of it. */
static void right_buffers(void)
{
	static const struct pkmap_dma_buffer right[] = {
		{ DMA_FIRST, 0, 1 },
		{ LAST, 15, 1 },
		{ DMA_FIRST, 0, DMA_NPAGES * DMA_PAGE },
		{ DMA_LOW_FIRST, 0, 1 },
		{ LOW_LAST, 15, 1 },
		{ DMA_LOW_FIRST, 0, DMA_LOW_NPAGES * DMA_PAGE },
	};
	enum dma_moment moment;
	struct dma_recorder r;
	size_t i;

	open_with_all(&r);
	for (i = 0; i < ARRAY_SIZE(right); i++) {
		for (moment = 0; moment < DMA_NMOMENTS; moment++) {
			dma_one(&r, moment, right[i], FROM);
			dma_clear_log(&r);
		}
	}
	dma_close(&r);
}

static void wrong_directions(void)
{
	const enum pkmap_dma_dir dirs[] = {
		(enum pkmap_dma_dir)0,
		(enum pkmap_dma_dir)4,
		(enum pkmap_dma_dir)5,
		(enum pkmap_dma_dir) - 1,
	};
	const struct pkmap_dma_buffer buf = { DMA_FIRST, 0, 4 };
	enum dma_moment moment;
	struct dma_recorder r;
	size_t i;

	open_with_all(&r);
	for (moment = 0; moment < DMA_NMOMENTS; moment++) {
		for (i = 0; i < ARRAY_SIZE(dirs); i++)
			check_refused(&r, moment, &dma_device, &buf, 1, dirs[i],
				      PKMAP_EINVAL);
		check_refused(&r, moment, &dma_device, &buf, 0, FROM,
			      PKMAP_EINVAL);
	}
	dma_close(&r);
}

/* A device that does not reach the buffer, and a device that just does. */
static void reach(void)
{
	static const struct {
		uint64_t mask;
		uint64_t phys_base;
		uint64_t bus_base;
		struct pkmap_dma_buffer buf;
		int err;
	} cases[] = {
		/* Page 0x64 is at 0x640, page 0x70 at 0x700. */
		{ 0x3ff, 0, 0, { 0x64, 0, 1 }, PKMAP_ERANGE },
		{ 0x7ff, 0, 0, { 0x64, 0, 16 }, 0 },
		{ 0x7ff, 0, 0x100, { 0x6f, 15, 1 }, 0 },
		{ 0x7ff, 0, 0x100, { 0x6f, 0, 16 }, 0 },
		{ 0x7ff, 0, 0x100, { 0x6f, 0, 17 }, PKMAP_ERANGE },
		{ 0x7ff, 0, 0x100, { 0x6f, 15, 2 }, PKMAP_ERANGE },
		{ 0x7ff, 0, 0x100, { 0x70, 0, 1 }, PKMAP_ERANGE },
		{ 0x0ff, 0x6f0, 0xf0, { 0x6f, 0, 16 }, 0 },
		{ 0x0ff, 0x6f0, 0xf0, { 0x6f, 0, 17 }, PKMAP_ERANGE },
		{ 0x0ff, 0x6f0, 0x100, { 0x6f, 0, 1 }, PKMAP_ERANGE },
		{ 0x0ff, 0x6f0, 0xff, { 0x6f, 0, 1 }, 0 },
		{ 0x001, 0x6f0, 0, { 0x6f, 0, 2 }, 0 },
		{ 0x001, 0x6f0, 0, { 0x6f, 0, 3 }, PKMAP_ERANGE },
		{ ALL, 0x6f0, 0, { 0x6f, 0, 1 }, 0 },
		{ ALL, 0x6f1, 0, { 0x6f, 0, 16 }, PKMAP_ERANGE },
		{ ALL, 0x6f1, 0, { 0x6f, 1, 1 }, 0 },
		{ ALL, ALL, 0, { 0x6f, 0, 1 }, PKMAP_ERANGE },
		{ ALL, 0x6f0, ALL - 15, { 0x6f, 0, 16 }, 0 },
		{ ALL, 0x6f0, ALL - 15, { 0x6f, 0, 17 }, PKMAP_ERANGE },
		{ ALL, 0x6f0, ALL - 15, { 0x70, 0, 1 }, PKMAP_ERANGE },
	};
	struct dma_recorder r;
	size_t i;

	open_with_all(&r);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pkmap_dma_device dev = {
			.addr_mask = cases[i].mask,
			.phys_base = cases[i].phys_base,
			.bus_base = cases[i].bus_base,
		};
		const struct pkmap_dma_buffer *buf = &cases[i].buf;

		if (cases[i].err) {
			check_refused(&r, DMA_MAP, &dev, buf, 1, FROM,
				      cases[i].err);
			continue;
		}
		CHECK(!dma_call(&r, DMA_MAP, &dev, buf, 1, FROM));
		CHECK(r.nsegs == 1 && r.seg[0].len == buf->len);
		CHECK(r.seg[0].addr == PHYS(buf->pfn) + buf->offset -
					       dev.phys_base + dev.bus_base);
	}
	dma_close(&r);
}

static void wrong_devices(void)
{
	static const struct pkmap_dma_device wrong[] = {
		{ .addr_mask = 0 },
		{ .addr_mask = 0x1234 },
		{ .addr_mask = ALL - 1 },
		{ .addr_mask = 0x10000 },
		{ .addr_mask = ALL, .boundary = 3 },
		{ .addr_mask = ALL, .boundary = ALL },
	};
	const struct pkmap_dma_buffer buf = { DMA_FIRST, 0, 4 };
	struct dma_recorder r;
	size_t i;

	open_with_all(&r);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		check_refused(&r, DMA_MAP, &wrong[i], &buf, 1, FROM,
			      PKMAP_EINVAL);
	dma_close(&r);
}

/* Three segments, and room for @room. */
static void no_room(void)
{
	static const struct pkmap_dma_buffer bufs[] = {
		{ DMA_FIRST, 0, 8 },
		{ DMA_FIRST + 2, 0, 4 },
	};
	const struct pkmap_dma_device dev = {
		.addr_mask = ALL,
		.max_segment = 4,
	};
	struct pkmap_dma_segment segs[3];
	struct pkmap_dma_segment untouched[3];
	struct dma_recorder r;
	uint32_t room;

	open_with_all(&r);
	memset(untouched, 0x5a, sizeof(untouched));
	memset(segs, 0x5a, sizeof(segs));
	for (room = 0; room < 3; room++) {
		CHECK(pkmap_dma_map(r.dma, &dev, bufs, 2, FROM, segs, room) ==
		      PKMAP_ENOSPC);
		CHECK(!memcmp(segs, untouched, sizeof(segs)));
		CHECK(dma_stats(&r).refused == room + 1);
	}
	CHECK(!r.nlog && !r.f.nlog);
	CHECK(pkmap_dma_map(r.dma, &dev, bufs, 2, FROM, segs, 3) == 3);
	dma_close(&r);
}

/* Whether a call shares a line of 4 bytes that the device writes to. */
static void check_strict(struct dma_recorder *r, bool strict, bool coherent,
			 size_t offset, size_t len)
{
	const struct pkmap_dma_device dev = {
		.addr_mask = ALL,
		.coherent = coherent,
	};
	const struct pkmap_dma_buffer buf = { DMA_FIRST, offset, len };
	const bool shares = offset % 4 || (offset + len) % 4;
	enum pkmap_dma_dir dir = TO;
	enum dma_moment moment;

	for (; dir <= PKMAP_DMA_BIDIRECTIONAL; dir++) {
		for (moment = 0; moment < DMA_NMOMENTS; moment++) {
			if (strict && shares && !coherent && dir != TO)
				check_refused(r, moment, &dev, &buf, 1, dir,
					      PKMAP_EINVAL);
			else
				CHECK(!dma_call(r, moment, &dev, &buf, 1, dir));
			dma_clear_log(r);
		}
	}
}

static void strict(void)
{
	struct dma_recorder r;
	size_t offset;
	size_t len;
	int mode;

	for (mode = 0; mode < 4; mode++) {
		dma_init(&r);
		r.config.strict = mode & 1;
		dma_open(&r);
		for (offset = 0; offset < 8; offset++) {
			for (len = 1; len <= 12; len++)
				check_strict(&r, mode & 1, mode & 2, offset,
					     len);
		}
		dma_close(&r);
	}
}

/* One buffer that shares a line is enough. */
static void strict_list(void)
{
	static const struct pkmap_dma_buffer bufs[] = {
		{ DMA_FIRST, 0, 4 },
		{ DMA_LOW_FIRST, 0, 5 },
		{ DMA_FIRST, 8, 4 },
	};
	struct dma_recorder r;

	dma_init(&r);
	r.config.strict = true;
	dma_open(&r);
	check_refused(&r, DMA_MAP, &dma_device, bufs, 3, FROM, PKMAP_EINVAL);
	CHECK(!dma_call(&r, DMA_MAP, &dma_device, bufs, 3, TO));
	CHECK(!dma_call(&r, DMA_MAP, &dma_device, bufs, 1, FROM));
	dma_close(&r);
}

static bool is_low_buffer(const struct pkmap_dma_buffer *buf, uintptr_t at,
			  size_t len)
{
	return buf->offset < DMA_PAGE && buf->len == len &&
	       PHYS(buf->pfn) + buf->offset == PHYS(DMA_LOW_FIRST) + at;
}

/* Every buffer that lies in low memory, or starts or ends near it. */
static void low_buffers(void)
{
	const struct pkmap_dma_buffer none = { 1, 2, 3 };
	const size_t low_bytes = DMA_LOW_NPAGES * DMA_PAGE;
	struct pkmap_dma_buffer buf;
	struct dma_recorder r;
	uintptr_t at;
	size_t len;
	int err;

	dma_init(&r);
	dma_open(&r);
	for (at = (uintptr_t)0 - 2; at != low_bytes + 2; at++) {
		for (len = 0; len <= low_bytes + 2; len++) {
			buf = none;
			err = pkmap_dma_low_buffer(
				r.dma, (void *)(DMA_LOW_BASE + at), len, &buf);
			if (len && at < low_bytes && at + len <= low_bytes) {
				CHECK(!err && is_low_buffer(&buf, at, len));
				continue;
			}
			CHECK(err == (len ? PKMAP_ERANGE : PKMAP_EINVAL));
			CHECK(!memcmp(&buf, &none, sizeof(buf)));
		}
	}
	dma_close(&r);
}

static void low_buffers_far_away(void)
{
	static const struct {
		uintptr_t addr;
		size_t len;
	} far[] = {
		{ 0, 1 },
		{ UINTPTR_MAX, 1 },
		{ DMA_LOW_BASE, SIZE_MAX },
		{ DMA_LOW_BASE + 1, SIZE_MAX },
		{ FAKE_BASE, 1 },
	};
	struct pkmap_dma_buffer buf;
	struct dma_recorder r;
	size_t i;

	dma_init(&r);
	dma_open(&r);
	for (i = 0; i < ARRAY_SIZE(far); i++)
		CHECK(pkmap_dma_low_buffer(r.dma, (void *)far[i].addr,
					   far[i].len, &buf) == PKMAP_ERANGE);
	dma_close(&r);

	dma_init(&r);
	r.config.low_bytes = 0;
	dma_open(&r);
	CHECK(pkmap_dma_low_buffer(r.dma, (void *)DMA_LOW_BASE, 1, &buf) ==
	      PKMAP_ERANGE);
	dma_close(&r);
}

/* Each changes one thing that makes a valid configuration invalid. */

static void no_window(struct dma_recorder *r)
{
	r->config.win = NULL;
}

static void no_ops(struct dma_recorder *r)
{
	r->config.ops = NULL;
}

static void no_cache_op(struct dma_recorder *r)
{
	r->ops.cache = NULL;
}

static void no_line(struct dma_recorder *r)
{
	r->config.line_bytes = 0;
}

static void line_not_power_of_two(struct dma_recorder *r)
{
	r->config.line_bytes = 6;
}

static void line_longer_than_page(struct dma_recorder *r)
{
	r->config.line_bytes = 2 * DMA_PAGE;
}

static void low_not_whole_pages(struct dma_recorder *r)
{
	r->config.low_bytes = DMA_PAGE + 1;
}

static void low_less_than_a_page(struct dma_recorder *r)
{
	r->config.low_bytes = DMA_PAGE - 1;
}

static void low_unaligned(struct dma_recorder *r)
{
	r->config.low_base = (char *)r->config.low_base + DMA_PAGE / 2;
}

static void low_base_wraps(struct dma_recorder *r)
{
	r->config.low_base = (void *)(UINTPTR_MAX - 7 * DMA_PAGE + 1);
}

static void low_pages_wrap(struct dma_recorder *r)
{
	r->config.low_first_pfn = PKMAP_NO_PFN - 6;
}

/* Then the page behind the last would be at address 2^64. */
static void low_pages_reach_2_64(struct dma_recorder *r)
{
	r->config.low_first_pfn =
		(pkmap_pfn)(UINT64_MAX >> DMA_PAGE_SHIFT) - DMA_LOW_NPAGES + 1;
}

static void low_pages_end_below_2_64(struct dma_recorder *r)
{
	r->config.low_first_pfn =
		(pkmap_pfn)(UINT64_MAX >> DMA_PAGE_SHIFT) - DMA_LOW_NPAGES;
}

static void low_is_the_windows(struct dma_recorder *r)
{
	r->config.low_first_pfn = DMA_FIRST + 1;
}

static void low_reaches_into_the_window(struct dma_recorder *r)
{
	r->config.low_first_pfn = DMA_FIRST - DMA_LOW_NPAGES + 1;
}

static void low_starts_in_the_window(struct dma_recorder *r)
{
	r->config.low_first_pfn = LAST;
}

static void low_contains_the_window(struct dma_recorder *r)
{
	r->config.low_first_pfn = DMA_FIRST - 1;
	r->config.low_bytes = (DMA_NPAGES + 2) * DMA_PAGE;
}

static void low_first_before_the_window(struct dma_recorder *r)
{
	r->config.low_first_pfn = DMA_FIRST - DMA_LOW_NPAGES;
}

static void low_right_behind_the_window(struct dma_recorder *r)
{
	r->config.low_first_pfn = LAST + 1;
}

static void line_as_long_as_a_page(struct dma_recorder *r)
{
	r->config.line_bytes = DMA_PAGE;
}

static void no_low_memory(struct dma_recorder *r)
{
	r->config.low_base = (void *)1;
	r->config.low_bytes = 0;
	r->config.low_first_pfn = DMA_FIRST;
}

/* All of it mapped one to one, as small systems have it. */
static void low_at_address_0(struct dma_recorder *r)
{
	r->config.low_base = NULL;
}

static void low_up_to_the_last_address(struct dma_recorder *r)
{
	CHECK(r->config.low_bytes == 8 * DMA_PAGE);
	r->config.low_base = (void *)(UINTPTR_MAX - 8 * DMA_PAGE + 1);
}

static void no_outer_cache(struct dma_recorder *r)
{
	r->ops.outer = NULL;
}

static void check_init(void (*change)(struct dma_recorder *r), bool right)
{
	static _Alignas(PKMAP_ALIGN) unsigned char mem[1024];
	struct pkmap_dma *dma = NULL;
	struct dma_recorder r;

	dma_init(&r);
	r.has_outer = true;
	dma_open(&r);
	change(&r);
	CHECK(pkmap_dma_size(&r.config) <= sizeof(mem));
	CHECK(!pkmap_dma_size(&r.config) == !right);
	CHECK(pkmap_dma_init(mem, &r.config, &dma) ==
	      (right ? 0 : PKMAP_EINVAL));
	CHECK(!dma == !right);
	dma_close(&r);
}

static void init_refuses(void)
{
	static void (*const wrong[])(struct dma_recorder * r) = {
		no_window,
		no_ops,
		no_cache_op,
		no_line,
		line_not_power_of_two,
		line_longer_than_page,
		low_not_whole_pages,
		low_less_than_a_page,
		low_unaligned,
		low_base_wraps,
		low_pages_wrap,
		low_pages_reach_2_64,
		low_is_the_windows,
		low_reaches_into_the_window,
		low_starts_in_the_window,
		low_contains_the_window,
	};
	struct pkmap_dma *dma = NULL;
	struct dma_recorder r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		check_init(wrong[i], false);

	/* The window's pages reach 2^64, if a pfn has enough bits for that. */
	dma_init(&r);
	if (sizeof(pkmap_pfn) == sizeof(uint64_t)) {
		r.f.config.first_pfn =
			(pkmap_pfn)(UINT64_MAX >> DMA_PAGE_SHIFT) - DMA_NPAGES +
			1;
		dma_open_window(&r);
		CHECK(!pkmap_dma_size(&r.config));
		dma_close(&r);
	}

	CHECK(!pkmap_dma_size(NULL));
	dma_init(&r);
	dma_open(&r);
	CHECK(pkmap_dma_init(NULL, &r.config, &dma) == PKMAP_EINVAL);
	CHECK(pkmap_dma_init((char *)r.mem + 8, &r.config, &dma) ==
	      PKMAP_EINVAL);
	CHECK(!dma);
	dma_close(&r);
}

static void init_accepts(void)
{
	static void (*const right[])(struct dma_recorder * r) = {
		low_first_before_the_window,
		low_right_behind_the_window,
		line_as_long_as_a_page,
		no_low_memory,
		low_at_address_0,
		low_pages_end_below_2_64,
		low_up_to_the_last_address,
		no_outer_cache,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(right); i++)
		check_init(right[i], true);
}

/* Which window a cache takes: with slots for DMA calls, unless none is used. */
static void windows(void)
{
	static const struct {
		enum pkmap_cache_kind kind;
		uint32_t dma_slots;
		bool phys;
		bool right;
	} cases[] = {
		{ PKMAP_CACHE_VIVT, 0, false, true },
		{ PKMAP_CACHE_VIVT, 1, false, true },
		{ PKMAP_CACHE_VIVT, 0, true, false },
		{ PKMAP_CACHE_VIVT, 1, true, false },
		{ PKMAP_CACHE_VIPT, 0, false, false },
		{ PKMAP_CACHE_VIPT, 1, false, true },
		{ PKMAP_CACHE_VIPT, 0, true, true },
		{ PKMAP_CACHE_PIPT, 0, false, false },
		{ PKMAP_CACHE_PIPT, 1, false, true },
		{ PKMAP_CACHE_PIPT, 0, true, true },
	};
	struct dma_recorder r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		dma_init(&r);
		r.f.config.cache.kind = cases[i].kind;
		r.f.config.dma_slots = cases[i].dma_slots;
		r.has_phys = cases[i].phys;
		dma_open_window(&r);
		CHECK(!pkmap_dma_size(&r.config) == !cases[i].right);
		dma_close(&r);
	}
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(wrong_buffers),    UNIT_TEST(right_buffers),
	UNIT_TEST(wrong_directions), UNIT_TEST(reach),
	UNIT_TEST(wrong_devices),    UNIT_TEST(no_room),
	UNIT_TEST(strict),	     UNIT_TEST(strict_list),
	UNIT_TEST(low_buffers),	     UNIT_TEST(low_buffers_far_away),
	UNIT_TEST(init_refuses),     UNIT_TEST(init_accepts),
	UNIT_TEST(windows),	     { 0 },
};
