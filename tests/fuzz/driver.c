// SPDX-License-Identifier: MIT
/*
 * driver.c - drivers that follow the rules of pkmap/dma.h, and drivers that do
 * not.  A table of mappings says what the tracker has to report, who owns each
 * page, and so what the CPU may do with it.
 *
 * A line is as long as a page here, so the CPU leaves a page alone while it may
 * not use one of its bytes.
 *
 * There is misuse only while the tracker works, which alone could notice it.
 */
#include "driver.h"
#include "harness_priv.h"

#include <string.h>

#define MAX_MAPPINGS 8u
#define MAX_BUFFERS  3u
#define MAX_SEGMENTS (2 * MAX_BUFFERS)

struct mapping {
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_buffer buf;
	enum pkmap_dma_dir dir;
	bool cpus;     /* a sync gave it to the CPU */
	bool reported; /* as a leak */
	bool leaving;  /* by the unmap that is going on */
};

struct call {
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_buffer bufs[MAX_BUFFERS];
	uint32_t nbufs;
	enum pkmap_dma_dir dir;
};

static struct {
	struct mapping mapping[MAX_MAPPINGS];
	uint32_t n;
	bool tracking;	   /* not full yet */
	uint32_t ntracked; /* entries of the tracker that are taken */
	unsigned long refused;
} d;

static uint64_t start_of(const struct pkmap_dma_buffer *buf)
{
	return ((uint64_t)buf->pfn << FAKE_PAGE_SHIFT) + buf->offset;
}

static uint64_t end_of(const struct pkmap_dma_buffer *buf)
{
	return start_of(buf) + buf->len;
}

static bool same(const struct pkmap_dma_buffer *a,
		 const struct pkmap_dma_buffer *b)
{
	return start_of(a) == start_of(b) && a->len == b->len;
}

static pkmap_pfn last_page(const struct pkmap_dma_buffer *buf)
{
	return (pkmap_pfn)((end_of(buf) - 1) >> FAKE_PAGE_SHIFT);
}

static bool touches(const struct pkmap_dma_buffer *buf, pkmap_pfn pfn)
{
	return pfn >= buf->pfn && pfn <= last_page(buf);
}

static bool covers(const struct pkmap_dma_buffer *buf, pkmap_pfn pfn)
{
	const struct pkmap_dma_buffer page = { pfn, 0, FAKE_PAGE };

	return start_of(buf) <= start_of(&page) && end_of(buf) >= end_of(&page);
}

static bool shown_locally(const struct pkmap_dma_buffer *buf)
{
	pkmap_pfn pfn;

	for (pfn = buf->pfn; pfn <= last_page(buf); pfn++)
		if (find_local(pfn))
			return true;
	return false;
}

bool driver_has(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < d.n; i++)
		if (touches(&d.mapping[i].buf, pfn))
			return true;
	return false;
}

bool driver_may_read(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < d.n; i++) {
		const struct mapping *m = &d.mapping[i];

		if (touches(&m->buf, pfn) && !m->dev->coherent && !m->cpus &&
		    m->dir & PKMAP_DMA_FROM_DEVICE)
			return false;
	}
	return true;
}

/*
 * If the device writes to the buffer, what the CPU stores between a sync and
 * the unmap is lost.
 */
bool driver_may_write(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < d.n; i++) {
		const struct mapping *m = &d.mapping[i];

		if (touches(&m->buf, pfn) && !m->dev->coherent &&
		    (!m->cpus || m->dir & PKMAP_DMA_FROM_DEVICE))
			return false;
	}
	return true;
}

/* A device that is not coherent reads its buffer. */
static void device_reads(const struct pkmap_dma_device *dev,
			 const struct pkmap_dma_buffer *buf,
			 enum pkmap_dma_dir dir)
{
	pkmap_pfn pfn;

	if (dev->coherent || !(dir & PKMAP_DMA_TO_DEVICE))
		return;
	for (pfn = buf->pfn; pfn <= last_page(buf); pfn++)
		fake_device_reads(&h.f, pfn);
}

/*
 * It writes to those pages of its buffer that it has @whole, or to those that
 * it shares.
 */
static void device_writes(const struct mapping *m, bool whole)
{
	pkmap_pfn pfn;

	if (m->dev->coherent || !(m->dir & PKMAP_DMA_FROM_DEVICE))
		return;
	for (pfn = m->buf.pfn; pfn <= last_page(&m->buf); pfn++)
		if (covers(&m->buf, pfn) == whole)
			fake_device_writes(&h.f, pfn, !whole);
}

/*
 * Devices use their buffers.  What the CPU stored in a whole page may be lost,
 * so these pages are written first, before the check for what neighbours
 * stored.
 */
static void devices_start(const struct mapping *m, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		device_reads(m[i].dev, &m[i].buf, m[i].dir);
	for (i = 0; i < n; i++)
		device_writes(&m[i], true);
	for (i = 0; i < n; i++)
		device_writes(&m[i], false);
}

void driver_check(void)
{
	uint32_t i;

	CHECK(!h.dma.nreports);
	for (i = 0; i < d.n; i++)
		if (!d.mapping[i].cpus)
			devices_start(&d.mapping[i], 1);
}

void driver_check_stats(const struct pkmap_dma_stats *stats)
{
	CHECK(stats->maps - stats->unmaps == d.n);
	CHECK(stats->refused == d.refused + h.dma.nrefused);
	CHECK(stats->misuses == h.dma.nreported);
}

/* The next report, which must exist and say @what. */
static const struct pkmap_dma_report *expect_told(uint32_t *at,
						  enum pkmap_dma_misuse what)
{
	CHECK(*at < h.dma.nreports);
	CHECK(h.dma.report[*at].what == what);
	return &h.dma.report[(*at)++];
}

/* The same for a report of buffer @k of a call. */
static const struct pkmap_dma_report *
expect_told_of(uint32_t *at, enum pkmap_dma_misuse what, const char *name,
	       const struct call *call, uint32_t k)
{
	const struct pkmap_dma_report *r = expect_told(at, what);

	CHECK(!strcmp(r->call, name));
	CHECK(r->dev == call->dev && r->dir == call->dir);
	CHECK(same(&r->buf, &call->bufs[k]));
	return r;
}

/*
 * There are no reports but those that were looked at; drops those from @first
 * on.
 */
static void expect_no_more(uint32_t first, uint32_t at)
{
	CHECK(h.dma.nreports == at);
	h.dma.nreports = first;
}

static bool is_known(const struct pkmap_dma_report *r, const struct mapping *m)
{
	return same(&r->known, &m->buf) && r->known_dir == m->dir &&
	       r->known_dev == m->dev;
}

/* The call did nothing but report. */
static void expect_untouched(const struct pkmap_dma_stats *before)
{
	struct pkmap_dma_stats now;

	pkmap_dma_read_stats(h.dma.dma, &now);
	CHECK(now.maps == before->maps && now.unmaps == before->unmaps);
	CHECK(now.syncs == before->syncs);
	CHECK(now.cleaned == before->cleaned);
	CHECK(now.invalidated == before->invalidated);
	CHECK(now.clean_invalidated == before->clean_invalidated);
	CHECK(now.in_use == before->in_use && now.idle == before->idle);
	CHECK(now.not_mapped == before->not_mapped);
	d.refused++;
}

/*
 * A driver in an interrupt has a page transferred.  Its reports come after
 * those of the task's call.
 */
void driver_interrupt(void)
{
	const uint32_t first = h.dma.nreports;
	const bool was_tracking = d.tracking;
	pkmap_pfn pfn = some_page();
	bool local = find_local(pfn);
	uint8_t b = next_byte();
	uint32_t at = first;
	int err;

	if (driver_has(pfn))
		return;
	h.interrupt_error = 0;
	err = b & 1 ? fake_from_device(&h.dma, pfn, b & 2) :
		      fake_to_device(&h.dma, pfn);
	CHECK(!err || err == h.interrupt_error);
	/* A local map that is being opened or closed may be reported or not. */
	if (h.local_busy == pfn)
		local = at < h.dma.nreports &&
			h.dma.report[at].what == PKMAP_DMA_LOCAL_MAP;
	if (was_tracking && local)
		CHECK(expect_told(&at, PKMAP_DMA_LOCAL_MAP)->buf.pfn == pfn);
	if (!err && d.tracking && d.ntracked == h.tracker_entries) {
		expect_told(&at, PKMAP_DMA_TRACKER_FULL);
		d.tracking = false;
	}
	expect_no_more(first, at);
}

/* Any buffer: a page, two, a part of one, a few bytes of two; or none. */
static struct pkmap_dma_buffer some_buffer(void)
{
	static const struct pkmap_dma_buffer shapes[] = {
		{ 0, 0, FAKE_PAGE },	 { 0, 0, 2 * FAKE_PAGE },
		{ 0, 16, 32 },		 { 0, 32, 64 },
		{ 0, 16, FAKE_PAGE },	 { 0, FAKE_PAGE - 8, 16 },
		{ 0, 0, FAKE_PAGE / 2 }, { 0, 0, 0 },
	};
	uint8_t b = next_byte();
	struct pkmap_dma_buffer buf = shapes[b < 0xf8 ? b % 7 : 7];

	buf.pfn = some_page();
	return buf;
}

static struct call some_call(void)
{
	uint8_t b = next_byte();
	struct call call = {
		.dev = &fake_devices[b % FAKE_DEVICES],
		.nbufs = b / 9 % (MAX_BUFFERS + 1),
		.dir = (enum pkmap_dma_dir)(b / 3 % 3 + 1),
	};
	uint32_t k;

	for (k = 0; k < call.nbufs; k++)
		call.bufs[k] = some_buffer();
	return call;
}

/* The error of every call if these arguments are invalid, or 0. */
static int bad_arguments(const struct call *call)
{
	uint32_t k;

	if (!call->nbufs || call->dir < PKMAP_DMA_TO_DEVICE ||
	    call->dir > PKMAP_DMA_BIDIRECTIONAL)
		return PKMAP_EINVAL;
	for (k = 0; k < call->nbufs; k++) {
		if (!call->bufs[k].len)
			return PKMAP_EINVAL;
		if (last_page(&call->bufs[k]) - FIRST_PFN >= h.f.config.npages)
			return PKMAP_ERANGE;
	}
	return 0;
}

static struct mapping mapping_of(const struct call *call, uint32_t k)
{
	return (struct mapping){ .dev = call->dev,
				 .buf = call->bufs[k],
				 .dir = call->dir };
}

static bool fits(const struct mapping *m, const struct call *call, uint32_t k)
{
	return same(&m->buf, &call->bufs[k]) && m->dir == call->dir &&
	       m->dev == call->dev;
}

/*
 * Nobody can say which of two equal mappings an unmap takes.  So either both
 * were reported as leaks, or neither.
 */
static bool has_reported_twin(const struct call *call)
{
	uint32_t k;
	uint32_t i;

	for (k = 0; k < call->nbufs; k++)
		for (i = 0; i < d.n; i++)
			if (d.mapping[i].reported &&
			    fits(&d.mapping[i], call, k))
				return true;
	return false;
}

/* The segments hold the buffers' bytes, in order. */
static void check_segments(const struct call *call,
			   const struct pkmap_dma_segment *seg, int n)
{
	uint64_t used = 0;
	int i = 0;
	uint32_t k;

	for (k = 0; k < call->nbufs; k++) {
		CHECK(i < n);
		if (used == seg[i].len) {
			i++;
			used = 0;
		}
		CHECK(i < n &&
		      seg[i].addr + used ==
			      start_of(&call->bufs[k]) + call->dev->bus_base);
		used += call->bufs[k].len;
		CHECK(used <= seg[i].len);
	}
	CHECK(i == n - 1 && used == seg[i].len);
}

static void expect_local_maps(uint32_t *at, const char *name,
			      const struct call *call, bool was_tracking)
{
	uint32_t k;

	for (k = 0; was_tracking && k < call->nbufs; k++)
		if (shown_locally(&call->bufs[k]))
			expect_told_of(at, PKMAP_DMA_LOCAL_MAP, name, call, k);
}

/* The tracker takes in buffer @k, which is mapping @i. */
static void expect_tracked(uint32_t *at, const struct call *call, uint32_t k,
			   uint32_t i)
{
	const struct pkmap_dma_report *r;
	bool overlaps = false;
	bool known = false;
	uint32_t j;

	if (!d.tracking)
		return;
	if (d.ntracked == h.tracker_entries) {
		expect_told_of(at, PKMAP_DMA_TRACKER_FULL, "pkmap_dma_map",
			       call, k);
		d.tracking = false;
		return;
	}
	d.ntracked++;
	r = &h.dma.report[*at];
	for (j = 0; j < i; j++) {
		const struct mapping *m = &d.mapping[j];

		if (!(m->dir & call->dir & PKMAP_DMA_FROM_DEVICE) ||
		    start_of(&m->buf) >= end_of(&call->bufs[k]) ||
		    start_of(&call->bufs[k]) >= end_of(&m->buf))
			continue;
		overlaps = true;
		known |= is_known(r, m);
	}
	if (overlaps) {
		expect_told_of(at, PKMAP_DMA_OVERLAP, "pkmap_dma_map", call, k);
		CHECK(known);
	}
}

void driver_map(void)
{
	struct pkmap_dma_segment segs[MAX_SEGMENTS];
	const struct call call = some_call();
	const int bad = bad_arguments(&call);
	const bool was_tracking = d.tracking;
	struct pkmap_dma_stats before;
	const uint32_t first = d.n;
	uint32_t at = 0;
	int n;
	uint32_t k;

	if (d.n + call.nbufs > MAX_MAPPINGS || has_reported_twin(&call))
		return;
	pkmap_dma_read_stats(h.dma.dma, &before);
	/* From now on the CPU leaves its pages alone. */
	for (k = 0; !bad && k < call.nbufs; k++)
		d.mapping[d.n++] = mapping_of(&call, k);
	h.set_error = 0;
	n = pkmap_dma_map(h.dma.dma, call.dev, call.bufs, call.nbufs, call.dir,
			  segs, MAX_SEGMENTS);
	if (bad) {
		CHECK(n == bad);
		expect_untouched(&before);
		expect_no_more(0, 0);
		return;
	}
	expect_local_maps(&at, "pkmap_dma_map", &call, was_tracking);
	if (n < 0) {
		CHECK(n == h.set_error);
		d.n = first;
		d.refused++;
	} else {
		check_segments(&call, segs, n);
		for (k = 0; k < call.nbufs; k++)
			expect_tracked(&at, &call, k, first + k);
		devices_start(&d.mapping[first], call.nbufs);
	}
	expect_no_more(0, at);
}

/* A call for buffers that are mapped, sometimes with one thing changed. */
static struct call call_back(bool sync)
{
	struct call call = { .nbufs = 1 + next_byte() % 2 };
	struct pkmap_dma_buffer *last = &call.bufs[call.nbufs - 1];
	const struct mapping *m = d.mapping;
	uint32_t start = next_byte();
	uint8_t b = next_byte();
	uint32_t i;

	if (!d.n)
		return some_call();
	m = &d.mapping[start % d.n];
	call.dev = m->dev;
	call.dir = m->dir;
	call.bufs[0] = m->buf;
	/*
	 * The next mapping of the same device and direction, or the same
	 * mapping.
	 */
	*last = m->buf;
	for (i = 1; call.nbufs == 2 && i < d.n; i++) {
		m = &d.mapping[(start + i) % d.n];
		if (m->dir == call.dir && m->dev == call.dev) {
			*last = m->buf;
			break;
		}
	}
	switch (b % 16) {
	case 0:
		last->len += 16;
		break;
	case 1:
		last->len -= 8;
		break;
	case 2:
		call.dir = (enum pkmap_dma_dir)(b / 16 % 5);
		break;
	case 3:
		call.dev = &fake_devices[b / 16 % FAKE_DEVICES];
		break;
	case 4:
		*last = some_buffer();
		break;
	case 5:
	case 6:
	case 7:
		if (!sync)
			break;
		last->pfn += (last->offset + 8) >> FAKE_PAGE_SHIFT;
		last->offset = (last->offset + 8) % FAKE_PAGE;
		last->len -= 8;
	}
	return call;
}

/*
 * Finds the mappings that an unmap is for, and marks them as leaving.  Returns
 * the number of the first buffer that has none, or the number of buffers.
 */
static uint32_t find_leaving(const struct call *call)
{
	uint32_t i;
	uint32_t k;

	for (k = 0; k < call->nbufs; k++) {
		for (i = 0; i < d.n; i++)
			if (!d.mapping[i].leaving &&
			    fits(&d.mapping[i], call, k))
				break;
		if (i == d.n)
			return k;
		d.mapping[i].leaving = true;
	}
	return call->nbufs;
}

static enum pkmap_dma_misuse unmap_misuse(const struct mapping *m,
					  const struct call *call, uint32_t k)
{
	if (m->buf.len != call->bufs[k].len)
		return PKMAP_DMA_UNMAP_LENGTH;
	return m->dir != call->dir ? PKMAP_DMA_UNMAP_DIRECTION :
				     PKMAP_DMA_UNMAP_DEVICE;
}

/*
 * There is one report of buffer @k, which names a mapping that starts there, if
 * any.
 */
static void expect_refused_unmap(const struct call *call, uint32_t k)
{
	const struct pkmap_dma_report *r = h.dma.report;
	enum pkmap_dma_misuse what = PKMAP_DMA_UNMAP_UNMAPPED;
	bool known = false;
	bool like = false;
	uint32_t at = 0;
	uint32_t i;

	for (i = 0; i < d.n; i++) {
		const struct mapping *m = &d.mapping[i];

		if (m->leaving || start_of(&m->buf) != start_of(&call->bufs[k]))
			continue;
		like = true;
		if (is_known(r, m)) {
			known = true;
			what = unmap_misuse(m, call, k);
		}
	}
	expect_told_of(&at, what, "pkmap_dma_unmap", call, k);
	CHECK(like ? known : !r->known.len);
	expect_no_more(0, at);
}

static void stay(void)
{
	uint32_t i;

	for (i = 0; i < d.n; i++)
		d.mapping[i].leaving = false;
}

static void leave(void)
{
	uint32_t n = 0;
	uint32_t i;

	for (i = 0; i < d.n; i++)
		if (!d.mapping[i].leaving)
			d.mapping[n++] = d.mapping[i];
	if (d.tracking)
		d.ntracked -= d.n - n;
	d.n = n;
}

static int unmap(const struct call *call)
{
	return pkmap_dma_unmap(h.dma.dma, call->dev, call->bufs, call->nbufs,
			       call->dir);
}

void driver_unmap(void)
{
	const struct call call = call_back(false);
	const int bad = bad_arguments(&call);
	struct pkmap_dma_stats before;
	uint32_t found;
	int err;

	pkmap_dma_read_stats(h.dma.dma, &before);
	if (bad) {
		CHECK(unmap(&call) == bad);
		expect_untouched(&before);
		expect_no_more(0, 0);
		return;
	}
	found = find_leaving(&call);
	if (found < call.nbufs) {
		if (d.tracking) {
			CHECK(unmap(&call) == PKMAP_EINVAL);
			expect_refused_unmap(&call, found);
			expect_untouched(&before);
		}
		stay();
		return;
	}
	h.set_error = 0;
	err = unmap(&call);
	expect_no_more(0, 0);
	if (err) {
		CHECK(err == h.set_error);
		d.refused++;
		stay();
		return;
	}
	leave();
}

/* Whether a sync of buffer @k is allowed. */
static bool may_sync(const struct call *call, uint32_t k)
{
	uint32_t i;

	for (i = 0; i < d.n; i++) {
		const struct mapping *m = &d.mapping[i];

		if (start_of(&m->buf) <= start_of(&call->bufs[k]) &&
		    end_of(&m->buf) >= end_of(&call->bufs[k]) &&
		    m->dir == call->dir && m->dev == call->dev)
			return true;
	}
	return false;
}

static void expect_refused_sync(const char *name, const struct call *call,
				uint32_t k)
{
	const struct pkmap_dma_report *r = h.dma.report;
	enum pkmap_dma_misuse what = PKMAP_DMA_SYNC_UNMAPPED;
	bool known = false;
	bool like = false;
	uint32_t at = 0;
	uint32_t i;

	for (i = 0; i < d.n; i++) {
		const struct mapping *m = &d.mapping[i];

		if (start_of(&m->buf) > start_of(&call->bufs[k]) ||
		    end_of(&m->buf) < end_of(&call->bufs[k]))
			continue;
		like = true;
		if (is_known(r, m)) {
			known = true;
			what = m->dir != call->dir ? PKMAP_DMA_SYNC_DIRECTION :
						     PKMAP_DMA_SYNC_DEVICE;
		}
	}
	expect_told_of(&at, what, name, call, k);
	CHECK(like ? known : !r->known.len);
	expect_no_more(0, at);
}

/* The mapping of exactly buffer @k, or NULL. */
static struct mapping *whole_mapping(const struct call *call, uint32_t k)
{
	uint32_t i;

	for (i = 0; i < d.n; i++)
		if (fits(&d.mapping[i], call, k))
			return &d.mapping[i];
	return NULL;
}

static void sync_for_cpu(const struct call *call)
{
	int err = pkmap_dma_sync_for_cpu(h.dma.dma, call->dev, call->bufs,
					 call->nbufs, call->dir);
	uint32_t k;

	expect_no_more(0, 0);
	CHECK(err == h.set_error || !err);
	if (err)
		d.refused++;
	for (k = 0; !err && k < call->nbufs; k++) {
		struct mapping *m = whole_mapping(call, k);

		if (m)
			m->cpus = true;
	}
}

/* From the start of the call on, the CPU leaves the pages alone. */
static void sync_for_device(const struct call *call)
{
	const bool was_tracking = d.tracking;
	struct mapping *m[MAX_BUFFERS];
	bool was_cpus[MAX_BUFFERS];
	uint32_t at = 0;
	int err;
	uint32_t k;

	for (k = 0; k < call->nbufs; k++) {
		m[k] = whole_mapping(call, k);
		was_cpus[k] = m[k] && m[k]->cpus;
		if (m[k])
			m[k]->cpus = false;
	}
	err = pkmap_dma_sync_for_device(h.dma.dma, call->dev, call->bufs,
					call->nbufs, call->dir);
	expect_local_maps(&at, "pkmap_dma_sync_for_device", call, was_tracking);
	expect_no_more(0, at);
	CHECK(err == h.set_error || !err);
	if (err)
		d.refused++;
	for (k = call->nbufs; err && k--;)
		if (m[k])
			m[k]->cpus = was_cpus[k];
	for (k = 0; !err && k < call->nbufs; k++)
		device_reads(call->dev, &call->bufs[k], call->dir);
}

static int bad_sync(bool for_cpu, const struct call *call)
{
	return (for_cpu ? pkmap_dma_sync_for_cpu : pkmap_dma_sync_for_device)(
		h.dma.dma, call->dev, call->bufs, call->nbufs, call->dir);
}

void driver_sync(void)
{
	const struct call call = call_back(true);
	const int bad = bad_arguments(&call);
	const bool for_cpu = next_byte() & 1;
	struct pkmap_dma_stats before;
	uint32_t k;

	pkmap_dma_read_stats(h.dma.dma, &before);
	if (bad) {
		CHECK(bad_sync(for_cpu, &call) == bad);
		expect_untouched(&before);
		expect_no_more(0, 0);
		return;
	}
	for (k = 0; k < call.nbufs; k++) {
		if (may_sync(&call, k))
			continue;
		if (!d.tracking)
			return;
		CHECK(bad_sync(for_cpu, &call) == PKMAP_EINVAL);
		expect_refused_sync(for_cpu ? "pkmap_dma_sync_for_cpu" :
					      "pkmap_dma_sync_for_device",
				    &call, k);
		expect_untouched(&before);
		return;
	}
	h.set_error = 0;
	if (for_cpu)
		sync_for_cpu(&call);
	else
		sync_for_device(&call);
}

static bool has_page_of(const struct mapping *m, pkmap_pfn first,
			pkmap_pfn npages)
{
	pkmap_pfn pfn;

	for (pfn = m->buf.pfn; pfn <= last_page(&m->buf); pfn++)
		if (pfn - first < npages)
			return true;
	return false;
}

static uint32_t count_kept(pkmap_pfn first, pkmap_pfn npages)
{
	uint32_t n = 0;
	uint32_t i;

	if (npages > h.f.config.npages || first < FIRST_PFN ||
	    first - FIRST_PFN > h.f.config.npages - npages)
		return 0;
	for (i = 0; d.tracking && i < d.n; i++)
		n += has_page_of(&d.mapping[i], first, npages);
	return n;
}

bool driver_keeps(pkmap_pfn first, pkmap_pfn npages)
{
	return count_kept(first, npages);
}

void driver_check_forgotten(pkmap_pfn first, pkmap_pfn npages, bool keeps)
{
	const struct pkmap_dma_report *r;
	uint32_t n = keeps ? count_kept(first, npages) : 0;
	uint32_t at = 0;
	bool known;
	uint32_t i;

	while (at < n) {
		r = expect_told(&at, PKMAP_DMA_FORGOTTEN);
		CHECK(!strcmp(r->call, "pkmap_dma_forget"));
		CHECK(!r->dev && r->buf.pfn == first);
		known = false;
		for (i = 0; i < d.n; i++)
			known |= is_known(r, &d.mapping[i]) &&
				 has_page_of(&d.mapping[i], first, npages);
		CHECK(known);
	}
	expect_no_more(0, at);
}

/* Each mapping is reported once. */
static void expect_leaks(const struct pkmap_dma_device *dev)
{
	uint32_t n = pkmap_dma_leaks(h.dma.dma, dev);
	uint32_t mapped = 0;
	uint32_t told = 0;
	uint32_t i;
	uint32_t r;

	for (i = 0; d.tracking && i < d.n; i++) {
		struct mapping *m = &d.mapping[i];
		bool found = m->reported;

		if (dev && m->dev != dev)
			continue;
		mapped++;
		for (r = 0; !found && r < h.dma.nreports; r++) {
			struct pkmap_dma_report *report = &h.dma.report[r];

			if (report->what != PKMAP_DMA_NEVER_UNMAPPED ||
			    report->dev != m->dev || report->dir != m->dir ||
			    !same(&report->buf, &m->buf))
				continue;
			CHECK(!strcmp(report->call, "pkmap_dma_leaks"));
			CHECK(!report->known.len);
			report->dev = NULL; /* was looked at */
			told++;
			found = true;
		}
		CHECK(found);
		m->reported = true;
	}
	CHECK(n == mapped);
	expect_no_more(0, told);
}

void driver_leaks(void)
{
	uint8_t b = next_byte() % (FAKE_DEVICES + 1);

	expect_leaks(b < FAKE_DEVICES ? &fake_devices[b] : NULL);
}

void driver_start(void)
{
	memset(&d, 0, sizeof(d));
	d.tracking = h.tracker_entries;
	fake_dma_init(&h.dma, &h.f, h.tracker_entries);
}

void driver_end(void)
{
	expect_leaks(NULL);
	while (d.n) {
		const struct mapping *m = &d.mapping[d.n - 1];
		const struct call call = {
			.dev = m->dev,
			.bufs = { m->buf },
			.nbufs = 1,
			.dir = m->dir,
		};

		if (unmap(&call)) {
			d.refused++;
			continue;
		}
		d.n--;
	}
	expect_leaks(NULL);
}
