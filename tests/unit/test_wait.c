// SPDX-License-Identifier: MIT
/*
 * test_wait.c - waiting for a slot.  The hook of wait() plays the other tasks.
 * If what it does should end the wait and does not, the fake port fails the
 * test.
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

/* What the other tasks hold, and how often they ran. */
struct others {
	void *held[8];
	uint32_t nheld; /* they let go of the last */
	uint32_t runs;
	void *addr;
};

static void others_hold(struct fake *f, struct others *o, pkmap_pfn first,
			uint32_t n)
{
	*o = (struct others){ .nheld = n };
	while (n-- > 0)
		o->held[n] = fake_map(f, first + n);
	f->hook_arg = o;
}

static void others_let_go(struct fake *f, struct others *o)
{
	while (o->nheld)
		fake_unmap(f, o->held[--o->nheld]);
}

static void unmap_one(struct fake *f, const struct fake_event *e)
{
	struct others *o = f->hook_arg;

	(void)e;
	o->runs++;
	fake_unmap(f, o->held[--o->nheld]);
}

static void woken_by_unmap(void)
{
	struct others o;
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_one;
	addr = fake_map(&f, 100);
	CHECK(o.runs == 1);
	CHECK(f.count[FAKE_WAKE] == 1);
	CHECK(fake_stats(&f).waits == 1);
	CHECK(fake_stats(&f).reclaims == 1);
	fake_unmap(&f, addr);
	others_let_go(&f, &o);
	fake_close(&f);
}

/* An unmap before the wait, but after the window was found full. */
static void unmap_before_wait(void)
{
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.hook_op = FAKE_UNLOCK;
	f.hook = unmap_one;
	fake_touch(&f, 100);
	CHECK(f.count[FAKE_WAIT] <= 1);
	f.hook = NULL;
	others_let_go(&f, &o);
	fake_close(&f);
}

static void nobody_to_wake(void)
{
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fake_touch_range(&f, 0, 20);
	fake_unmap(&f, fake_pin(&f, 19));
	CHECK(pkmap_flush_unused(f.win));
	CHECK(!f.count[FAKE_WAKE]);
	fake_close(&f);
}

static void nowait(void)
{
	struct pkmap_wait wait = { .flags = PKMAP_WAIT_NEVER };
	void *addr = NULL;
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	fake_clear_log(&f);
	CHECK(pkmap_map(f.win, 100, PKMAP_NOWAIT, &addr) == PKMAP_EAGAIN);
	CHECK(pkmap_map(f.win, 100, &wait, &addr) == PKMAP_EAGAIN);
	CHECK(!addr && !f.count[FAKE_WAIT] && !f.count[FAKE_LOCK]);
	CHECK(!fake_stats(&f).waits);
	others_let_go(&f, &o);

	/* Nor does it wait for the lock; a hit does not need it. */
	f.lock_is_taken = true;
	CHECK(pkmap_map(f.win, 100, PKMAP_NOWAIT, &addr) == PKMAP_EAGAIN);
	CHECK(!pkmap_map(f.win, 0, PKMAP_NOWAIT, &addr));
	fake_unmap(&f, addr);
	f.lock_is_taken = false;
	CHECK(!pkmap_map(f.win, 100, PKMAP_NOWAIT, &addr));
	fake_unmap(&f, addr);
	CHECK(!f.count[FAKE_LOCK]);
	fake_close(&f);
}

static void deadline_and_interrupt(void)
{
	struct pkmap_wait deadline = { .deadline = 1 };
	struct pkmap_wait interruptible = {
		.deadline = PKMAP_NO_DEADLINE,
		.flags = PKMAP_WAIT_INTERRUPTIBLE,
	};
	void *addr = NULL;
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	CHECK(pkmap_map(f.win, 100, &deadline, &addr) == PKMAP_ETIMEDOUT);
	CHECK(pkmap_map(f.win, 100, &interruptible, &addr) == PKMAP_EINTR);
	CHECK(!addr && f.count[FAKE_WAIT] == 2);
	CHECK(fake_stats(&f).waits == 2);

	/* A waiter that gave up is not woken any more. */
	others_let_go(&f, &o);
	CHECK(!f.count[FAKE_WAKE]);
	fake_close(&f);
}

/* The deadline has passed, but by then there is a slot. */
static void unmap_before_second_lock(struct fake *f, const struct fake_event *e)
{
	(void)e;
	if (f->count[FAKE_LOCK] == 2)
		fake_unmap(f, f->hook_arg);
}

static void looks_once_more(void)
{
	const struct pkmap_wait deadline = { .deadline = 1 };
	void *addr;
	struct fake f;

	fake_init(&f);
	f.config.nslots = 1;
	fake_open(&f);
	f.hook_arg = fake_map(&f, 1);
	fake_clear_log(&f);
	f.hook_op = FAKE_LOCK;
	f.hook = unmap_before_second_lock;
	CHECK(!pkmap_map(f.win, 100, &deadline, &addr));
	f.hook = NULL;
	CHECK(f.count[FAKE_WAIT] == 1);
	fake_unmap(&f, addr);
	fake_close(&f);
}

/* wait() returns early three times for no reason; then somebody unmaps. */
static void unmap_the_fourth_time(struct fake *f, const struct fake_event *e)
{
	struct others *o = f->hook_arg;

	if (f->wait_early)
		o->runs++;
	else
		unmap_one(f, e);
}

static void early_returns_go_on(void)
{
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.wait_early = 3;
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_the_fourth_time;
	fake_touch(&f, 100);
	CHECK(o.runs == 4);
	f.hook = NULL;
	others_let_go(&f, &o);
	fake_close(&f);
}

/* Somebody else maps the page that is waited for, and keeps it. */
static void map_same_page(struct fake *f, const struct fake_event *e)
{
	struct others *o = f->hook_arg;

	unmap_one(f, e);
	o->addr = fake_map(f, 100);
}

static void page_appears(void)
{
	struct others o;
	struct fake f;
	void *addr;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.hook_op = FAKE_WAIT;
	f.hook = map_same_page;
	addr = fake_map(&f, 100);
	f.hook = NULL;
	CHECK(o.runs == 1 && addr == o.addr);
	fake_unmap(&f, addr);
	fake_unmap(&f, addr);
	others_let_go(&f, &o);
	fake_close(&f);
}

/* A slot became idle and was taken by another: wait again. */
static void unmap_and_take(struct fake *f, const struct fake_event *e)
{
	struct others *o = f->hook_arg;

	unmap_one(f, e);
	if (o->runs < 3)
		o->held[o->nheld++] = fake_map(f, 200 + o->runs);
}

static void overtaken(void)
{
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_and_take;
	fake_touch(&f, 100);
	f.hook = NULL;
	CHECK(o.runs == 3 && fake_stats(&f).waits == 3);
	others_let_go(&f, &o);
	fake_close(&f);
}

/* The put has woken the waiter; a flush of the idle slot need not. */
static void unmap_and_flush(struct fake *f, const struct fake_event *e)
{
	unmap_one(f, e);
	CHECK(f->count[FAKE_WAKE] == 1);
	CHECK(pkmap_flush_unused(f->win) == 1);
	CHECK(f->count[FAKE_WAKE] == 1);
}

static void woken_before_flush(void)
{
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_and_flush;
	fake_touch(&f, 100);
	f.hook = NULL;
	others_let_go(&f, &o);
	fake_close(&f);
}

/* Three pages, one of them mapped: two more slots are needed, and no less. */
static void pages_wait_for_all(void)
{
	const pkmap_pfn pfns[] = { 100, 0, 101 };
	void *addrs[3];
	struct others o;
	struct fake f;
	uint32_t i;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	fake_clear_log(&f);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_one;
	CHECK(!pkmap_map_pages(f.win, pfns, 3, NULL, addrs));
	f.hook = NULL;
	CHECK(o.runs == 2);
	CHECK(fake_stats(&f).waits == 2);
	/* Nothing was taken before all could be. */
	CHECK(f.count[FAKE_SET] == 2);
	CHECK(fake_stats(&f).misses == 6 && fake_stats(&f).hits == 1);
	CHECK(addrs[1] == o.held[0]);
	for (i = 0; i < 3; i++) {
		CHECK(pkmap_addr_to_pfn(f.win, addrs[i]) == pfns[i]);
		fake_unmap(&f, addrs[i]);
	}
	others_let_go(&f, &o);
	fake_close(&f);
}

/* A page that is asked for twice needs one slot, and counts twice. */
static void pages_with_duplicates(void)
{
	const pkmap_pfn pfns[] = { 5, 6, 5, 5 };
	void *addrs[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.nslots = 2;
	fake_open(&f);
	CHECK(!pkmap_map_pages(f.win, pfns, 4, NULL, addrs));
	CHECK(addrs[0] == addrs[2] && addrs[0] == addrs[3]);
	CHECK(addrs[0] != addrs[1]);
	CHECK(fake_stats(&f).misses == 2 && fake_stats(&f).hits == 2);
	for (i = 0; i < 4; i++)
		fake_unmap(&f, addrs[i]);
	CHECK(pkmap_unmap(f.win, addrs[0]) == PKMAP_EINVAL);
	CHECK(!pkmap_map_pages(f.win, pfns, 4, NULL, addrs));
	CHECK(fake_stats(&f).misses == 2 && fake_stats(&f).hits == 6);
	for (i = 0; i < 4; i++)
		fake_unmap(&f, addrs[i]);
	fake_close(&f);
}

/* The slot of an idle page that is wanted is not counted as one to reclaim. */
static void idle_hit_counts_once(void)
{
	const struct pkmap_wait wait = { .deadline = 1 };
	const pkmap_pfn pfns[] = { 3, 100 };
	void *addrs[2] = { NULL, NULL };
	struct others o;
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	fake_unmap(&f, o.held[--o.nheld]); /* page 3 is idle */
	CHECK(pkmap_map_pages(f.win, pfns, 2, PKMAP_NOWAIT, addrs) ==
	      PKMAP_EAGAIN);
	/*
	 * If it were counted twice, the map would try for ever instead of
	 * waiting.
	 */
	CHECK(pkmap_map_pages(f.win, pfns, 2, &wait, addrs) == PKMAP_ETIMEDOUT);
	CHECK(fake_stats(&f).waits == 1);
	CHECK(!addrs[0] && !addrs[1]);
	CHECK(fake_stats(&f).misses == 4);
	CHECK(!pkmap_forget(f.win, 3, 1, PKMAP_NOWAIT));
	others_let_go(&f, &o);
	fake_close(&f);
}

/*
 * Reclaim for one of the pages may take the idle slot of another; the map
 * succeeds all the same.
 */
static void pages_reclaim_each_other(void)
{
	const pkmap_pfn pfns[] = { 100, 101, 0, 1 };
	void *addrs[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.batch = 4;
	fake_open(&f);
	fake_touch_range(&f, 0, 4);
	CHECK(!pkmap_map_pages(f.win, pfns, 4, PKMAP_NOWAIT, addrs));
	for (i = 0; i < 4; i++) {
		CHECK(pkmap_addr_to_pfn(f.win, addrs[i]) == pfns[i]);
		fake_unmap(&f, addrs[i]);
	}
	fake_close(&f);
}

/* When the port fails at one page, all pages that were taken are put back. */
static void fail_at_page_102(struct fake *f, const struct fake_event *e)
{
	if (e->pfn == 102)
		f->set_error = PKMAP_ENOMEM;
}

static void pages_roll_back(void)
{
	const pkmap_pfn pfns[] = { 1, 101, 101, 102, 103 };
	void *addrs[5] = { NULL };
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	fake_touch(&f, 1);
	f.hook_op = FAKE_SET;
	f.hook = fail_at_page_102;
	CHECK(pkmap_map_pages(f.win, pfns, 5, NULL, addrs) == PKMAP_ENOMEM);
	f.hook = NULL;
	CHECK(!addrs[0] && !addrs[1]);
	CHECK(!pkmap_pfn_to_addr(f.win, 102));
	CHECK(!pkmap_pfn_to_addr(f.win, 103));
	CHECK(!pkmap_forget(f.win, 0, FAKE_NPAGES, PKMAP_NOWAIT));
	fake_check_index(&f);
	fake_close(&f);
}

static void never_satisfiable(void)
{
	const pkmap_pfn pfns[] = { 0, 1, 2, 3, 4 };
	const pkmap_pfn fours[] = { 0, 4, 8 };
	void *addrs[5] = { NULL };
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	CHECK(pkmap_map_pages(f.win, pfns, 5, NULL, addrs) == PKMAP_EINVAL);
	CHECK(f.report.what == PKMAP_MISUSE_IMPOSSIBLE);
	CHECK(!f.count[FAKE_SET] && !addrs[0]);
	fake_close(&f);

	/* Enough slots, but not of this colour. */
	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 4;
	f.config.nslots = 8;
	fake_open(&f);
	CHECK(pkmap_map_pages(f.win, fours, 3, NULL, addrs) == PKMAP_EINVAL);
	CHECK(f.report.what == PKMAP_MISUSE_IMPOSSIBLE);
	CHECK(!pkmap_map_pages(f.win, fours, 2, NULL, addrs));
	fake_unmap(&f, addrs[0]);
	fake_unmap(&f, addrs[1]);
	fake_close(&f);
}

/*
 * A call that holds a slot for a moment, and cannot use it, may have kept it
 * from a waiter that looked just then.  The test only pretends that there is a
 * waiter.
 */
static void announce_waiter(struct fake *f)
{
	pkmap_a32_add_seq_cst(&f->win->waiters, 1);
	fake_clear_log(f);
}

static void end_waiter(struct fake *f)
{
	CHECK(f->count[FAKE_WAKE]);
	CHECK(pkmap_a32_load_relaxed(&f->win->colour[0].event));
	pkmap_a32_sub_seq_cst(&f->win->waiters, 1);
}

static void roll_back_wakes(void)
{
	const pkmap_pfn pfns[] = { 3, 100 };
	struct others o;
	void *addrs[2];
	struct fake f;

	fake_init(&f);
	fake_open(&f);
	others_hold(&f, &o, 0, 4);
	fake_unmap(&f, o.held[--o.nheld]); /* page 3 is idle */
	announce_waiter(&f);
	CHECK(pkmap_map_pages(f.win, pfns, 2, PKMAP_NOWAIT, addrs) ==
	      PKMAP_EAGAIN);
	end_waiter(&f);
	others_let_go(&f, &o);
	fake_close(&f);
}

/* Leaves page 0 mapped, idle, and its word @n users below idle. */
static void *below_idle(struct fake *f, uint32_t n)
{
	pkmap_a32 *word;
	void *addr;

	fake_init(f);
	fake_open(f);
	addr = fake_map(f, 0);
	fake_unmap(f, addr);
	word = slot_word(f->win, addr_slot(f->win, addr));
	while (n--)
		pkmap_a32_sub_seq_cst(word, WORD_USER);
	return addr;
}

/* It looked used while its word was below idle.  Then it is idle again. */
static void excess_unmap_wakes(void)
{
	struct fake f;
	void *addr = below_idle(&f, 0);

	announce_waiter(&f);
	CHECK(pkmap_unmap(f.win, addr) == PKMAP_EINVAL);
	end_waiter(&f);
	fake_close(&f);
}

/* A get that makes up for excess unmaps wakes, and holds the page after it. */
static void get_after_excess_unmaps_wakes(void)
{
	struct fake f;
	void *addr = below_idle(&f, 3);

	announce_waiter(&f);
	CHECK(fake_pin(&f, 0) == addr);
	end_waiter(&f);
	CHECK(!pkmap_flush_unused(f.win));
	fake_unmap(&f, addr);
	CHECK(pkmap_flush_unused(f.win) == 1);
	fake_close(&f);
}

static void pin_and_unpin(struct fake *f, const struct fake_event *e)
{
	(void)e;
	fake_unmap(f, fake_pin(f, 0));
}

/* Who wants to forget the page sleeps until then, and does not go round. */
static void forget_waits_below_idle(void)
{
	struct fake f;

	below_idle(&f, 1);
	f.hook_op = FAKE_WAIT;
	f.hook = pin_and_unpin;
	CHECK(!pkmap_forget(f.win, 0, 1, NULL));
	CHECK(f.count[FAKE_WAIT] == 1);
	CHECK(f.count[FAKE_WAKE]);
	f.hook = NULL;
	fake_close(&f);
}

/* A get under the lock does the same. */
static void finish_get_after_excess_unmaps(void)
{
	struct fake f;
	void *addr = below_idle(&f, 3);
	uint32_t slot = (uint32_t)addr_slot(f.win, addr);

	announce_waiter(&f);
	CHECK(pkmap_finish_get(f.win, slot,
			       word_add_user(slot_word(f.win, slot))));
	end_waiter(&f);
	CHECK(!pkmap_flush_unused(f.win));
	fake_unmap(&f, addr);
	CHECK(pkmap_unmap(f.win, addr) == PKMAP_EINVAL);
	CHECK(pkmap_flush_unused(f.win) == 1);
	fake_close(&f);
}

/*
 * A slot of another colour is of no use to a waiter and does not wake it: only
 * the event of the slot's own colour changes.
 */
static void unmap_colour_1_then_0(struct fake *f, const struct fake_event *e)
{
	const pkmap_a32 *event = e->addr;
	const uint32_t seen = pkmap_a32_load_relaxed(event);
	struct others *o = f->hook_arg;

	fake_clear_log(f);
	fake_unmap(f, o->held[1]);
	CHECK(f->log[0].op == FAKE_WAKE && f->log[0].addr != e->addr);
	CHECK(pkmap_a32_load_relaxed(event) == seen);
	fake_clear_log(f);
	fake_unmap(f, o->held[0]);
	CHECK(f->log[0].op == FAKE_WAKE && f->log[0].addr == e->addr);
	CHECK(pkmap_a32_load_relaxed(event) != seen);
	o->nheld = 0;
}

static void wait_per_colour(void)
{
	struct others o;
	struct fake f;
	void *addr = NULL;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 2;
	f.config.nslots = 2;
	fake_open(&f);
	others_hold(&f, &o, 0, 2);
	CHECK(pkmap_map(f.win, 2, PKMAP_NOWAIT, &addr) == PKMAP_EAGAIN);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_colour_1_then_0;
	fake_touch(&f, 100);
	f.hook = NULL;
	fake_close(&f);
}

/* Two pages of two colours, each of which has to be waited for. */
static void pages_wait_for_each_colour(void)
{
	const pkmap_pfn pfns[] = { 2, 3 };
	void *addrs[2];
	struct others o;
	struct fake f;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 2;
	f.config.nslots = 2;
	fake_open(&f);
	others_hold(&f, &o, 0, 2);
	/* The waiter waits for colour 0 first, which the others unmap last. */
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_one;
	f.wait_early = 1;
	CHECK(!pkmap_map_pages(f.win, pfns, 2, NULL, addrs));
	f.hook = NULL;
	CHECK(o.runs == 2);
	fake_unmap(&f, addrs[0]);
	fake_unmap(&f, addrs[1]);
	fake_close(&f);
}

static void unmap_page_0(struct fake *f, const struct fake_event *e)
{
	(void)e;
	CHECK(!pkmap_unmap_pfn(f->win, 0));
}

static void woken_by_unmap_pfn(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	f.config.nslots = 1;
	fake_open(&f);
	fake_map(&f, 0);
	f.hook_op = FAKE_WAIT;
	f.hook = unmap_page_0;
	addr = fake_map(&f, 100);
	CHECK(f.count[FAKE_WAKE] == 1);
	fake_unmap(&f, addr);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(woken_by_unmap),
	UNIT_TEST(unmap_before_wait),
	UNIT_TEST(nobody_to_wake),
	UNIT_TEST(nowait),
	UNIT_TEST(deadline_and_interrupt),
	UNIT_TEST(looks_once_more),
	UNIT_TEST(early_returns_go_on),
	UNIT_TEST(page_appears),
	UNIT_TEST(overtaken),
	UNIT_TEST(woken_before_flush),
	UNIT_TEST(pages_wait_for_all),
	UNIT_TEST(pages_with_duplicates),
	UNIT_TEST(idle_hit_counts_once),
	UNIT_TEST(pages_reclaim_each_other),
	UNIT_TEST(pages_roll_back),
	UNIT_TEST(never_satisfiable),
	UNIT_TEST(roll_back_wakes),
	UNIT_TEST(excess_unmap_wakes),
	UNIT_TEST(get_after_excess_unmaps_wakes),
	UNIT_TEST(forget_waits_below_idle),
	UNIT_TEST(finish_get_after_excess_unmaps),
	UNIT_TEST(wait_per_colour),
	UNIT_TEST(pages_wait_for_each_colour),
	UNIT_TEST(woken_by_unmap_pfn),
	{ 0 },
};
