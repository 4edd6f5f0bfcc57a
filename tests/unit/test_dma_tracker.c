// SPDX-License-Identifier: MIT
/*
 * test_dma_tracker.c - what the tracker reports, how, and what it accepts.
 */
#include "tracker_port.h"
#include "unit_test.h"

#include <string.h>

#define TO	     PKMAP_DMA_TO_DEVICE
#define FROM	     PKMAP_DMA_FROM_DEVICE
#define BIDIR	     PKMAP_DMA_BIDIRECTIONAL

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct tracker t;

static void open_tracker(void)
{
	tracker_init(&t);
	tracker_open(&t);
}

static struct transfer transfer(pkmap_pfn pfn, size_t offset, size_t len,
				enum pkmap_dma_dir dir)
{
	return (struct transfer){
		.dev = &devices[0],
		.buf = { .pfn = pfn, .offset = offset, .len = len },
		.dir = dir,
	};
}

static void map(const struct transfer *x)
{
	CHECK(!tracker_map(&t, x));
}

static void unmap(const struct transfer *x)
{
	CHECK(!tracker_unmap(&t, x));
}

static void sync(const struct transfer *x)
{
	CHECK(!tracker_sync_for_cpu(&t, x));
	CHECK(!tracker_sync_for_device(&t, x));
}

/* The calls that can be refused. */
static const struct call {
	const char *name;
	int (*make)(struct tracker *tracker, const struct transfer *x);
} calls[] = {
	{ "pkmap_dma_unmap", tracker_unmap },
	{ "pkmap_dma_sync_for_cpu", tracker_sync_for_cpu },
	{ "pkmap_dma_sync_for_device", tracker_sync_for_device },
};

/*
 * The call contradicts @known: it is refused, reported once, and does nothing.
 */
static void refused(const struct call *call, const struct transfer *x,
		    enum pkmap_dma_misuse what, const struct transfer *known)
{
	const unsigned int n = t.nreports;
	const unsigned int ncache = t.ncache;

	CHECK(call->make(&t, x) == PKMAP_EINVAL);
	CHECK(t.nreports == n + 1);
	tracker_check(&t, n, what, call->name, x, known);
	CHECK(t.ncache == ncache);
	CHECK(tracker_stats(&t).misuses == n + 1);
	CHECK(tracker_stats(&t).refused == n + 1);
}

/* In each direction, a buffer at byte 256 of page 5, with 512 bytes. */
static const struct wrong {
	size_t start;
	size_t len;
	uint32_t turned; /* another direction, of the two that there are */
	uint32_t dev;
	enum pkmap_dma_misuse unmap;
	enum pkmap_dma_misuse sync;
} wrong[] = {
	/* The next page; beside the buffer; one byte more at either end. */
	{ 4352, 512, 0, 0, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_UNMAPPED },
	{ 255, 1, 0, 0, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_UNMAPPED },
	{ 768, 1, 0, 0, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_UNMAPPED },
	{ 255, 513, 0, 0, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_UNMAPPED },
	{ 256, 513, 0, 0, PKMAP_DMA_UNMAP_LENGTH, PKMAP_DMA_SYNC_UNMAPPED },
	{ 256, 4096, 0, 0, PKMAP_DMA_UNMAP_LENGTH, PKMAP_DMA_SYNC_UNMAPPED },
	{ 256, 512, 1, 0, PKMAP_DMA_UNMAP_DIRECTION, PKMAP_DMA_SYNC_DIRECTION },
	{ 256, 512, 2, 0, PKMAP_DMA_UNMAP_DIRECTION, PKMAP_DMA_SYNC_DIRECTION },
	{ 256, 512, 0, 1, PKMAP_DMA_UNMAP_DEVICE, PKMAP_DMA_SYNC_DEVICE },
	/* Parts: their last byte is the buffer's. */
	{ 257, 511, 1, 0, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_DIRECTION },
	{ 767, 1, 0, 1, PKMAP_DMA_UNMAP_UNMAPPED, PKMAP_DMA_SYNC_DEVICE },
};

/* Whether the report is to say which mapping the call contradicts. */
static bool knows(enum pkmap_dma_misuse what)
{
	return what != PKMAP_DMA_UNMAP_UNMAPPED &&
	       what != PKMAP_DMA_SYNC_UNMAPPED;
}

static void refuse_one(const struct call *call, const struct wrong *row,
		       enum pkmap_dma_dir dir)
{
	const struct transfer mapped = transfer(5, 256, 512, dir);
	const enum pkmap_dma_misuse what = call == calls ? row->unmap :
							   row->sync;
	const struct transfer x = {
		.dev = &devices[row->dev],
		.buf = { .pfn = 5 + row->start / FAKE_PAGE,
			 .offset = row->start % FAKE_PAGE,
			 .len = row->len },
		.dir = (enum pkmap_dma_dir)(1 + (dir - 1 + row->turned) % 3),
	};

	open_tracker();
	map(&mapped);
	refused(call, &x, what, knows(what) ? &mapped : NULL);
	sync(&mapped);
	unmap(&mapped);
	CHECK(t.nreports == 1);
	tracker_close(&t);
}

static void wrong_calls(void)
{
	uint32_t call;
	uint32_t row;
	int dir;

	for (call = 0; call < COUNT(calls); call++) {
		for (row = 0; row < COUNT(wrong); row++) {
			for (dir = TO; dir <= BIDIR; dir++)
				refuse_one(&calls[call], &wrong[row],
					   (enum pkmap_dma_dir)dir);
		}
	}
}

static void after_unmap(void)
{
	const struct transfer x = transfer(5, 0, 100, FROM);

	open_tracker();
	map(&x);
	unmap(&x);
	refused(&calls[0], &x, PKMAP_DMA_UNMAP_UNMAPPED, NULL);
	refused(&calls[1], &x, PKMAP_DMA_SYNC_UNMAPPED, NULL);
	refused(&calls[2], &x, PKMAP_DMA_SYNC_UNMAPPED, NULL);
	tracker_close(&t);
}

/* A buffer can be unmapped as often as it was mapped, and no more. */
static void sent_twice(void)
{
	const struct transfer x = transfer(5, 0, 100, TO);
	struct transfer other = x;

	other.dev = &devices[1];
	open_tracker();
	map(&x);
	map(&other);
	map(&x);
	sync(&x);
	sync(&other);
	unmap(&x);
	unmap(&x);
	CHECK(!t.nreports);
	refused(&calls[0], &x, PKMAP_DMA_UNMAP_DEVICE, &other);
	unmap(&other);
	tracker_close(&t);
}

static void parts_synced(void)
{
	const struct transfer x = transfer(5, 100, 8000, FROM);
	const struct transfer parts[] = {
		transfer(5, 100, 1, FROM),
		transfer(5, 4095, 2, FROM),
		transfer(6, 0, 4004, FROM),
		transfer(6, 4003, 1, FROM),
	};
	uint32_t i;

	open_tracker();
	map(&x);
	for (i = 0; i < COUNT(parts); i++)
		sync(&parts[i]);
	unmap(&x);
	CHECK(!t.nreports);
	tracker_close(&t);
}

/* Bytes of pages 5 and 6, to compare with bytes 4000 to 4199 of them. */
static const struct range {
	size_t start;
	size_t len;
} ranges[] = {
	{ 4000, 200 }, { 4199, 1 },  { 4000, 1 },    { 3999, 2 },
	{ 4199, 50 },  { 4096, 50 }, { 3000, 4000 }, { 3999, 1 },
	{ 4200, 1 },   { 3000, 10 }, { 8191, 1 },    { 4192, 64 },
};

static struct transfer of_range(const struct range *r, enum pkmap_dma_dir dir)
{
	return transfer(5 + r->start / FAKE_PAGE, r->start % FAKE_PAGE, r->len,
			dir);
}

static bool share_a_byte(const struct range *a, const struct range *b)
{
	size_t i;
	size_t k;

	for (i = 0; i < a->len; i++) {
		for (k = 0; k < b->len; k++) {
			if (a->start + i == b->start + k)
				return true;
		}
	}
	return false;
}

/* Devices may write to what shares a line, but not to the same byte. */
static void overlap(const struct range *range, enum pkmap_dma_dir first_dir,
		    enum pkmap_dma_dir second_dir)
{
	const struct transfer first = of_range(&ranges[0], first_dir);
	const struct transfer second = of_range(range, second_dir);
	const bool expected = share_a_byte(&ranges[0], range) &&
			      first_dir != TO && second_dir != TO;

	open_tracker();
	map(&first);
	CHECK(!t.nreports);
	map(&second);
	CHECK(t.nreports == expected);
	if (expected)
		tracker_check(&t, 0, PKMAP_DMA_OVERLAP, "pkmap_dma_map",
			      &second, &first);
	unmap(&first);
	unmap(&second);
	CHECK(t.nreports == expected);
	tracker_close(&t);
}

static void overlaps(void)
{
	uint32_t i;
	int a;
	int b;

	for (i = 0; i < COUNT(ranges); i++) {
		for (a = TO; a <= BIDIR; a++) {
			for (b = TO; b <= BIDIR; b++)
				overlap(&ranges[i], (enum pkmap_dma_dir)a,
					(enum pkmap_dma_dir)b);
		}
	}
}

#define NLIST 3u

static const struct pkmap_dma_buffer list[NLIST] = {
	{ .pfn = 5, .offset = 0, .len = 100 },
	{ .pfn = 5, .offset = 100, .len = 8000 },
	{ .pfn = 3, .offset = 4095, .len = 1 },
};

static void map_list(enum pkmap_dma_dir dir)
{
	struct pkmap_dma_segment segs[NLIST];

	CHECK(pkmap_dma_map(t.dma, &devices[0], list, NLIST, dir, segs, NLIST) >
	      0);
}

static int unmap_list(const struct pkmap_dma_buffer *bufs,
		      enum pkmap_dma_dir dir)
{
	return pkmap_dma_unmap(t.dma, &devices[0], bufs, NLIST, dir);
}

static int sync_list(const struct pkmap_dma_buffer *bufs,
		     enum pkmap_dma_dir dir)
{
	return pkmap_dma_sync_for_cpu(t.dma, &devices[0], bufs, NLIST, dir);
}

/* One entry is wrong: none is unmapped, or synced. */
static void wrong_entry(uint32_t nr)
{
	struct pkmap_dma_buffer bufs[NLIST];
	struct transfer x;
	struct transfer known;
	unsigned int ncache;

	memcpy(bufs, list, sizeof(bufs));
	bufs[nr].len++;
	x = transfer(bufs[nr].pfn, bufs[nr].offset, bufs[nr].len, FROM);
	known = x;
	known.buf = list[nr];

	open_tracker();
	map_list(FROM);
	ncache = t.ncache;
	CHECK(unmap_list(bufs, FROM) == PKMAP_EINVAL);
	CHECK(sync_list(bufs, FROM) == PKMAP_EINVAL);
	CHECK(t.nreports == 2 && t.ncache == ncache);
	tracker_check(&t, 0, PKMAP_DMA_UNMAP_LENGTH, "pkmap_dma_unmap", &x,
		      &known);
	tracker_check(&t, 1, PKMAP_DMA_SYNC_UNMAPPED, "pkmap_dma_sync_for_cpu",
		      &x, NULL);

	CHECK(pkmap_dma_leaks(t.dma, NULL) == NLIST);
	CHECK(t.nreports == 2 + NLIST);
	CHECK(!sync_list(list, FROM));
	CHECK(!unmap_list(list, FROM));
	CHECK(t.nreports == 2 + NLIST);
	tracker_close(&t);
}

static void lists(void)
{
	uint32_t i;

	open_tracker();
	map_list(BIDIR);
	CHECK(!sync_list(list, BIDIR));
	CHECK(!unmap_list(list, BIDIR));
	CHECK(!t.nreports);
	tracker_close(&t);
	for (i = 0; i < NLIST; i++)
		wrong_entry(i);
}

/* A list cannot unmap twice what was mapped once. */
static void twice_in_a_list(void)
{
	const struct transfer x = transfer(5, 0, 100, TO);
	const struct transfer other = transfer(6, 0, 100, TO);
	const struct pkmap_dma_buffer bufs[NLIST] = { x.buf, other.buf, x.buf };

	open_tracker();
	map(&x);
	map(&other);
	CHECK(unmap_list(bufs, TO) == PKMAP_EINVAL);
	CHECK(t.nreports == 1);
	tracker_check(&t, 0, PKMAP_DMA_UNMAP_UNMAPPED, "pkmap_dma_unmap", &x,
		      NULL);
	map(&x);
	CHECK(!unmap_list(bufs, TO));
	CHECK(t.nreports == 1);
	tracker_close(&t);
}

static void entries_are_reused(void)
{
	struct transfer x[7];
	uint32_t i;

	for (i = 0; i < COUNT(x); i++)
		x[i] = transfer(10 + i, 64, 128, FROM);
	open_tracker();
	for (i = 0; i < 20000; i++) {
		if (i >= COUNT(x))
			unmap(&x[i % COUNT(x)]);
		map(&x[i % COUNT(x)]);
		fake_clear_log(&t.f);
	}
	CHECK(!t.nreports);
	for (i = 0; i < COUNT(x); i++)
		unmap(&x[i]);
	tracker_close(&t);
}

/* When the entries run out, the tracker accepts every call. */
static void entries_run_out(void)
{
	const struct transfer x = transfer(5, 0, 100, FROM);
	const struct transfer unknown = transfer(9, 0, 100, FROM);
	struct transfer third;
	uint32_t i;
	void *addr;

	third = x;
	third.buf = list[2];
	tracker_init(&t);
	t.config.tracker_entries = 3;
	tracker_open(&t);
	map(&x);
	unmap(&x);
	map(&unknown);
	map_list(FROM);
	CHECK(t.nreports == 1);
	tracker_check(&t, 0, PKMAP_DMA_TRACKER_FULL, "pkmap_dma_map", &third,
		      NULL);

	addr = fake_local_map(&t.f, 5);
	map(&x);
	fake_local_unmap(&t.f, addr);
	for (i = 0; i < COUNT(calls); i++) {
		CHECK(!calls[i].make(&t, &third));
		CHECK(!calls[i].make(&t, &third));
	}
	CHECK(!pkmap_dma_leaks(t.dma, NULL));
	CHECK(t.nreports == 1 && tracker_stats(&t).misuses == 1);
	CHECK(!tracker_stats(&t).refused);
	tracker_discard(&t);
}

static void leaks(void)
{
	const struct transfer first = transfer(5, 0, 100, FROM);
	struct transfer second = transfer(6, 0, 100, TO);

	second.dev = &devices[1];
	open_tracker();
	CHECK(!pkmap_dma_leaks(t.dma, NULL));
	map(&first);
	map(&second);
	CHECK(pkmap_dma_leaks(t.dma, &devices[1]) == 1);
	CHECK(t.nreports == 1);
	tracker_check(&t, 0, PKMAP_DMA_NEVER_UNMAPPED, "pkmap_dma_leaks",
		      &second, NULL);

	/* All leaks are counted, and each is reported once. */
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 2);
	CHECK(t.nreports == 2);
	tracker_check(&t, 1, PKMAP_DMA_NEVER_UNMAPPED, "pkmap_dma_leaks",
		      &first, NULL);
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 2);
	CHECK(pkmap_dma_leaks(t.dma, &devices[0]) == 1);
	CHECK(t.nreports == 2);

	/* They are mapped as before. */
	sync(&first);
	unmap(&first);
	unmap(&second);
	CHECK(!pkmap_dma_leaks(t.dma, NULL));
	/* The same buffer's next mapping is another. */
	map(&first);
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 1);
	CHECK(t.nreports == 3);
	unmap(&first);
	tracker_close(&t);
}

/*
 * A buffer is given to a device while a local map is open.  That is reported
 * each time, and never refused.
 */
static void give_with_local_map(const struct transfer *x, pkmap_pfn page,
				bool is_mapped, bool inner)
{
	void *outer;
	void *addr;

	open_tracker();
	if (is_mapped)
		fake_touch(&t.f, page);
	outer = fake_local_map(&t.f, inner ? page : 100);
	addr = fake_local_map(&t.f, page);

	map(x);
	CHECK(t.nreports == 1);
	tracker_check(&t, 0, PKMAP_DMA_LOCAL_MAP, "pkmap_dma_map", x, NULL);
	CHECK(!tracker_sync_for_cpu(&t, x));
	CHECK(t.nreports == 1);
	CHECK(!tracker_sync_for_device(&t, x));
	CHECK(t.nreports == 2);
	tracker_check(&t, 1, PKMAP_DMA_LOCAL_MAP, "pkmap_dma_sync_for_device",
		      x, NULL);
	unmap(x);

	fake_local_unmap(&t.f, addr);
	fake_local_unmap(&t.f, outer);
	map(x);
	sync(x);
	unmap(x);
	CHECK(t.nreports == 2 && !tracker_stats(&t).refused);
	tracker_close(&t);
}

static void local_map_open(void)
{
	struct transfer x = transfer(5, 4095, 4098, FROM);
	int dir;
	int is_mapped;
	int inner;
	pkmap_pfn page;

	for (dir = TO; dir <= BIDIR; dir++) {
		for (page = 5; page <= 7; page++) {
			for (is_mapped = 0; is_mapped < 2; is_mapped++) {
				for (inner = 0; inner < 2; inner++) {
					x.dir = (enum pkmap_dma_dir)dir;
					give_with_local_map(&x, page, is_mapped,
							    inner);
				}
			}
		}
	}
}

/* Local maps of all its pages: there is one report for each buffer. */
static void several_local_maps(void)
{
	const struct transfer x = transfer(5, 0, 8192, FROM);
	void *addrs[2];

	open_tracker();
	addrs[0] = fake_local_map(&t.f, 5);
	addrs[1] = fake_local_map(&t.f, 6);
	map(&x);
	CHECK(t.nreports == 1);
	fake_local_unmap(&t.f, addrs[1]);
	fake_local_unmap(&t.f, addrs[0]);
	unmap(&x);
	tracker_close(&t);
}

static void local_map_of_others(void)
{
	const struct transfer x = transfer(5, 4000, 96, FROM);
	void *addrs[2];

	open_tracker();
	addrs[0] = fake_local_map(&t.f, 4);
	addrs[1] = fake_local_map(&t.f, 6);
	map(&x);
	sync(&x);
	unmap(&x);
	fake_local_unmap(&t.f, addrs[1]);
	fake_local_unmap(&t.f, addrs[0]);

	/* Local maps of another CPU are not reported. */
	addrs[0] = fake_local_map(&t.f, 5);
	t.f.cpu = 1;
	map(&x);
	unmap(&x);
	t.f.cpu = 0;
	fake_local_unmap(&t.f, addrs[0]);
	CHECK(!t.nreports);
	tracker_close(&t);
}

static void map_in_interrupt(struct fake *f, const struct fake_event *e)
{
	struct transfer x = transfer(5, 0, 100, TO);
	const struct pkmap_dma_device coherent = {
		.addr_mask = UINT64_MAX,
		.coherent = true,
	};

	(void)f;
	(void)e;
	x.dev = &coherent;
	map(&x);
	sync(&x);
	unmap(&x);
}

static void count_by_address(void *port, enum pkmap_cache_op op, void *addr,
			     size_t bytes)
{
	struct tracker *tracker = port;

	(void)op;
	(void)addr;
	(void)bytes;
	tracker->ncache++;
}

/* A local map that is being closed is no longer in use. */
static void local_map_closing(void)
{
	static const enum fake_op moments[] = { FAKE_CLEAN, FAKE_CLEAR,
						FAKE_FLUSH_TLB };
	struct pkmap_dma_ops by_address;
	uint32_t i;
	void *addr;

	for (i = 0; i < COUNT(moments); i++) {
		tracker_init(&t);
		by_address = *t.config.ops;
		by_address.cache_phys = NULL;
		by_address.cache = count_by_address;
		t.config.ops = &by_address;
		t.f.config.cache.kind = PKMAP_CACHE_VIVT;
		t.f.config.cache.speculative = false;
		tracker_open(&t);
		addr = fake_local_map(&t.f, 5);
		t.f.hook_op = moments[i];
		t.f.hook = map_in_interrupt;
		fake_local_unmap(&t.f, addr);
		t.f.hook = NULL;
		CHECK(tracker_stats(&t).maps == 1 && !t.nreports && !t.ncache);
		tracker_discard(&t);
	}
}

/* The slot in which a DMA call shows a page is no local map. */
static void interrupt_in_operation(void *port, enum pkmap_cache_op op,
				   void *addr, size_t bytes)
{
	struct tracker *tracker = port;

	(void)op;
	(void)addr;
	(void)bytes;
	tracker->ncache++;
	map_in_interrupt(&tracker->f, NULL);
}

/*
 * A layer that works on lines by address, in a slot for pages that are not
 * mapped.
 */
static void open_by_address(struct pkmap_dma_ops *ops)
{
	tracker_init(&t);
	*ops = *t.config.ops;
	ops->cache_phys = NULL;
	ops->cache = interrupt_in_operation;
	t.config.ops = ops;
	t.f.config.dma_slots = 1;
	tracker_open(&t);
}

static void nested_calls(void)
{
	const struct transfer x = transfer(5, 0, 100, TO);
	struct pkmap_dma_ops ops;

	open_by_address(&ops);
	fake_touch(&t.f, 5);
	map(&x);
	sync(&x);
	unmap(&x);
	CHECK(t.ncache == 2 && tracker_stats(&t).maps == 3);
	CHECK(!t.nreports);
	tracker_discard(&t);
}

static void failed_map(void)
{
	const struct transfer x = transfer(5, 0, 100, TO);
	struct pkmap_dma_ops ops;

	open_by_address(&ops);
	t.f.enter_error = PKMAP_EBUSY;
	CHECK(tracker_map(&t, &x) == PKMAP_EBUSY);
	t.f.enter_error = 0;
	CHECK(!pkmap_dma_leaks(t.dma, NULL) && !t.nreports);
	CHECK(tracker_unmap(&t, &x) == PKMAP_EINVAL);
	tracker_check(&t, 0, PKMAP_DMA_UNMAP_UNMAPPED, "pkmap_dma_unmap", &x,
		      NULL);
	tracker_discard(&t);
}

static void failed_unmap(void)
{
	const struct transfer x = transfer(5, 0, 100, FROM);
	struct pkmap_dma_ops ops;

	open_by_address(&ops);
	fake_touch(&t.f, 5);
	map(&x);
	CHECK(pkmap_flush_unused(t.f.win) == 1);
	t.f.enter_error = PKMAP_EBUSY;
	CHECK(tracker_unmap(&t, &x) == PKMAP_EBUSY);
	t.f.enter_error = 0;
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 1 && t.nreports == 1);

	fake_touch(&t.f, 5);
	unmap(&x);
	CHECK(!pkmap_dma_leaks(t.dma, NULL) && t.nreports == 1);
	tracker_discard(&t);
}

/*
 * An unmap that is refused or fails leaves its mappings as they were: what was
 * reported is not reported again.
 */
static void unmap_fails(const struct transfer *x)
{
	const unsigned int n = t.nreports;

	CHECK(pkmap_flush_unused(t.f.win) == 1);
	t.f.enter_error = PKMAP_EBUSY;
	CHECK(tracker_unmap(&t, x) == PKMAP_EBUSY);
	t.f.enter_error = 0;
	CHECK(t.nreports == n);
	fake_touch(&t.f, x->buf.pfn);
}

static void told_once(void)
{
	const struct transfer other = transfer(5, 0, 100, FROM);
	const struct transfer x = transfer(5, 50, 100, FROM);
	const struct transfer bad = transfer(6, 0, 100, FROM);
	const struct pkmap_dma_buffer bufs[NLIST] = { x.buf, other.buf,
						      bad.buf };
	struct pkmap_dma_ops ops;

	open_by_address(&ops);
	fake_touch(&t.f, 5);
	map(&other);
	map(&x);
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 2);
	CHECK(t.nreports == 3);

	CHECK(unmap_list(bufs, FROM) == PKMAP_EINVAL);
	CHECK(t.nreports == 4);
	tracker_check(&t, 3, PKMAP_DMA_UNMAP_UNMAPPED, "pkmap_dma_unmap", &bad,
		      NULL);
	unmap_fails(&x);
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 2);
	CHECK(t.nreports == 4);
	unmap(&other);
	unmap(&x);
	tracker_discard(&t);
}

static void no_report_operation(void)
{
	const struct transfer x = transfer(5, 0, 100, FROM);
	struct pkmap_dma_ops silent;

	tracker_init(&t);
	silent = *t.config.ops;
	silent.report = NULL;
	t.config.ops = &silent;
	tracker_open(&t);
	CHECK(tracker_unmap(&t, &x) == PKMAP_EINVAL);
	map(&x);
	map(&x);
	CHECK(pkmap_dma_leaks(t.dma, NULL) == 2);
	CHECK(tracker_stats(&t).misuses == 4 && !t.nreports);
	tracker_discard(&t);
}

/* Buffers that differ only in high bits are different buffers. */
static void far_apart(pkmap_pfn near, pkmap_pfn distance)
{
	const struct transfer x = transfer(near, 100, 200, FROM);
	const struct transfer far = transfer(near + distance, 100, 200, FROM);
	const struct transfer end = transfer(near, 4095, 2, FROM);
	const struct transfer next = transfer(near + 1, 0, 1, BIDIR);

	tracker_init(&t);
	t.f.config.first_pfn = near;
	t.f.config.npages = distance + FAKE_NPAGES;
	tracker_open(&t);
	map(&x);
	refused(&calls[0], &far, PKMAP_DMA_UNMAP_UNMAPPED, NULL);
	refused(&calls[1], &far, PKMAP_DMA_SYNC_UNMAPPED, NULL);
	map(&far);
	sync(&far);
	unmap(&x);
	unmap(&far);
	CHECK(t.nreports == 2);

	map(&end);
	map(&next);
	CHECK(t.nreports == 3);
	tracker_check(&t, 2, PKMAP_DMA_OVERLAP, "pkmap_dma_map", &next, &end);
	unmap(&end);
	unmap(&next);
	tracker_close(&t);
}

/* Physical addresses that differ, or carry, in bit 32 and above. */
static void above_4_gib(void)
{
	const pkmap_pfn pages_of_4_gib = 0x100000;

	far_apart(pages_of_4_gib - 1, pages_of_4_gib);
	far_apart(3 * pages_of_4_gib, 5 * pages_of_4_gib);
	if (sizeof(pkmap_pfn) > sizeof(uint32_t)) {
		far_apart(UINT32_MAX, (pkmap_pfn)UINT32_MAX + 1);
		far_apart((pkmap_pfn)(UINT64_C(1) << 50), 1);
	}
}

static void no_entries(void)
{
	const struct transfer x = transfer(5, 0, 100, FROM);

	tracker_init(&t);
	t.config.tracker_entries = 0;
	tracker_open(&t);
	unmap(&x);
	sync(&x);
	map(&x);
	map(&x);
	CHECK(!pkmap_dma_leaks(t.dma, NULL));
	CHECK(!t.nreports && !tracker_stats(&t).misuses);
	tracker_discard(&t);
}

static void memory(void)
{
	size_t constant;
	uint32_t n;

	open_tracker();
	t.config.tracker_entries = 0;
	constant = pkmap_dma_size(&t.config);
	for (n = 1; n <= 1000000; n *= 10) {
		t.config.tracker_entries = n;
		CHECK(pkmap_dma_size(&t.config) > constant);
		CHECK(pkmap_dma_size(&t.config) - constant <= n * (size_t)56);
	}
	t.config.tracker_entries = UINT32_MAX;
	if (sizeof(size_t) == sizeof(uint32_t))
		CHECK(!pkmap_dma_size(&t.config));
	t.config.tracker_entries = 8;
	tracker_close(&t);
}

/*
 * Pages that a device still has are not given away, and each mapping is
 * reported.
 */
static void forgotten(void)
{
	const struct transfer first = transfer(5, 256, 512, FROM);
	const struct transfer second = transfer(7, 0, 1, TO);
	const struct pkmap_dma_report *r = t.report;

	open_tracker();
	fake_touch(&t.f, 5);
	map(&first);
	map(&second);
	CHECK(pkmap_dma_forget(t.dma, 4, 4, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(t.nreports == 2 && tracker_stats(&t).misuses == 2);
	CHECK(r->what == PKMAP_DMA_FORGOTTEN && !r->dev);
	CHECK(!strcmp(r->call, "pkmap_dma_forget"));
	CHECK(r->buf.pfn == 4 && r->known.pfn == 5 && r->known.len == 512);
	CHECK(r->known_dir == FROM && r->known_dev == &devices[0]);
	CHECK(r[1].known.pfn == 7);
	CHECK(pkmap_pfn_to_addr(t.f.win, 5));
	CHECK(!pkmap_dma_forget(t.dma, 6, 1, PKMAP_NOWAIT));
	CHECK(!pkmap_dma_forget(t.dma, 0, 5, PKMAP_NOWAIT));
	CHECK(!pkmap_dma_forget(t.dma, 8, 2, PKMAP_NOWAIT));
	unmap(&first);
	CHECK(!pkmap_dma_forget(t.dma, 5, 2, PKMAP_NOWAIT));
	CHECK(t.nreports == 2);
	unmap(&second);
	tracker_close(&t);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(forgotten),
	UNIT_TEST(wrong_calls),
	UNIT_TEST(after_unmap),
	UNIT_TEST(sent_twice),
	UNIT_TEST(parts_synced),
	UNIT_TEST(overlaps),
	UNIT_TEST(lists),
	UNIT_TEST(twice_in_a_list),
	UNIT_TEST(entries_are_reused),
	UNIT_TEST(entries_run_out),
	UNIT_TEST(leaks),
	UNIT_TEST(local_map_open),
	UNIT_TEST(several_local_maps),
	UNIT_TEST(local_map_of_others),
	UNIT_TEST(local_map_closing),
	UNIT_TEST(nested_calls),
	UNIT_TEST(failed_map),
	UNIT_TEST(failed_unmap),
	UNIT_TEST(told_once),
	UNIT_TEST(no_report_operation),
	UNIT_TEST(above_4_gib),
	UNIT_TEST(no_entries),
	UNIT_TEST(memory),
	{ 0 },
};
