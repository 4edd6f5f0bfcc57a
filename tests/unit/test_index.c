// SPDX-License-Identifier: MIT
/*
 * test_index.c - the index from pfn to slot: chains, and taking slots out of
 * them in any order.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

#define CHAIN 5u

/* Finds @n pages that share a bucket. */
static void find_colliding(struct fake *f, pkmap_pfn *pfns, uint32_t n)
{
	const unsigned long bucket = pfn_bucket(f->win, f->config.first_pfn);
	pkmap_pfn pfn = f->config.first_pfn;
	uint32_t i;

	for (i = 0; i < n; pfn++) {
		CHECK(pfn < f->config.first_pfn + FAKE_NPAGES);
		if (pfn_bucket(f->win, pfn) == bucket)
			pfns[i++] = pfn;
	}
}

static void colliding_pages(void)
{
	pkmap_pfn pfns[CHAIN];
	void *addrs[CHAIN];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 8;
	fake_open(&f);
	find_colliding(&f, pfns, CHAIN);
	for (i = 0; i < CHAIN; i++)
		addrs[i] = fake_map(&f, pfns[i]);
	fake_check_index(&f);
	for (i = 0; i < CHAIN; i++) {
		CHECK(fake_pin(&f, pfns[i]) == addrs[i]);
		fake_unmap(&f, addrs[i]);
		fake_unmap(&f, addrs[i]);
	}
	fake_close(&f);
}

/* Takes pages out of a chain of 4 in the order of one permutation. */
static void unlink_in_order(const uint32_t *order)
{
	pkmap_pfn pfns[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 8;
	fake_open(&f);
	find_colliding(&f, pfns, 4);
	for (i = 0; i < 4; i++)
		fake_touch(&f, pfns[i]);
	for (i = 0; i < 4; i++) {
		CHECK(!pkmap_forget(f.win, pfns[order[i]], 1, PKMAP_NOWAIT));
		CHECK(!fake_pin(&f, pfns[order[i]]));
		fake_check_index(&f);
	}
	/* The chain can be used again. */
	for (i = 0; i < 4; i++)
		fake_touch(&f, pfns[i]);
	fake_check_index(&f);
	fake_close(&f);
}

static void unlink_in_any_order(void)
{
	uint32_t order[4];
	uint32_t a;
	uint32_t b;
	uint32_t c;

	for (a = 0; a < 4; a++) {
		for (b = 0; b < 4; b++) {
			for (c = 0; c < 4; c++) {
				if (a == b || a == c || b == c)
					continue;
				order[0] = a;
				order[1] = b;
				order[2] = c;
				order[3] = 6 - a - b - c;
				unlink_in_order(order);
			}
		}
	}
}

static uint32_t chain_length(struct fake *f, unsigned long bucket)
{
	uint32_t link = pkmap_a32_load_relaxed(&f->win->head[bucket]);
	uint32_t n = 0;

	while (!(link & LINK_END)) {
		n++;
		link = pkmap_a32_load_relaxed(&f->win->next[link]);
	}
	/* The end names its bucket, for readers that were carried here. */
	CHECK(link == (LINK_END | bucket));
	return n;
}

/* Pages a power of two apart, as those of big buffers are, do not pile up. */
static void strides_spread(void)
{
	const uint32_t nslots = 32;
	struct fake f;
	uint32_t shift;
	uint32_t i;
	uint32_t bucket;
	uint32_t n;
	uint32_t total;

	for (shift = 0; shift < 24; shift++) {
		fake_init(&f);
		f.config.nslots = nslots;
		f.config.npages = (pkmap_pfn)1 << 30;
		fake_open(&f);
		for (i = 0; i < nslots; i++)
			fake_touch(&f, (pkmap_pfn)i << shift);
		for (bucket = 0, total = 0; bucket < 2 * nslots; bucket++) {
			n = chain_length(&f, bucket);
			CHECK(n <= nslots / 4);
			total += n;
		}
		CHECK(total == nslots);
		fake_close(&f);
	}
}

static void pages_high_up(void)
{
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.first_pfn = PKMAP_NO_PFN - FAKE_NPAGES;
	fake_open(&f);
	for (i = 0; i < FAKE_NPAGES; i++) {
		fake_touch(&f, f.config.first_pfn + i);
		CHECK(pkmap_pfn_to_addr(f.win, f.config.first_pfn + i));
		fake_clear_log(&f);
	}
	fake_check_index(&f);
	CHECK(!pkmap_pin(f.win, PKMAP_NO_PFN));
	CHECK(!pkmap_pin(f.win, 0));
	fake_close(&f);
}

/* A long run of maps and unmaps; the index always says what the table says. */
static void many_pages(void)
{
	struct fake f;
	uint32_t random = 1;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 24;
	fake_open(&f);
	for (i = 0; i < 5000; i++) {
		random = random * 1664525u + 1013904223u;
		fake_touch(&f, (random >> 16) % FAKE_NPAGES);
		if (i % 50 == 0)
			fake_check_index(&f);
		fake_clear_log(&f);
	}
	CHECK(fake_stats(&f).hits && fake_stats(&f).reclaims > 100);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(colliding_pages), UNIT_TEST(unlink_in_any_order),
	UNIT_TEST(strides_spread),  UNIT_TEST(pages_high_up),
	UNIT_TEST(many_pages),	    { 0 },
};
