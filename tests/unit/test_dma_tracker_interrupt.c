// SPDX-License-Identifier: MIT
/*
 * test_dma_tracker_interrupt.c - every call, interrupted before each of its
 * atomic operations in turn, by calls for other buffers.
 *
 * src/ is compiled as for test_interrupt.c.  There are only as many entries as
 * buffers that are mapped at once, so that the tracker is full if one is lost.
 */
#include "interrupt_points.h"
#include "tracker_port.h"
#include "unit_test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The task's buffers, a list. */
static const struct pkmap_dma_buffer mine[2] = {
	{ .pfn = 5, .offset = 64, .len = 200 },
	{ .pfn = 6, .offset = 0, .len = 8192 },
};

/* A buffer that is mapped all the time, next to the task's first one. */
static const struct transfer background = {
	.dev = &devices[1],
	.buf = { .pfn = 5, .offset = 0, .len = 64 },
	.dir = PKMAP_DMA_FROM_DEVICE,
};

/*
 * Takes the entry of @background, and must not be taken for a longer buffer
 * there.
 */
static const struct transfer replacement = {
	.dev = &devices[1],
	.buf = { .pfn = 20, .offset = 10, .len = 300 },
	.dir = PKMAP_DMA_FROM_DEVICE,
};

/* The interrupt's. */
static const struct transfer theirs = {
	.dev = &devices[1],
	.buf = { .pfn = 5, .offset = 264, .len = 100 },
	.dir = PKMAP_DMA_FROM_DEVICE,
};

/* Also the interrupt's; it shares the last byte of the task's first buffer. */
static const struct transfer overlapping = {
	.dev = &devices[1],
	.buf = { .pfn = 5, .offset = 263, .len = 100 },
	.dir = PKMAP_DMA_FROM_DEVICE,
};

static struct {
	struct tracker t;
	const struct transfer *background;
	const struct transfer *kept; /* what an interrupt left mapped */
} s;

/* What interrupts do. */

static void map_and_unmap(void)
{
	CHECK(!tracker_map(&s.t, &theirs));
	CHECK(!tracker_sync_for_cpu(&s.t, &theirs));
	CHECK(!tracker_unmap(&s.t, &theirs));
}

static void keep_mapped(void)
{
	CHECK(!tracker_map(&s.t, &theirs));
	s.kept = &theirs;
}

static void replace_background(void)
{
	CHECK(!tracker_unmap(&s.t, &background));
	CHECK(!tracker_map(&s.t, &replacement));
	s.background = &replacement;
}

static void keep_overlapping(void)
{
	CHECK(!tracker_map(&s.t, &overlapping));
	s.kept = &overlapping;
}

/* Finds leaks, each of which is reported at most once. */
static void look_for_leaks(void)
{
	const unsigned int before = s.t.nreports;
	const uint32_t n = pkmap_dma_leaks(s.t.dma, NULL);

	CHECK(n >= 1 && n <= 3);
	CHECK(s.t.nreports - before <= n);
}

static void unmap_unmapped(void)
{
	const unsigned int n = s.t.nreports;

	CHECK(tracker_unmap(&s.t, &theirs) == PKMAP_EINVAL);
	tracker_check(&s.t, n, PKMAP_DMA_UNMAP_UNMAPPED, "pkmap_dma_unmap",
		      &theirs, NULL);
}

static void sync_in_wrong_direction(void)
{
	const unsigned int n = s.t.nreports;
	struct transfer x = background;

	x.dir = PKMAP_DMA_BIDIRECTIONAL;
	CHECK(tracker_sync_for_device(&s.t, &x) == PKMAP_EINVAL);
	tracker_check(&s.t, n, PKMAP_DMA_SYNC_DIRECTION,
		      "pkmap_dma_sync_for_device", &x, &background);
}

/* What they interrupt. */

static void task_map(void)
{
	struct pkmap_dma_segment segs[2];

	CHECK(pkmap_dma_map(s.t.dma, &devices[0], mine, 2,
			    PKMAP_DMA_FROM_DEVICE, segs, 2) == 2);
}

static void task_unmap(void)
{
	CHECK(!pkmap_dma_unmap(s.t.dma, &devices[0], mine, 2,
			       PKMAP_DMA_FROM_DEVICE));
}

static void task_sync(void)
{
	CHECK(!pkmap_dma_sync_for_cpu(s.t.dma, &devices[0], mine, 2,
				      PKMAP_DMA_FROM_DEVICE));
	CHECK(!pkmap_dma_sync_for_device(s.t.dma, &devices[0], mine, 2,
					 PKMAP_DMA_FROM_DEVICE));
}

static void task_leaks(void)
{
	CHECK(pkmap_dma_leaks(s.t.dma, &devices[0]) == 2);
}

/* Refused; an interrupt's misuse may have been reported before it. */
static void task_misuse(void)
{
	struct transfer x = background;

	x.buf.len--;
	CHECK(tracker_unmap(&s.t, &x) == PKMAP_EINVAL);
	CHECK(s.t.nreports >= 1);
	CHECK(tracker_sync_for_cpu(&s.t, &theirs) == PKMAP_EINVAL ||
	      s.kept == &theirs);
}

static const struct task {
	void (*run)(void);
	bool mapped; /* the task's buffers, before */
	bool stay;   /* and after */
	unsigned int reports;
	/* How many more with an overlapping buffer, at least and at most. */
	unsigned int overlap_least;
	unsigned int overlap_most;
} tasks[] = {
	/* Both calls are wrong, and at least one of them has to notice. */
	{ task_map, false, true, 0, 1, 2 },
	{ task_unmap, true, false, 0, 0, 1 },
	{ task_sync, true, true, 0, 1, 1 },
	{ task_leaks, true, true, 2, 1, 1 },
};

static unsigned int count_reports(enum pkmap_dma_misuse what,
				  const struct pkmap_dma_buffer *buf)
{
	const struct pkmap_dma_report *r;
	unsigned int n = 0;

	for (r = s.t.report; r < s.t.report + s.t.nreports; r++)
		n += r->what == what && r->buf.pfn == buf->pfn &&
		     r->buf.offset == buf->offset;
	return n;
}

static void prepare(const struct task *task, unsigned int point,
		    void (*interrupt)(void))
{
	tracker_init(&s.t);
	s.t.config.tracker_entries = 4;
	tracker_open(&s.t);
	s.kept = NULL;
	s.background = &background;
	CHECK(!tracker_map(&s.t, &background));
	if (task->mapped)
		task_map();
	CHECK(!s.t.nreports);
	handler = interrupt;
	points_left = point;
	armed = true;
}

/* What is mapped is still known, was reported once, and can be unmapped. */
static void finish(const struct task *task)
{
	const uint32_t n = 1u + (task->stay ? 2u : 0u) + (s.kept ? 1u : 0u);

	CHECK(pkmap_dma_leaks(s.t.dma, NULL) == n);
	CHECK(count_reports(PKMAP_DMA_NEVER_UNMAPPED, &s.background->buf) == 1);
	CHECK(count_reports(PKMAP_DMA_NEVER_UNMAPPED, &mine[0]) <= 1);
	CHECK(count_reports(PKMAP_DMA_NEVER_UNMAPPED, &mine[1]) <= 1);
	if (s.kept)
		CHECK(!tracker_unmap(&s.t, s.kept));
	if (task->stay)
		task_unmap();
	CHECK(!tracker_unmap(&s.t, s.background));
	tracker_close(&s.t);
}

/* Runs @task with an interrupt at its nth point, for each n there is. */
static void sweep(const struct task *task, void (*interrupt)(void),
		  unsigned int least, unsigned int most)
{
	unsigned int n = 0;
	bool came;

	do {
		prepare(task, n++, interrupt);
		task->run();
		came = !armed;
		armed = false;
		if (came) {
			CHECK(s.t.nreports >= task->reports + least);
			CHECK(s.t.nreports <= task->reports + most);
		}
		finish(task);
	} while (came);
	CHECK(n > 10);
}

static void sweep_tasks(void (*interrupt)(void), unsigned int reports)
{
	uint32_t i;

	for (i = 0; i < COUNT(tasks); i++)
		sweep(&tasks[i], interrupt, reports, reports);
}

static void other_buffers(void)
{
	sweep_tasks(map_and_unmap, 0);
	sweep_tasks(keep_mapped, 0);
	sweep_tasks(replace_background, 0);
}

static void misuse(void)
{
	sweep_tasks(unmap_unmapped, 1);
	sweep_tasks(sync_in_wrong_direction, 1);
}

/* Leaks are reported once, whether the task or the interrupt finds them. */
static void leaks(void)
{
	uint32_t i;

	for (i = 0; i < COUNT(tasks); i++)
		sweep(&tasks[i], look_for_leaks, 1, tasks[i].reports ? 1 : 3);
}

static void overlap(void)
{
	uint32_t i;

	for (i = 0; i < COUNT(tasks); i++)
		sweep(&tasks[i], keep_overlapping, tasks[i].overlap_least,
		      tasks[i].overlap_most);
}

/* The task's misuse, with and without the interrupt's. */
static void misuse_interrupted(void)
{
	const struct task task = { task_misuse, false, false, 1, 0, 0 };

	sweep(&task, map_and_unmap, 1, 1);
	sweep(&task, keep_mapped, 0, 1);
	sweep(&task, unmap_unmapped, 2, 2);
	sweep(&task, look_for_leaks, 2, 2);
}

/* The task and the interrupt both find no entry: that is reported once. */
static void no_entry_left(void)
{
	const struct task full = { .mapped = true };
	struct transfer x = background;
	unsigned int n = 0;
	bool came;

	x.buf.pfn = 40;
	do {
		prepare(&full, n++, keep_overlapping);
		armed = false;
		CHECK(!tracker_map(&s.t, &theirs));
		armed = true;
		CHECK(!tracker_map(&s.t, &x));
		came = !armed;
		armed = false;
		CHECK(s.t.nreports == 1);
		CHECK(s.t.report[0].what == PKMAP_DMA_TRACKER_FULL);
		CHECK(!tracker_unmap(&s.t, &x));
		CHECK(!tracker_unmap(&s.t, &x));
		tracker_discard(&s.t);
	} while (came);
	CHECK(n > 3);
}

/*
 * The interrupt fills the tracker in the middle of a call.  From then on the
 * call must not be called wrong, whatever it has seen before.
 */
static void fill_tracker(void)
{
	struct transfer x = background;

	x.dir = PKMAP_DMA_TO_DEVICE;
	for (x.buf.pfn = 40; x.buf.pfn < 45; x.buf.pfn++)
		CHECK(!tracker_map(&s.t, &x));
}

/* Refused until the interrupt has come. */
static void any_misuse(void)
{
	struct transfer x = background;
	int err;

	x.buf.len--;
	err = tracker_unmap(&s.t, &x);
	CHECK(err == PKMAP_EINVAL || (!err && !armed));
	x.dir = PKMAP_DMA_BIDIRECTIONAL;
	err = tracker_sync_for_cpu(&s.t, &x);
	CHECK(err == PKMAP_EINVAL || (!err && !armed));
}

static unsigned int count_full(void)
{
	const struct pkmap_dma_report *r;
	unsigned int n = 0;

	for (r = s.t.report; r < s.t.report + s.t.nreports; r++)
		n += r->what == PKMAP_DMA_TRACKER_FULL;
	return n;
}

static void full_meanwhile(void)
{
	static const struct task all[] = {
		{ task_map, false, true, 0, 0, 0 },
		{ task_unmap, true, false, 0, 0, 0 },
		{ task_sync, true, true, 0, 0, 0 },
		{ any_misuse, false, false, 0, 0, 0 },
	};
	const struct task *task;
	unsigned int n;
	bool came;

	for (task = all; task < all + COUNT(all); task++) {
		n = 0;
		do {
			prepare(task, n++, fill_tracker);
			task->run();
			came = !armed;
			armed = false;
			if (came)
				CHECK(count_full() == 1);
			tracker_discard(&s.t);
		} while (came);
		CHECK(n > 10);
	}
}

/*
 * A local unmap, and an interrupt that gives the page to a device.  Up to some
 * point it comes too early and is reported; from there on it is not.
 */
static void give_page_away(void)
{
	struct transfer x = theirs;

	x.buf.pfn = 40;
	CHECK(!tracker_map(&s.t, &x));
	CHECK(!tracker_unmap(&s.t, &x));
}

static void local_unmap(void)
{
	const struct task nothing = { 0 };
	unsigned int reported = 1;
	unsigned int n = 0;
	bool came;
	void *addr;

	do {
		prepare(&nothing, n, give_page_away);
		armed = false;
		addr = fake_local_map(&s.t.f, 40);
		armed = true;
		fake_local_unmap(&s.t.f, addr);
		came = !armed;
		armed = false;
		if (came) {
			CHECK(n ? s.t.nreports <= reported : s.t.nreports == 1);
			reported = s.t.nreports;
		}
		n++;
		finish(&nothing);
	} while (came);
	CHECK(!reported);
}

/*
 * A list with a buffer that is not mapped: the others stay mapped throughout.
 */
static void refused_list(void)
{
	const struct pkmap_dma_buffer bufs[] = { mine[0],
						 mine[1],
						 { .pfn = 50, .len = 1 } };

	CHECK(pkmap_dma_unmap(s.t.dma, &devices[0], bufs, 3,
			      PKMAP_DMA_FROM_DEVICE) == PKMAP_EINVAL);
}

/* All three are found, and those reported that were not reported before. */
static void look_for_three(void)
{
	CHECK(pkmap_dma_leaks(s.t.dma, NULL) == 3);
}

static void list_refused(void)
{
	const struct task task = { refused_list, true, true, 1, 1, 1 };

	sweep(&task, map_and_unmap, 0, 0);
	sweep(&task, keep_mapped, 0, 0);
	sweep(&task, look_for_three, 3, 3);
	sweep(&task, keep_overlapping, 1, 1);
}

/* Two unmaps of one buffer: one of them is refused and reported. */
static unsigned int nrefused;

static void unmap_background(void)
{
	const unsigned int n = s.t.nreports;
	struct transfer x = background;

	if (!tracker_unmap(&s.t, &x))
		return;
	nrefused++;
	tracker_check(&s.t, n, PKMAP_DMA_UNMAP_UNMAPPED, "pkmap_dma_unmap", &x,
		      NULL);
}

static void unmapped_twice(void)
{
	const struct task nothing = { 0 };
	unsigned int n = 0;
	bool came;

	do {
		prepare(&nothing, n++, unmap_background);
		nrefused = 0;
		unmap_background();
		came = !armed;
		armed = false;
		CHECK(nrefused == came && s.t.nreports == nrefused);
		tracker_close(&s.t);
	} while (came);
	CHECK(n > 10);
}

/*
 * One of two equal mappings is unmapped, and an interrupt unmaps the other: the
 * entry that the task was about to take may belong to another buffer by then.
 */
static const struct transfer sent = {
	.dev = &devices[1],
	.buf = { .pfn = 30, .offset = 0, .len = 100 },
	.dir = PKMAP_DMA_TO_DEVICE,
};

static void replace_sent(void)
{
	CHECK(!tracker_unmap(&s.t, &sent));
	CHECK(!tracker_map(&s.t, &replacement));
}

static void entry_of_another(void)
{
	const struct task nothing = { 0 };
	unsigned int n = 0;
	bool came;

	do {
		prepare(&nothing, n++, replace_sent);
		armed = false;
		CHECK(!tracker_map(&s.t, &sent));
		CHECK(!tracker_map(&s.t, &sent));
		armed = true;
		CHECK(!tracker_unmap(&s.t, &sent));
		came = !armed;
		armed = false;
		CHECK(!tracker_unmap(&s.t, came ? &replacement : &sent));
		finish(&nothing);
	} while (came);
	CHECK(n > 10);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(other_buffers),
	UNIT_TEST(misuse),
	UNIT_TEST(leaks),
	UNIT_TEST(overlap),
	UNIT_TEST(misuse_interrupted),
	UNIT_TEST(list_refused),
	UNIT_TEST(unmapped_twice),
	UNIT_TEST(no_entry_left),
	UNIT_TEST(full_meanwhile),
	UNIT_TEST(local_unmap),
	UNIT_TEST(entry_of_another),
	{ 0 },
};
