// SPDX-License-Identifier: MIT
/*
 * test_dma_untracked.c - the DMA layer of a library without the tracker.
 */
#include "tracker_port.h"
#include "unit_test.h"

static struct tracker t;

static void tracker_is_refused(void)
{
	struct pkmap_dma *dma = NULL;

	tracker_init(&t);
	t.config.tracker_entries = 0;
	tracker_open(&t);
	t.config.tracker_entries = 1;
	CHECK(!pkmap_dma_size(&t.config));
	CHECK(pkmap_dma_init(t.mem, &t.config, &dma) == PKMAP_EINVAL);
	CHECK(!dma);
	tracker_discard(&t);
}

static void takes_your_word(void)
{
	const struct transfer x = {
		.dev = &devices[0],
		.buf = { .pfn = 5, .len = 100 },
		.dir = PKMAP_DMA_FROM_DEVICE,
	};
	void *addr;

	tracker_init(&t);
	t.config.tracker_entries = 0;
	tracker_open(&t);
	CHECK(!tracker_unmap(&t, &x));
	CHECK(!tracker_sync_for_cpu(&t, &x));
	addr = fake_local_map(&t.f, 5);
	CHECK(!tracker_map(&t, &x));
	CHECK(!tracker_map(&t, &x));
	CHECK(!tracker_sync_for_device(&t, &x));
	fake_local_unmap(&t.f, addr);
	CHECK(!pkmap_dma_leaks(t.dma, NULL));
	CHECK(!t.nreports && !tracker_stats(&t).misuses);
	tracker_discard(&t);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(tracker_is_refused),
	UNIT_TEST(takes_your_word),
	{ 0 },
};
