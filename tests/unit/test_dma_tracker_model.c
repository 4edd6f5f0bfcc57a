// SPDX-License-Identifier: MIT
/*
 * test_dma_tracker_model.c - random calls, right and wrong, for buffers in a few
 * bytes around a page boundary, against a model that counts for each byte how
 * many devices write to it.
 */
#include "tests/random.h"
#include "tracker_port.h"
#include "unit_test.h"

#define NBYTES	12u
#define FIRST	((uint64_t)6 * FAKE_PAGE - NBYTES / 2)
#define NMAPPED 6u
#define STEPS	200000u

static struct {
	struct tracker t;
	uint64_t random;
	struct transfer mapped[NMAPPED];
	uint32_t n;
	uint32_t writers[NBYTES];
	uint32_t seen[PKMAP_DMA_TRACKER_FULL + 1]; /* each misuse, how often */
	uint32_t accepted;
} s;

static uint32_t random_below(uint32_t n)
{
	return random_next(&s.random) % n;
}

/* A buffer has the bytes first() to end() - 1. */
static uint32_t first(const struct transfer *x)
{
	return (uint32_t)(x->buf.pfn * FAKE_PAGE + x->buf.offset - FIRST);
}

static uint32_t end(const struct transfer *x)
{
	return first(x) + (uint32_t)x->buf.len;
}

static void set_bytes(struct transfer *x, uint32_t from)
{
	x->buf.pfn = (pkmap_pfn)((FIRST + from) / FAKE_PAGE);
	x->buf.offset = (FIRST + from) % FAKE_PAGE;
	x->buf.len = 1 + random_below(NBYTES - from);
}

/* Any buffer, or a mapped one, of which one thing may be changed. */
static struct transfer some_transfer(void)
{
	struct transfer x = { .dev = devices };
	uint32_t change = 3;

	if (s.n && random_below(8)) {
		x = s.mapped[random_below(s.n)];
		change = random_below(8);
	}
	if (change == 0 || change == 3)
		set_bytes(&x, change ? random_below(NBYTES) : first(&x));
	if (change == 1 || change == 3)
		x.dir = (enum pkmap_dma_dir)(1 + random_below(3));
	if (change == 2 || change == 3)
		x.dev = &devices[random_below(2)];
	return x;
}

static bool same_bytes(const struct transfer *a, const struct transfer *b)
{
	return first(a) == first(b) && end(a) == end(b);
}

static bool written_by_device(const struct transfer *x)
{
	return x->dir != PKMAP_DMA_TO_DEVICE;
}

/* Counts a mapping's bytes, and says whether one had a writer before. */
static bool count_writers(const struct transfer *x, uint32_t change)
{
	bool overlaps = false;
	uint32_t i;

	for (i = first(x); written_by_device(x) && i < end(x); i++) {
		overlaps |= s.writers[i] != 0;
		s.writers[i] += change;
	}
	return overlaps;
}

static struct transfer known_to(const struct pkmap_dma_report *r)
{
	return (struct transfer){
		.dev = r->known_dev,
		.buf = r->known,
		.dir = r->known_dir,
	};
}

/*
 * Whether @m is the mapping that the report names, and @x differs from it so.
 */
static bool fits(const struct pkmap_dma_report *r, const struct transfer *x,
		 const struct transfer *m)
{
	const struct transfer known = known_to(r);
	const bool within = first(x) >= first(m) && end(x) <= end(m);

	if (!same_bytes(m, &known) || m->dir != known.dir ||
	    m->dev != known.dev)
		return false;
	switch (r->what) {
	case PKMAP_DMA_UNMAP_LENGTH:
		return first(m) == first(x) && end(m) != end(x);
	case PKMAP_DMA_UNMAP_DIRECTION:
		return same_bytes(m, x) && m->dir != x->dir;
	case PKMAP_DMA_UNMAP_DEVICE:
		return same_bytes(m, x) && m->dir == x->dir && m->dev != x->dev;
	case PKMAP_DMA_SYNC_DIRECTION:
		return within && m->dir != x->dir;
	case PKMAP_DMA_SYNC_DEVICE:
		return within && m->dir == x->dir && m->dev != x->dev;
	default:
		return r->what == PKMAP_DMA_OVERLAP && written_by_device(m) &&
		       first(m) < end(x) && first(x) < end(m);
	}
}

/* Checks the one report of this call; @least: it has to name a mapping. */
static void check_report(const char *call, const struct transfer *x,
			 enum pkmap_dma_misuse unknown, bool least)
{
	const struct pkmap_dma_report *r = s.t.report;
	const struct transfer known = known_to(r);
	uint32_t i;

	CHECK(s.t.nreports == 1);
	tracker_check(&s.t, 0, r->what, call, x, least ? &known : NULL);
	CHECK(least ? r->known.len : r->what == unknown);
	for (i = 0; least && i < s.n; i++) {
		if (fits(r, x, &s.mapped[i]))
			break;
	}
	CHECK(!least || i < s.n);
	s.seen[r->what]++;
	s.t.nreports = 0;
}

static void map(const struct transfer *x)
{
	const bool overlaps = count_writers(x, 1);

	CHECK(!tracker_map(&s.t, x));
	if (overlaps)
		check_report("pkmap_dma_map", x, PKMAP_DMA_OVERLAP, true);
	CHECK(!s.t.nreports);
	s.mapped[s.n++] = *x;
}

static void unmap(const struct transfer *x)
{
	const struct transfer *m;
	bool starts = false;
	uint32_t i;

	for (i = 0; i < s.n; i++) {
		m = &s.mapped[i];
		starts |= first(m) == first(x);
		if (same_bytes(m, x) && m->dir == x->dir && m->dev == x->dev)
			break;
	}
	if (i < s.n) {
		CHECK(!tracker_unmap(&s.t, x) && !s.t.nreports);
		count_writers(x, (uint32_t)-1);
		s.mapped[i] = s.mapped[--s.n];
		s.accepted++;
		return;
	}
	CHECK(tracker_unmap(&s.t, x) == PKMAP_EINVAL);
	check_report("pkmap_dma_unmap", x, PKMAP_DMA_UNMAP_UNMAPPED, starts);
}

static void sync(const struct transfer *x)
{
	const struct transfer *m;
	bool within = false;
	uint32_t i;

	for (i = 0; i < s.n; i++) {
		m = &s.mapped[i];
		if (first(x) < first(m) || end(x) > end(m))
			continue;
		within = true;
		if (m->dir == x->dir && m->dev == x->dev)
			break;
	}
	if (i < s.n) {
		CHECK(!tracker_sync_for_device(&s.t, x) && !s.t.nreports);
		s.accepted++;
		return;
	}
	CHECK(tracker_sync_for_device(&s.t, x) == PKMAP_EINVAL);
	check_report("pkmap_dma_sync_for_device", x, PKMAP_DMA_SYNC_UNMAPPED,
		     within);
}

static void step(void)
{
	const struct transfer x = some_transfer();

	fake_clear_log(&s.t.f);
	switch (random_below(3)) {
	case 0:
		if (s.n < NMAPPED)
			map(&x);
		break;
	case 1:
		unmap(&x);
		break;
	default:
		sync(&x);
	}
}

static void as_the_model_says(void)
{
	enum pkmap_dma_misuse what;
	uint32_t i;

	s.random = 1;
	tracker_init(&s.t);
	s.t.config.tracker_entries = NMAPPED;
	tracker_open(&s.t);
	for (i = 0; i < STEPS; i++)
		step();
	while (s.n)
		unmap(&s.mapped[0]);

	/* Each kind of misuse was made often enough. */
	CHECK(s.accepted > STEPS / 10);
	for (what = 0; what <= PKMAP_DMA_OVERLAP; what++)
		CHECK(s.seen[what] > STEPS / 1000);
	tracker_close(&s.t);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(as_the_model_says),
	{ 0 },
};
