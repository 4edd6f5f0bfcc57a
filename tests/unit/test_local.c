// SPDX-License-Identifier: MIT
/*
 * test_local.c - local maps: a CPU's stack of them, and their slots.
 */
#include <setjmp.h>

#include "tests/fake/fake_port.h"
#include "unit_test.h"

static void open_kind(struct fake *f, enum pkmap_cache_kind kind)
{
	fake_init(f);
	f->config.cache.kind = kind;
	fake_open(f);
}

/* The operations of one local map, in order, on a cache that needs cleaning. */
static void steps(void)
{
	static const enum fake_op expected[] = {
		FAKE_LOCAL_ENTER, FAKE_SET,	  FAKE_LOCAL_CPU,   FAKE_CLEAN,
		FAKE_CLEAR,	  FAKE_FLUSH_TLB, FAKE_LOCAL_LEAVE,
	};
	struct fake f;
	void *addr;
	uint32_t i;

	open_kind(&f, PKMAP_CACHE_VIVT);
	addr = fake_local_map(&f, 9);
	fake_write(&f, addr, 99);
	CHECK(f.memory[9] == 0);
	fake_local_unmap(&f, addr);
	CHECK(f.memory[9] == 99);
	CHECK(f.nlog == sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < f.nlog; i++)
		CHECK(f.log[i].op == expected[i]);
	CHECK(f.log[3].n == FAKE_PAGE);
	CHECK(fake_stats(&f).local_maps == 1);
	CHECK(!fake_stats(&f).tlb_flushes);
	fake_close(&f);
}

static void no_cleaning_but_on_vivt(void)
{
	struct fake f;

	open_kind(&f, PKMAP_CACHE_PIPT);
	fake_local_unmap(&f, fake_local_map(&f, 9));
	CHECK(!f.count[FAKE_CLEAN]);
	fake_close(&f);
}

/* A page that is mapped, idle or not, is pinned, and no local slot is set. */
static void pins_first(void)
{
	struct fake f;
	void *addr;

	open_kind(&f, PKMAP_CACHE_VIVT);
	fake_touch(&f, 9);
	addr = fake_local_map(&f, 9);
	CHECK(addr == pkmap_pfn_to_addr(f.win, 9));
	CHECK(fake_local_map(&f, 9) == addr);
	CHECK(pkmap_forget(f.win, 9, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	fake_local_unmap(&f, addr);
	CHECK(pkmap_forget(f.win, 9, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	fake_local_unmap(&f, addr);
	CHECK(!pkmap_forget(f.win, 9, 1, PKMAP_NOWAIT));
	CHECK(!fake_stats(&f).local_maps && f.count[FAKE_SET] == 1);
	fake_close(&f);
}

/* Each page has one address, however its maps nest. */
static void nested(void)
{
	static const pkmap_pfn pfns[] = { 1, 2, 1, 2 };
	void *addrs[4];
	struct fake f;
	uint32_t i;

	open_kind(&f, PKMAP_CACHE_VIVT);
	for (i = 0; i < 4; i++) {
		addrs[i] = fake_local_map(&f, pfns[i]);
		fake_write(&f, addrs[i], 10 + i);
	}
	CHECK(addrs[0] == addrs[2] && addrs[1] == addrs[3]);
	CHECK(addrs[0] != addrs[1]);
	CHECK(fake_read(&f, addrs[0]) == 12 && fake_read(&f, addrs[1]) == 13);
	CHECK(f.count[FAKE_SET] == 2);
	fake_local_unmap(&f, addrs[3]);
	fake_local_unmap(&f, addrs[2]);
	/*
	 * The inner maps neither clean nor clear the slots of the outer ones.
	 */
	CHECK(!f.count[FAKE_CLEAN] && !f.count[FAKE_CLEAR]);
	fake_local_unmap(&f, addrs[1]);
	fake_local_unmap(&f, addrs[0]);
	CHECK(f.memory[1] == 12 && f.memory[2] == 13);
	CHECK(f.count[FAKE_CLEAN] == 2 && f.count[FAKE_CLEAR] == 2);
	fake_close(&f);
}

static void as_deep_as_there_are_slots(void)
{
	void *addrs[4];
	void *addr = NULL;
	struct fake f;
	uint32_t i;

	open_kind(&f, PKMAP_CACHE_PIPT);
	for (i = 0; i < 4; i++)
		addrs[i] = fake_local_map(&f, i);
	CHECK(pkmap_local_map(f.win, 4, &addr) == PKMAP_EBUSY);
	/* Also where no slot would be needed: each has a place on the stack. */
	CHECK(pkmap_local_map(f.win, 0, &addr) == PKMAP_EBUSY);
	CHECK(!addr && f.entered[0] == 4);
	CHECK(f.report.what == PKMAP_MISUSE_LOCAL_DEPTH);
	fake_local_unmap(&f, addrs[3]);
	addrs[3] = fake_local_map(&f, 5);
	for (i = 4; i-- > 0;)
		fake_local_unmap(&f, addrs[i]);
	fake_close(&f);
}

static void last_in_first_out(void)
{
	void *outer;
	void *inner;
	struct fake f;

	open_kind(&f, PKMAP_CACHE_PIPT);
	CHECK(pkmap_local_unmap(f.win, fake_addr(&f, 0)) == PKMAP_EINVAL);
	outer = fake_local_map(&f, 1);
	inner = fake_local_map(&f, 2);
	CHECK(pkmap_local_unmap(f.win, outer) == PKMAP_EINVAL);
	CHECK(pkmap_local_unmap(f.win, (char *)inner + 1) == PKMAP_EINVAL);
	CHECK(fake_stats(&f).misuses == 3);
	CHECK(f.report.what == PKMAP_MISUSE_LOCAL_ORDER);
	CHECK(!f.count[FAKE_CLEAR] && f.entered[0] == 2);
	fake_local_unmap(&f, inner);
	fake_local_unmap(&f, outer);
	CHECK(pkmap_local_unmap(f.win, outer) == PKMAP_EINVAL);
	/* Nor if something else than a local map keeps us on the CPU. */
	f.entered[0]++;
	CHECK(pkmap_local_unmap(f.win, outer) == PKMAP_EINVAL);
	f.entered[0]--;
	fake_close(&f);
}

/* CPUs have slots and stacks of their own. */
static void two_cpus(void)
{
	void *first;
	void *second;
	struct fake f;

	open_kind(&f, PKMAP_CACHE_PIPT);
	first = fake_local_map(&f, 1);
	f.cpu = 1;
	second = fake_local_map(&f, 1);
	CHECK(first != second);
	CHECK(pkmap_local_unmap(f.win, first) == PKMAP_EINVAL);
	fake_local_unmap(&f, second);
	f.cpu = 0;
	fake_local_unmap(&f, first);
	fake_close(&f);
}

/* The fake port refuses a page in a slot of another colour. */
static void each_colour(void)
{
	void *addrs[4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 4;
	fake_open(&f);
	for (f.cpu = 0; f.cpu < 2; f.cpu++) {
		for (i = 0; i < 4; i++) {
			addrs[i] = fake_local_map(&f, 11 - i);
			CHECK(pkmap_addr_to_pfn(f.win, addrs[i]) == 11 - i);
		}
		for (i = 4; i-- > 0;)
			fake_local_unmap(&f, addrs[i]);
	}
	f.cpu = 0;
	fake_close(&f);
}

/*
 * Each place of the stack has its own slot, beside those for DMA calls.  The
 * fake port fails the test if two share a slot, or if the slot is another
 * CPU's.
 */
static void beside_dma_slots(void)
{
	void *addrs[2][4];
	struct fake f;
	uint32_t i;

	fake_init(&f);
	f.config.cache.kind = PKMAP_CACHE_VIPT;
	f.config.cache.colours = 2;
	f.config.dma_slots = 3;
	fake_open(&f);
	for (f.cpu = 0; f.cpu < 2; f.cpu++) {
		for (i = 0; i < 4; i++) {
			addrs[f.cpu][i] = fake_local_map(&f, 10 + i);
			CHECK(fake_local_place(&f, addrs[f.cpu][i]) == i);
			CHECK(pkmap_addr_to_pfn(f.win, addrs[f.cpu][i]) ==
			      10 + i);
		}
	}
	for (f.cpu = 0; f.cpu < 2; f.cpu++) {
		for (i = 4; i-- > 0;)
			fake_local_unmap(&f, addrs[f.cpu][i]);
	}
	fake_close(&f);
}

/* Local maps cannot use the slots for DMA calls. */
static void only_dma_slots(void)
{
	void *addr = NULL;
	struct fake f;

	fake_init(&f);
	f.config.local_slots = 0;
	f.config.dma_slots = 2;
	fake_open(&f);
	CHECK(pkmap_local_map(f.win, 1, &addr) == PKMAP_EBUSY);
	CHECK(pkmap_local_unmap(f.win, (void *)FAKE_LOCAL_BASE) ==
	      PKMAP_EINVAL);
	CHECK(!addr && !f.count[FAKE_SET] && !f.entered[0]);
	fake_close(&f);
}

/*
 * An interrupt uses the page when the task's unmap has just cleaned its lines:
 * they are cleaned once more.
 */
static void use_in_interrupt(struct fake *f, const struct fake_event *e)
{
	void *addr = fake_local_map(f, 9);

	CHECK(addr == e->addr);
	fake_write(f, addr, fake_read(f, addr) + 1);
	fake_local_unmap(f, addr);
	f->hook_op = FAKE_NOPS;
}

static void clean_before_close(void)
{
	struct fake f;
	void *addr;

	open_kind(&f, PKMAP_CACHE_VIVT);
	f.hook_op = FAKE_CLEANED;
	f.hook = use_in_interrupt;
	addr = fake_local_map(&f, 9);
	fake_write(&f, addr, 41);
	fake_local_unmap(&f, addr);
	CHECK(f.count[FAKE_CLEAN] == 2);
	CHECK(f.count[FAKE_CLEAR] == 1);
	CHECK(f.memory[9] == 42);
	CHECK(!f.entered[0]);
	fake_close(&f);
}

/* Once its slot is being cleared, an interrupt gets one of its own. */
static void map_while_clearing(struct fake *f, const struct fake_event *e)
{
	void *addr = fake_local_map(f, 9);

	CHECK(addr != e->addr);
	CHECK(fake_read(f, addr) == 41);
	fake_local_unmap(f, addr);
}

static void closed_is_not_reused(void)
{
	static const enum fake_op ops[] = { FAKE_CLEAR, FAKE_FLUSH_TLB };
	struct fake f;
	uint32_t i;
	void *addr;

	for (i = 0; i < 2; i++) {
		open_kind(&f, PKMAP_CACHE_VIVT);
		addr = fake_local_map(&f, 9);
		fake_write(&f, addr, 41);
		f.hook_op = ops[i];
		f.hook = map_while_clearing;
		fake_local_unmap(&f, addr);
		f.hook = NULL;
		fake_close(&f);
	}
}

/* An interrupt in the middle of a local map leaves the stack as it found it. */
static void map_two_more(struct fake *f, const struct fake_event *e)
{
	void *addrs[2];

	(void)e;
	f->hook_op = FAKE_NOPS;
	addrs[0] = fake_local_map(f, 9);
	addrs[1] = fake_local_map(f, 10);
	fake_write(f, addrs[0], fake_read(f, addrs[0]) + 1);
	fake_local_unmap(f, addrs[1]);
	fake_local_unmap(f, addrs[0]);
}

static void interrupted_anywhere(void)
{
	static const enum fake_op ops[] = {
		FAKE_LOCAL_ENTER, FAKE_SET,	  FAKE_LOCAL_CPU,   FAKE_CLEAN,
		FAKE_CLEAR,	  FAKE_FLUSH_TLB, FAKE_LOCAL_LEAVE,
	};
	struct fake f;
	uint32_t i;
	void *addr;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		open_kind(&f, PKMAP_CACHE_VIVT);
		f.hook_op = ops[i];
		f.hook = map_two_more;
		addr = fake_local_map(&f, 9);
		fake_write(&f, addr, fake_read(&f, addr) + 100);
		fake_local_unmap(&f, addr);
		f.hook = NULL;
		CHECK(f.memory[9] == 101);
		fake_close(&f);
	}
}

/* While reclaim cleans a page's slot, an interrupt's local map pins it there. */
static void use_in_reclaim(struct fake *f, const struct fake_event *e)
{
	void *addr = fake_local_map(f, fake_shows(f, 0));

	CHECK(addr == e->addr);
	fake_write(f, addr, 5);
	fake_local_unmap(f, addr);
}

static void in_the_middle_of_reclaim(void)
{
	struct fake f;
	pkmap_pfn pfn;

	open_kind(&f, PKMAP_CACHE_VIVT);
	fake_touch_range(&f, 0, 4);
	pfn = fake_shows(&f, 0);
	f.hook_op = FAKE_CLEAN;
	f.hook = use_in_reclaim;
	CHECK(pkmap_flush_unused(f.win) == 3);
	f.hook = NULL;
	CHECK(fake_shows(&f, 0) == pfn);
	fake_close(&f);
	CHECK(f.memory[pfn] == 5);
}

static void port_fails(void)
{
	void *addr = NULL;
	struct fake f;

	open_kind(&f, PKMAP_CACHE_PIPT);
	f.enter_error = PKMAP_EBUSY;
	CHECK(pkmap_local_map(f.win, 1, &addr) == PKMAP_EBUSY);
	f.enter_error = 0;
	f.set_error = PKMAP_ENOMEM;
	CHECK(pkmap_local_map(f.win, 1, &addr) == PKMAP_ENOMEM);
	CHECK(!addr && !f.entered[0] && !fake_stats(&f).local_maps);
	CHECK(!fake_stats(&f).misuses);

	addr = fake_local_map(&f, 1);
	CHECK(pkmap_local_unmap(f.win, (char *)addr + FAKE_PAGE) ==
	      PKMAP_EINVAL);
	fake_local_unmap(&f, addr);
	fake_close(&f);
}

static void window_without_local_slots(void)
{
	void *addr = NULL;
	struct fake f;

	fake_init(&f);
	f.config.local_slots = 0;
	fake_open(&f);
	CHECK(pkmap_local_map(f.win, 1, &addr) == PKMAP_EBUSY);
	CHECK(f.report.what == PKMAP_MISUSE_LOCAL_DEPTH);
	CHECK(pkmap_local_unmap(f.win, fake_addr(&f, 0)) == PKMAP_EINVAL);
	CHECK(!addr && !f.count[FAKE_LOCAL_ENTER] && !f.count[FAKE_LOCAL_CPU]);
	fake_close(&f);
}

/*
 * A CPU is gone: its maps end, innermost first, and each is reported.  Then its
 * number is used again.
 */
static void abandoned(void)
{
	void *addr;
	void *other;
	struct fake f;

	open_kind(&f, PKMAP_CACHE_VIVT);
	fake_touch(&f, 9);
	f.cpu = 1;
	other = fake_local_map(&f, 7);
	f.cpu = 0;
	fake_local_map(&f, 9);
	addr = fake_local_map(&f, 8);
	fake_write(&f, addr, 88);
	CHECK(fake_local_map(&f, 8) == addr);

	pkmap_local_abandon(f.win, 0);
	CHECK(f.memory[8] == 88);
	CHECK(f.count[FAKE_CLEAN] == 1 && f.count[FAKE_CLEAR] == 1);
	CHECK(f.count[FAKE_REPORT] == 3 && fake_stats(&f).misuses == 3);
	CHECK(f.report.what == PKMAP_MISUSE_LOCAL_LEFT);
	CHECK(f.report.pfn == 9);
	CHECK(!pkmap_forget(f.win, 8, 2, PKMAP_NOWAIT));
	CHECK(!f.count[FAKE_LOCAL_LEAVE]);
	f.entered[0] -= 3;

	/* The other CPU kept its own. */
	CHECK(pkmap_forget(f.win, 7, 1, PKMAP_NOWAIT) == PKMAP_EBUSY);
	CHECK(fake_local_map(&f, 6) == (void *)FAKE_LOCAL_BASE);
	pkmap_local_abandon(f.win, 0);
	CHECK(f.count[FAKE_REPORT] == 4);
	pkmap_local_abandon(f.win, 0);
	CHECK(f.count[FAKE_REPORT] == 4);
	f.entered[0]--;
	f.cpu = 1;
	fake_local_unmap(&f, other);
	fake_close(&f);
}

/* A CPU stops in the middle of a map or unmap, where the hook jumps out. */
static jmp_buf stopped;

static void stop_here(struct fake *f, const struct fake_event *e)
{
	(void)f;
	(void)e;
	longjmp(stopped, 1);
}

static void stop_at(struct fake *f, enum fake_op op)
{
	f->hook_op = op;
	f->hook = stop_here;
	if (!setjmp(stopped)) {
		fake_local_unmap(f, fake_local_map(f, 9));
		CHECK(false);
	}
	f->hook = NULL;
	f->any_context = false;
}

static void abandoned_anywhere(void)
{
	static const struct {
		enum fake_op op;
		unsigned int reports;
		unsigned int cleaned;
	} at[] = {
		{ FAKE_SET, 0, 0 },
		{ FAKE_CLEAN, 1, 2 },
		{ FAKE_CLEAR, 1, 1 },
	};
	struct fake f;
	uint32_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		open_kind(&f, PKMAP_CACHE_VIVT);
		stop_at(&f, at[i].op);
		pkmap_local_abandon(f.win, 0);
		CHECK(f.count[FAKE_REPORT] == at[i].reports);
		CHECK(f.count[FAKE_CLEAN] == at[i].cleaned);
		CHECK(!pkmap_forget(f.win, 9, 1, PKMAP_NOWAIT));
		f.entered[0] = 0;
		/* Its slot shows nothing: set() is checked for that. */
		fake_local_unmap(&f, fake_local_map(&f, 9));
		fake_close(&f);
	}
}

/* Those who wait for a page that the CPU showed are woken. */
static void abandon_in_wait(struct fake *f, const struct fake_event *e)
{
	(void)e;
	f->cpu = 1;
	pkmap_local_abandon(f->win, 1);
	f->cpu = 0;
}

static void abandoned_while_waited_for(void)
{
	struct fake f;

	open_kind(&f, PKMAP_CACHE_VIVT);
	f.cpu = 1;
	fake_local_map(&f, 9);
	f.cpu = 0;
	f.hook_op = FAKE_WAIT;
	f.hook = abandon_in_wait;
	CHECK(!pkmap_forget(f.win, 9, 1, NULL));
	CHECK(f.count[FAKE_WAKE] == 1);
	f.hook = NULL;
	f.entered[1] = 0;
	fake_close(&f);
}

static void read_only(void)
{
	struct fake f;

	fake_init(&f);
	f.config.read_only = true;
	fake_open(&f);
	/* The fake port compares what set() is told. */
	fake_local_unmap(&f, fake_local_map(&f, 1));
	fake_touch(&f, 1);
	CHECK(f.count[FAKE_SET] == 2);
	fake_close(&f);
}

/*
 * A map that borrows the first local slot is not taken for one of the window.
 */
static void right_behind_the_window(void)
{
	struct fake f;
	void *addr;

	fake_init(&f);
	f.config.local_base =
		(char *)f.config.base + f.config.nslots * FAKE_PAGE;
	fake_open(&f);
	addr = fake_local_map(&f, 1);
	CHECK(addr == f.config.local_base && fake_local_map(&f, 1) == addr);
	fake_local_unmap(&f, addr);
	fake_local_unmap(&f, addr);
	CHECK(!f.count[FAKE_REPORT]);
	fake_close(&f);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(steps),
	UNIT_TEST(no_cleaning_but_on_vivt),
	UNIT_TEST(pins_first),
	UNIT_TEST(nested),
	UNIT_TEST(as_deep_as_there_are_slots),
	UNIT_TEST(last_in_first_out),
	UNIT_TEST(two_cpus),
	UNIT_TEST(each_colour),
	UNIT_TEST(beside_dma_slots),
	UNIT_TEST(only_dma_slots),
	UNIT_TEST(clean_before_close),
	UNIT_TEST(closed_is_not_reused),
	UNIT_TEST(interrupted_anywhere),
	UNIT_TEST(in_the_middle_of_reclaim),
	UNIT_TEST(port_fails),
	UNIT_TEST(window_without_local_slots),
	UNIT_TEST(abandoned),
	UNIT_TEST(abandoned_anywhere),
	UNIT_TEST(abandoned_while_waited_for),
	UNIT_TEST(read_only),
	UNIT_TEST(right_behind_the_window),
	{ 0 },
};
