// SPDX-License-Identifier: MIT
/*
 * test_carried.c - a pin while the slots that it walks over are recycled, before
 * each of its atomic operations in turn.
 *
 * src/ is compiled with the atomic.h of test_interrupt.c.  Here another CPU
 * comes before an operation, unless the call has the window's lock.  The page
 * that is pinned is in use all the time.  So the pin must find it, at its one
 * address, into whichever chain the walk was carried.  (The end of a chain names
 * its bucket; a free slot has no page; the page number is looked at twice.)
 */
#include "src/window_priv.h"
#include "tests/fake/fake_port.h"
#include "unit_test.h"

#define NSLOTS 8u
#define OTHERS 3u

static struct {
	struct fake f;
	pkmap_pfn held; /* first in its chain to be inserted */
	void *addr;
	pkmap_pfn before[OTHERS];    /* of the same bucket, inserted later */
	pkmap_pfn elsewhere[OTHERS]; /* of another bucket */
} s;

static void (*other_cpu)(void);
static bool armed;
static unsigned int points_left;

void interrupt_point(void)
{
	const bool before = s.f.any_context;

	if (!armed || s.f.locked || points_left-- > 0)
		return;
	armed = false;
	s.f.any_context = false;
	other_cpu();
	s.f.any_context = before;
}

/* The next page from *@pfn on that is in @bucket, or in another one. */
static pkmap_pfn next_page(pkmap_pfn *pfn, unsigned long bucket, bool same)
{
	do {
		(*pfn)++;
		CHECK(*pfn < FAKE_NPAGES);
	} while ((pfn_bucket(s.f.win, *pfn) == bucket) != same);
	return *pfn;
}

static void open_window(void)
{
	pkmap_pfn same = 0;
	pkmap_pfn other = 0;
	unsigned long bucket;
	uint32_t i;

	fake_init(&s.f);
	s.f.config.nslots = NSLOTS;
	fake_open(&s.f);
	bucket = pfn_bucket(s.f.win, 0);
	s.held = 0;
	s.addr = fake_map(&s.f, s.held);
	for (i = 0; i < OTHERS; i++) {
		s.before[i] = next_page(&same, bucket, true);
		s.elsewhere[i] = next_page(
			&other,
			i ? pfn_bucket(s.f.win, s.elsewhere[0]) : bucket,
			i > 0);
		fake_touch(&s.f, s.before[i]);
	}
}

/*
 * The slot that the reader has reached is free, and its link leads to other
 * free slots.
 */
static void free_all(void)
{
	pkmap_flush_unused(s.f.win);
}

/*
 * Or it shows a page of another bucket, and its link leads to the end of that
 * chain.
 */
static void move_elsewhere(void)
{
	uint32_t i;

	pkmap_flush_unused(s.f.win);
	for (i = 0; i < OTHERS; i++)
		fake_touch(&s.f, s.elsewhere[i]);
}

/* Or the pages are in other slots, so that the chain has a new order. */
static void shuffle(void)
{
	uint32_t i;

	move_elsewhere();
	pkmap_flush_unused(s.f.win);
	for (i = OTHERS; i-- > 0;)
		fake_touch(&s.f, s.before[i]);
}

static void sweep(void (*run)(void))
{
	unsigned int n = 0;
	bool came;

	other_cpu = run;
	do {
		open_window();
		points_left = n++;
		s.f.any_context = true;
		armed = true;
		CHECK(pkmap_pin(s.f.win, s.held) == s.addr);
		came = !armed;
		armed = false;
		s.f.any_context = false;
		fake_unmap(&s.f, s.addr);
		fake_unmap(&s.f, s.addr);
		fake_close(&s.f);
	} while (came);
	CHECK(n > OTHERS);
}

static void to_free_slots(void)
{
	sweep(free_all);
}

static void to_another_chain(void)
{
	sweep(move_elsewhere);
}

static void back_into_its_chain(void)
{
	sweep(shuffle);
}

/*
 * The page that is pinned moves instead.  It is idle, and when the pin goes on,
 * its slot shows another page and another slot shows it.  If the answer is an
 * address, it shows the page.
 */
static void move_page(void)
{
	pkmap_pfn pfn = FAKE_NPAGES;
	void *addr;

	pkmap_flush_unused(s.f.win);
	if (pkmap_pfn_to_addr(s.f.win, s.held))
		return; /* it has been got already */
	while ((addr = fake_map(&s.f, --pfn)) != s.addr)
		fake_unmap(&s.f, addr);
	fake_touch(&s.f, s.held);
	fake_unmap(&s.f, addr);
	fake_touch(&s.f, pfn); /* REFERENCED, as a get likes it best */
}

static void *map_held(struct pkmap_window *w, pkmap_pfn pfn)
{
	void *addr = NULL;

	s.f.any_context = false;
	CHECK(!pkmap_map(w, pfn, NULL, &addr));
	return addr;
}

/*
 * The address is right at that moment.  Then the page is pinned, wherever it
 * is.
 */
static void *look_up_held(struct pkmap_window *w, pkmap_pfn pfn)
{
	void *addr = pkmap_pfn_to_addr(w, pfn);
	const bool was_armed = armed;

	armed = false;
	CHECK(!addr || pkmap_addr_to_pfn(w, addr) == pfn);
	addr = pkmap_pin(w, pfn);
	armed = was_armed;
	return addr;
}

static void get_page_that_moves(void *(*get)(struct pkmap_window *w,
					     pkmap_pfn pfn))
{
	unsigned int n = 0;
	void *addr;
	bool came;

	other_cpu = move_page;
	do {
		open_window();
		fake_unmap(&s.f, s.addr);
		fake_write(&s.f, s.addr, 7);
		points_left = n++;
		s.f.any_context = true;
		armed = true;
		addr = get(s.f.win, s.held);
		came = !armed;
		armed = false;
		s.f.any_context = false;
		if (addr) {
			CHECK(fake_read(&s.f, addr) == 7);
			CHECK(pkmap_addr_to_pfn(s.f.win, addr) == s.held);
			fake_unmap(&s.f, addr);
		}
		fake_close(&s.f);
	} while (came);
	CHECK(n > OTHERS);
}

static void page_that_moves(void)
{
	get_page_that_moves(pkmap_pin);
	get_page_that_moves(map_held);
	get_page_that_moves(look_up_held);
}

/*
 * One unmap too many, of a page that nobody holds.  Meanwhile another CPU takes
 * the slot for another page, and goes on holding that.
 */
static void take_slot(void)
{
	pkmap_pfn pfn = FAKE_NPAGES;
	void *addr;

	pkmap_flush_unused(s.f.win);
	while ((addr = fake_map(&s.f, --pfn)) != s.addr)
		fake_unmap(&s.f, addr);
}

static void unmap_too_many(void (*run)(void), void (*end)(void))
{
	unsigned int n = 0;
	bool came;

	other_cpu = run;
	do {
		open_window();
		fake_unmap(&s.f, s.addr);
		points_left = n++;
		s.f.any_context = true;
		armed = true;
		CHECK(pkmap_unmap_pfn(s.f.win, s.held) == PKMAP_EINVAL);
		came = !armed;
		armed = false;
		s.f.any_context = false;
		CHECK(fake_stats(&s.f).misuses == 1);
		if (came)
			end();
		fake_close(&s.f);
	} while (came);
	CHECK(n > OTHERS);
}

static void let_go_of_slot(void)
{
	fake_unmap(&s.f, s.addr);
}

static void unmap_of_a_page_that_moves(void)
{
	unmap_too_many(take_slot, let_go_of_slot);
}

/*
 * Or the slot is free, and the get of a third CPU has added a user to it for a
 * moment.
 */
static void free_and_get(void)
{
	pkmap_flush_unused(s.f.win);
	word_add_user(slot_word(s.f.win, addr_slot(s.f.win, s.addr)));
}

static void end_get(void)
{
	pkmap_a32_sub_seq_cst(slot_word(s.f.win, addr_slot(s.f.win, s.addr)),
			      WORD_USER);
}

static void unmap_of_a_page_that_goes(void)
{
	unmap_too_many(free_and_get, end_get);
}

/* Another CPU adds a user: the page stays, and one user is taken off. */
static void pin_too(void)
{
	CHECK(pkmap_pin(s.f.win, s.held) == s.addr);
}

static void unmap_of_a_page_that_is_pinned(void)
{
	unsigned int n = 0;
	bool came;

	other_cpu = pin_too;
	do {
		open_window();
		points_left = n++;
		armed = true;
		CHECK(!pkmap_unmap_pfn(s.f.win, s.held));
		came = !armed;
		armed = false;
		if (came)
			fake_unmap(&s.f, s.addr);
		fake_close(&s.f);
	} while (came);
	CHECK(n > 2);
}

/*
 * The slot of the page becomes free during a pin, which still adds a user, and
 * takes it off again.  Before each of its operations another CPU does something
 * to the slot.
 */
static void (*second)(void);
static unsigned int points_to_second;

static void free_slot(void)
{
	pkmap_flush_unused(s.f.win);
	if (pkmap_pfn_to_addr(s.f.win, s.held))
		return; /* it has been got already */
	other_cpu = second;
	points_left = points_to_second;
	armed = true;
}

/* An unmap cannot take this user off. */
static void unmap_free_slot(void)
{
	CHECK(pkmap_unmap(s.f.win, s.addr) == PKMAP_EINVAL);
}

/* An unmap too many takes off the pin's user as well, and the slot is freed. */
static void take_slot_and_unmap_twice(void)
{
	take_slot();
	CHECK(!pkmap_unmap(s.f.win, s.addr));
	pkmap_unmap(s.f.win, s.addr);
	pkmap_flush_unused(s.f.win);
}

static bool pin_of_free_slot(unsigned int n, unsigned int m, void (*run)(void),
			     bool stays)
{
	void *addr;
	bool came;

	open_window();
	fake_unmap(&s.f, s.addr);
	other_cpu = free_slot;
	second = run;
	points_left = n;
	points_to_second = m;
	s.f.any_context = true;
	armed = true;
	addr = pkmap_pin(s.f.win, s.held);
	came = !armed && other_cpu == second;
	armed = false;
	s.f.any_context = false;
	if (addr)
		fake_unmap(&s.f, addr);
	if (came && stays)
		fake_unmap(&s.f, s.addr);
	fake_close(&s.f);
	return came;
}

static void sweep_free_slot(void (*run)(void), bool stays)
{
	unsigned int n = 0;
	unsigned int m;

	do {
		for (m = 0; pin_of_free_slot(n, m, run, stays); m++)
			;
		n++;
	} while (other_cpu == second);
	CHECK(n > 2);
}

static void pin_finds_slot_free(void)
{
	sweep_free_slot(unmap_free_slot, false);
	sweep_free_slot(take_slot, true);
	sweep_free_slot(take_slot_and_unmap_twice, false);
}

const struct unit_test unit_tests[] = {
	UNIT_TEST(unmap_of_a_page_that_is_pinned),
	UNIT_TEST(pin_finds_slot_free),
	UNIT_TEST(unmap_of_a_page_that_moves),
	UNIT_TEST(unmap_of_a_page_that_goes),
	UNIT_TEST(to_free_slots),
	UNIT_TEST(to_another_chain),
	UNIT_TEST(back_into_its_chain),
	UNIT_TEST(page_that_moves),
	{ 0 },
};
