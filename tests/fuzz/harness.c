// SPDX-License-Identifier: MIT
/*
 * harness.c - random sequences of all calls, compared with a reference model.
 *
 * The model knows where each page is held, and how often; the fake port's table
 * says which other pages are mapped.  There is one task, and interrupts come
 * only where the library calls the port, so every answer can be foretold.
 *
 * The bytes of the input choose the window, the calls and their arguments, what
 * interrupts do, what other tasks do while this one sleeps, and where the port
 * fails.  Once the input is used up, it reads as zeroes.
 *
 * As a fuzz target, with clang:
 *
 *	CC=clang meson setup -Db_lundef=false build-fuzz
 *	ninja -C build-fuzz tests/fuzz/fuzz_window
 *	build-fuzz/tests/fuzz/fuzz_window -max_len=1024 CORPUS
 *
 * Without libFuzzer, main.c calls it with pseudo-random inputs.
 */
#include "driver.h"
#include "harness.h"
#include "harness_priv.h"

#include <string.h>

struct harness h;

uint8_t next_byte(void)
{
	if (!h.left)
		return 0;
	h.left--;
	return *h.data++;
}

static unsigned int *held(pkmap_pfn pfn)
{
	return &h.held[pfn - FIRST_PFN];
}

static void **addr_of(pkmap_pfn pfn)
{
	return &h.addr[pfn - FIRST_PFN];
}

static bool in_range(pkmap_pfn pfn)
{
	return pfn - FIRST_PFN < h.f.config.npages;
}

static uint32_t colours(void)
{
	return h.f.config.cache.colours;
}

pkmap_pfn some_page(void)
{
	return FIRST_PFN + next_byte() % h.f.config.npages;
}

/* Any page, sometimes one that does not exist. */
static pkmap_pfn any_page(void)
{
	uint8_t b = next_byte();

	if (b == 0xff)
		return PKMAP_NO_PFN;
	if (b >= 0xfc)
		return FIRST_PFN - 1;
	if (b >= 0xf8)
		return FIRST_PFN + h.f.config.npages;
	return FIRST_PFN + b % h.f.config.npages;
}

static void *slot_addr(uint32_t slot)
{
	return fake_addr(&h.f, slot);
}

/* A page that is held, or PKMAP_NO_PFN. */
static pkmap_pfn some_held_page(void)
{
	pkmap_pfn start = next_byte();
	pkmap_pfn n = h.f.config.npages;
	pkmap_pfn i;

	for (i = 0; i < n; i++)
		if (h.held[(start + i) % n])
			return FIRST_PFN + (start + i) % n;
	return PKMAP_NO_PFN;
}

void *find_local(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < h.nlocal; i++)
		if (h.local[i].pfn == pfn)
			return h.local[i].addr;
	return NULL;
}

/* Whether somebody holds a page in the window, a local map included. */
static bool in_use(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < h.nlocal; i++)
		if (h.local[i].pfn == pfn && h.local[i].pins)
			return true;
	return *held(pfn);
}

/* As far as the devices' ownership allows it. */
static void use(void *addr, pkmap_pfn pfn)
{
	if (driver_may_read(pfn))
		fake_load(&h.f, addr, pfn);
	if (!h.f.config.read_only && driver_may_write(pfn))
		fake_store(&h.f, addr, pfn);
}

static void hold(pkmap_pfn pfn, void *addr)
{
	CHECK(addr == fake_find(&h.f, pfn));
	CHECK(!*held(pfn) || *addr_of(pfn) == addr);
	*addr_of(pfn) = addr;
	++*held(pfn);
	use(addr, pfn);
}

static void let_go(pkmap_pfn pfn)
{
	use(*addr_of(pfn), pfn);
	/* Alternates between the two calls. */
	if (--*held(pfn) % 2)
		CHECK(!pkmap_unmap_pfn(h.f.win, pfn));
	else
		CHECK(!pkmap_unmap(h.f.win, *addr_of(pfn)));
}

/* One misuse was reported since @before, by @call. */
static void expect_report(unsigned long before, enum pkmap_misuse what,
			  const char *call)
{
	CHECK(h.f.count[FAKE_REPORT] == before + 1);
	CHECK(h.f.report.what == what);
	CHECK(!strcmp(h.f.report.call, call));
}

static bool requested(pkmap_pfn pfn)
{
	uint32_t i;

	for (i = 0; i < h.nrequest; i++)
		if (h.request[i] == pfn)
			return true;
	return false;
}

/*
 * How many slots of a colour the request needs, with those that others hold or
 * without.
 */
static uint32_t slots_needed(uint32_t colour, bool with_held)
{
	uint32_t needed = 0;
	pkmap_pfn i;

	for (i = 0; i < h.f.config.npages; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;

		if (pfn % colours() == colour &&
		    (requested(pfn) || (with_held && in_use(pfn))))
			needed++;
	}
	return needed;
}

/* Whether each colour has enough slots for the request, now or at all. */
static bool satisfiable(bool now)
{
	uint32_t c;

	for (c = 0; c < colours(); c++)
		if (slots_needed(c, now) > h.f.config.nslots / colours())
			return false;
	return true;
}

static void check_pages(void)
{
	pkmap_pfn i;
	uint32_t k;

	fake_check_quiet(&h.f);
	CHECK(h.f.entered[0] == (int)h.nlocal);
	for (i = 0; i < h.f.config.npages; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;
		void *addr = fake_find(&h.f, pfn);

		CHECK(pkmap_pfn_to_addr(h.f.win, pfn) == addr);
		CHECK(!h.held[i] || h.addr[i] == addr);
		if (h.held[i] && driver_may_read(pfn))
			fake_load(&h.f, addr, pfn);
	}
	for (k = 0; k < h.nlocal; k++)
		if (driver_may_read(h.local[k].pfn))
			fake_load(&h.f, h.local[k].addr, h.local[k].pfn);
	driver_check();
}

static void do_pin(void)
{
	pkmap_pfn pfn = any_page();
	void *mapped = fake_find(&h.f, pfn);
	unsigned long reports = h.f.count[FAKE_REPORT];
	void *addr = pkmap_pin(h.f.win, pfn);

	CHECK(addr == mapped);
	if (addr) {
		h.pins++;
		hold(pfn, addr);
		return;
	}
	h.pin_misses++;
	if (!in_range(pfn))
		expect_report(reports, PKMAP_MISUSE_PFN, "pkmap_pin");
	else if (!find_local(pfn))
		fake_device_writes(&h.f, pfn, true);
}

/* In the middle of a call the table may be out of date, so ask the library. */
static void interrupt_pins(void)
{
	pkmap_pfn pfn = some_page();
	void *addr;

	addr = pkmap_pin(h.f.win, pfn);
	CHECK(addr || !in_use(pfn));
	if (!addr) {
		h.pin_misses++;
		if (!find_local(pfn) && !driver_has(pfn))
			fake_device_writes(&h.f, pfn, true);
		return;
	}
	h.pins++;
	h.disturbed = true;
	hold(pfn, addr);
	if (next_byte() & 1)
		let_go(pfn);
}

static void interrupt_lets_go(void)
{
	pkmap_pfn pfn = some_held_page();

	if (pfn == PKMAP_NO_PFN)
		return;
	h.disturbed = true;
	let_go(pfn);
}

static void interrupt_maps_locally(void)
{
	pkmap_pfn pfn = some_page();
	void *addr;
	int err;

	h.interrupt_error = 0;
	err = pkmap_local_map(h.f.win, pfn, &addr);
	if (err && err == h.interrupt_error)
		return;
	if (err) {
		CHECK(err == PKMAP_EBUSY);
		CHECK(h.nlocal + 1 >= LOCAL_SLOTS);
		return;
	}
	h.disturbed = true;
	use(addr, pfn);
	CHECK(!pkmap_local_unmap(h.f.win, addr));
}

static void interrupt_does_dma(void)
{
	h.disturbed = true; /* its pin keeps a slot from reclaim */
	driver_interrupt();
}

static void on_interrupt(void)
{
	uint8_t b;

	if (!h.interrupts || h.f.any_context)
		return;
	h.f.any_context = true;
	b = next_byte();
	h.set_fails = b >= 0xe0;
	switch (b % 8) {
	case 1:
	case 2:
		interrupt_pins();
		break;
	case 3:
		interrupt_lets_go();
		break;
	case 4:
		interrupt_maps_locally();
		break;
	case 5:
		interrupt_does_dma();
		break;
	}
	h.f.any_context = false;
}

/* How many pages of a range are mapped, and in use if @used, else idle. */
static unsigned int count_mapped(pkmap_pfn first, pkmap_pfn n, bool used)
{
	unsigned int mapped = 0;
	pkmap_pfn i;

	for (i = 0; i < h.f.config.npages; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;

		if (pfn - first < n && fake_find(&h.f, pfn))
			mapped += in_use(pfn) == used;
	}
	return mapped;
}

static int on_set(void)
{
	static const int errors[] = { PKMAP_ENOMEM, PKMAP_EIO };
	uint8_t b;

	if (h.f.any_context) {
		h.interrupt_error = h.set_fails ? PKMAP_ENOMEM : 0;
		h.set_fails = false;
		return h.interrupt_error;
	}
	/*
	 * A map without memory is tried again only after all idle pages were
	 * torn down.
	 */
	if (h.nrequest == 1 && h.set_error == PKMAP_ENOMEM && !h.disturbed &&
	    !h.f.woken && !h.wait_error)
		CHECK(!count_mapped(0, PKMAP_NO_PFN, false));
	b = next_byte();
	if (b < 0xf0)
		return 0;
	h.set_error = errors[b & 1];
	h.set_failures++;
	return h.set_error;
}

/* Whether an operation of the port is made with interrupts on. */
static bool may_interrupt(enum fake_op op)
{
	switch (op) {
	case FAKE_CLEAR_NOW:
	case FAKE_WAIT:
	case FAKE_WAKE:
	case FAKE_LOCAL_ENTER:
	case FAKE_LOCAL_CPU:
	case FAKE_LOCAL_LEAVE:
	case FAKE_REPORT:
		return false;
	default:
		return true;
	}
}

static void count_set(uint32_t local_place)
{
	if (local_place == PKMAP_NO_SLOT)
		h.did.sets++;
	else if (local_place < LOCAL_SLOTS)
		h.did.local_sets++;
	else
		h.did.dma_sets++;
}

/* Before each operation of the port, also those that interrupts cause. */
static void on_event(struct fake *f, const struct fake_event *e)
{
	const uint32_t local_place = fake_local_place(f, e->addr);
	int err = e->op == FAKE_SET ? on_set() : 0;

	f->hook = on_event;
	f->nlog = 0; /* nobody looks at it, and it must not become full */
	if (may_interrupt(e->op))
		on_interrupt();
	if (e->op == FAKE_SET && !err)
		count_set(local_place);
	if (e->op == FAKE_CLEAR && local_place == PKMAP_NO_SLOT)
		h.did.cleared += e->n;
	if (e->op == FAKE_FLUSH_TLB && !e->this_cpu)
		h.did.flushes++;
	f->set_error = err;
}

/* Whether the call that sleeps could go on. */
static bool need_not_wait(void)
{
	if (h.forgets)
		return !count_mapped(h.first, h.npages, true);
	return satisfiable(true);
}

/* Somebody may let a page go at the last moment. */
static int give_up(int err)
{
	if (next_byte() & 1)
		let_go(some_held_page());
	h.wait_error = err;
	return err;
}

/* The task sleeps: others let pages go until it is woken, or time passes. */
static int on_sleep(struct fake *f, const struct pkmap_wait *wait)
{
	(void)f;
	while (!h.f.woken) {
		if (need_not_wait())
			FAIL("I9: the task sleeps and need not");
		h.wait_error = 0;
		switch (next_byte() % 8) {
		case 1:
			return 0;
		case 2:
			if (wait->deadline == PKMAP_NO_DEADLINE)
				break;
			return give_up(PKMAP_ETIMEDOUT);
		case 3:
			if (!(wait->flags & PKMAP_WAIT_INTERRUPTIBLE))
				break;
			return give_up(PKMAP_EINTR);
		}
		let_go(some_held_page());
	}
	return 0;
}

/* Whether the map that is going on may fail with @err. */
static bool may_fail(int err, const struct pkmap_wait *wait)
{
	switch (err) {
	case PKMAP_EAGAIN:
		return wait && wait->flags & PKMAP_WAIT_NEVER;
	case PKMAP_ETIMEDOUT: /* not without a last look */
	case PKMAP_EINTR:
		return h.wait_error == err && (h.disturbed || !need_not_wait());
	case PKMAP_ENOMEM: /* although idle pages were given up for it */
		return h.set_error == err && h.set_failures > 1;
	case PKMAP_EIO:
		return h.set_error == err;
	}
	return false;
}

/* While a local map is open, only PKMAP_WAIT_NEVER is allowed. */
static const struct pkmap_wait *some_wait(struct pkmap_wait *wait)
{
	uint8_t b = next_byte();

	if (h.nlocal)
		b = (b & 0xfc) | 1;
	h.f.lock_is_taken = false;
	wait->deadline = b & 4 ? 1000 : PKMAP_NO_DEADLINE;
	wait->flags = b & 8 ? PKMAP_WAIT_INTERRUPTIBLE : 0;
	switch (b % 4) {
	case 0:
		return NULL;
	case 1:
		wait->flags |= PKMAP_WAIT_NEVER;
		h.f.lock_is_taken = b >= 0xe0;
	}
	return wait;
}

static bool all_mapped(void)
{
	uint32_t i;

	for (i = 0; i < h.nrequest; i++)
		if (!fake_find(&h.f, h.request[i]))
			return false;
	return true;
}

/*
 * The first page of the request that cannot be mapped, or NULL.  Either it does
 * not exist, or on VIVT a local map shows it, and a slot would be a second
 * address.
 */
static const pkmap_pfn *find_refused(void)
{
	uint32_t i;

	for (i = 0; i < h.nrequest; i++) {
		const pkmap_pfn *pfn = &h.request[i];

		if (!in_range(*pfn))
			return pfn;
		if (h.f.config.cache.kind == PKMAP_CACHE_VIVT &&
		    find_local(*pfn) && !fake_find(&h.f, *pfn))
			return pfn;
	}
	return NULL;
}

/* Maps h.request, with pkmap_map() or pkmap_map_pages(). */
static int call_map(const struct pkmap_wait *wait, void **addrs)
{
	if (h.nrequest == 1 && next_byte() & 1)
		return pkmap_map(h.f.win, h.request[0], wait, addrs);
	return pkmap_map_pages(h.f.win, h.request, h.nrequest, wait, addrs);
}

static void check_map(int err, const struct pkmap_wait *wait, bool was_mapped,
		      bool was_satisfiable, void **addrs)
{
	bool must = was_mapped;
	uint32_t i;

	/* There were enough slots, and nothing got in the way. */
	if (was_satisfiable && !h.set_error && !h.disturbed &&
	    !h.f.lock_is_taken)
		must = true;
	if (err) {
		CHECK(!must);
		CHECK(may_fail(err, wait));
		return;
	}
	for (i = 0; i < h.nrequest; i++)
		hold(h.request[i], addrs[i]);
	h.mapped += h.nrequest;
	CHECK(was_satisfiable || h.disturbed || h.f.woken);
}

static void do_map(void)
{
	unsigned long reports = h.f.count[FAKE_REPORT];
	const struct pkmap_wait *wait;
	struct pkmap_wait mem;
	void *addrs[MAX_REQUEST];
	bool was_satisfiable;
	const pkmap_pfn *refused;
	const char *call;
	bool was_mapped;
	int err;
	uint32_t i;

	h.nrequest = 1 + next_byte() % MAX_REQUEST;
	for (i = 0; i < h.nrequest; i++)
		h.request[i] = any_page();
	wait = some_wait(&mem);
	was_satisfiable = satisfiable(true);
	was_mapped = all_mapped();
	refused = find_refused();
	call = h.nrequest == 1 ? "pkmap_map" : "pkmap_map_pages";
	h.f.woken = false;
	h.disturbed = false;
	h.set_error = 0;
	h.set_failures = 0;
	h.wait_error = 0;

	err = call_map(wait, addrs);
	if (refused && !in_range(*refused)) {
		CHECK(err == PKMAP_ERANGE);
		expect_report(reports, PKMAP_MISUSE_PFN, call);
		CHECK(h.f.report.pfn == *refused);
	} else if (refused) {
		CHECK(err == PKMAP_EINVAL);
		expect_report(reports, PKMAP_MISUSE_LOCAL_OPEN, call);
		CHECK(h.f.report.pfn == *refused);
	} else if (!satisfiable(false)) {
		CHECK(err == PKMAP_EINVAL);
		expect_report(reports, PKMAP_MISUSE_IMPOSSIBLE, call);
	} else {
		check_map(err, wait, was_mapped, was_satisfiable, addrs);
	}
	h.nrequest = 0;
}

static void do_map_nothing(void)
{
	CHECK(pkmap_map_pages(h.f.win, NULL, 0, NULL, NULL) == PKMAP_EINVAL);
}

static void do_unmap(void)
{
	pkmap_pfn pfn = some_held_page();

	if (pfn != PKMAP_NO_PFN)
		let_go(pfn);
}

/* How many maps and pins a slot has, those of local maps included. */
static unsigned int users(uint32_t slot)
{
	pkmap_pfn pfn = fake_shows(&h.f, slot);
	unsigned int n = pfn == PKMAP_NO_PFN ? 0 : *held(pfn);
	uint32_t i;

	for (i = 0; i < h.nlocal; i++)
		n += h.local[i].pins && h.local[i].addr == slot_addr(slot);
	return n;
}

static void bad_unmap(void *addr, int err, enum pkmap_misuse what,
		      uint32_t slot)
{
	unsigned long reports = h.f.count[FAKE_REPORT];

	CHECK(pkmap_unmap(h.f.win, addr) == err);
	expect_report(reports, what, "pkmap_unmap");
	CHECK(h.f.report.addr == addr);
	CHECK(h.f.report.slot == slot);
}

/* Unmaps a page that nobody holds. */
static void bad_unmap_pfn(void)
{
	pkmap_pfn pfn = any_page();
	void *addr = fake_find(&h.f, pfn);
	unsigned long reports = h.f.count[FAKE_REPORT];

	if (in_range(pfn) && in_use(pfn))
		return;
	if (!in_range(pfn)) {
		CHECK(pkmap_unmap_pfn(h.f.win, pfn) == PKMAP_ERANGE);
		expect_report(reports, PKMAP_MISUSE_PFN, "pkmap_unmap_pfn");
	} else {
		CHECK(pkmap_unmap_pfn(h.f.win, pfn) == PKMAP_EINVAL);
		expect_report(reports,
			      addr ? PKMAP_MISUSE_IDLE : PKMAP_MISUSE_FREE,
			      "pkmap_unmap_pfn");
	}
	CHECK(h.f.report.addr == addr);
	CHECK(h.f.report.pfn == pfn);
}

static void do_bad_unmap(void)
{
	uint32_t nslots = h.f.config.nslots;
	uint32_t slot = next_byte() % nslots;
	char *addr = slot_addr(slot);
	pkmap_pfn pfn = pkmap_addr_to_pfn(h.f.win, addr);

	switch (next_byte() % 7) {
	case 5:
		bad_unmap_pfn();
		return;
	case 6:
		if (h.f.config.guard)
			bad_unmap(addr + FAKE_PAGE, PKMAP_ERANGE,
				  PKMAP_MISUSE_FOREIGN, slot);
		return;
	case 0:
		bad_unmap((char *)slot_addr(0) - FAKE_PAGE, PKMAP_ERANGE,
			  PKMAP_MISUSE_FOREIGN, PKMAP_NO_SLOT);
		return;
	case 1:
		bad_unmap(slot_addr(nslots), PKMAP_ERANGE, PKMAP_MISUSE_FOREIGN,
			  PKMAP_NO_SLOT);
		return;
	case 2:
		bad_unmap(addr + 1 + next_byte(), PKMAP_EINVAL,
			  PKMAP_MISUSE_UNALIGNED, slot);
		return;
	}
	if (pfn == PKMAP_NO_PFN)
		bad_unmap(addr, PKMAP_EINVAL, PKMAP_MISUSE_FREE, slot);
	else if (!in_use(pfn))
		bad_unmap(addr, PKMAP_EINVAL, PKMAP_MISUSE_IDLE, slot);
}

static void do_local_map(void)
{
	pkmap_pfn pfn = any_page();
	unsigned long reports = h.f.count[FAKE_REPORT];
	void *mapped = fake_find(&h.f, pfn);
	void *outer = find_local(pfn);
	void *addr;
	int err;

	h.set_error = 0;
	h.local_busy = pfn;
	err = pkmap_local_map(h.f.win, pfn, &addr);
	h.local_busy = PKMAP_NO_PFN;
	if (!in_range(pfn)) {
		CHECK(err == PKMAP_ERANGE);
		expect_report(reports, PKMAP_MISUSE_PFN, "pkmap_local_map");
		return;
	}
	if (h.nlocal == LOCAL_SLOTS) {
		CHECK(err == PKMAP_EBUSY);
		expect_report(reports, PKMAP_MISUSE_LOCAL_DEPTH,
			      "pkmap_local_map");
		return;
	}
	if (mapped)
		h.pins++;
	else
		h.pin_misses++;
	if (h.set_error) {
		CHECK(!mapped && err == h.set_error);
		return;
	}
	CHECK(!err);
	CHECK(!mapped || addr == mapped);
	CHECK(mapped || !outer || addr == outer);
	use(addr, pfn);
	h.local[h.nlocal++] = (struct local_map){
		.pfn = pfn,
		.addr = addr,
		.pins = mapped,
		.borrows = !mapped && outer,
	};
}

static void end_local_map(void)
{
	struct local_map *l = &h.local[h.nlocal - 1];

	use(l->addr, l->pfn);
	h.local_busy = l->pfn;
	CHECK(!pkmap_local_unmap(h.f.win, l->addr));
	h.local_busy = PKMAP_NO_PFN;
	h.nlocal--;
	if (!fake_find(&h.f, l->pfn) && !find_local(l->pfn))
		fake_device_writes(&h.f, l->pfn, true);
}

static void do_local_unmap(void)
{
	unsigned long reports = h.f.count[FAKE_REPORT];
	void *addr = slot_addr(next_byte() % h.f.config.nslots);

	if (h.nlocal && next_byte() % 4) {
		end_local_map();
		return;
	}
	if (h.nlocal && h.local[h.nlocal - 1].addr == addr)
		return;
	CHECK(pkmap_local_unmap(h.f.win, addr) == PKMAP_EINVAL);
	expect_report(reports, PKMAP_MISUSE_LOCAL_ORDER, "pkmap_local_unmap");
}

static void do_look_up(void)
{
	pkmap_pfn pfn = any_page();
	char *addr = pkmap_pfn_to_addr(h.f.win, pfn);

	CHECK(addr == fake_find(&h.f, pfn));
	if (addr)
		CHECK(pkmap_addr_to_pfn(h.f.win, addr + next_byte()) == pfn);
	CHECK(pkmap_addr_to_pfn(h.f.win, (char *)slot_addr(0) - 1) ==
	      PKMAP_NO_PFN);
	CHECK(pkmap_addr_to_pfn(h.f.win, slot_addr(h.f.config.nslots)) ==
	      PKMAP_NO_PFN);
	if (h.nlocal) {
		struct local_map *l = &h.local[next_byte() % h.nlocal];

		CHECK(pkmap_addr_to_pfn(h.f.win, l->addr) == l->pfn);
	}
}

static void do_flush(void)
{
	unsigned int idle = count_mapped(0, PKMAP_NO_PFN, false);
	unsigned long now = h.f.count[FAKE_CLEAR_NOW];
	unsigned int freed;

	if (h.nlocal)
		return;
	h.disturbed = false;
	freed = pkmap_flush_unused(h.f.win);
	CHECK(h.f.count[FAKE_CLEAR_NOW] == now + 1);
	if (h.disturbed)
		return;
	CHECK(freed == idle);
	CHECK(!count_mapped(0, PKMAP_NO_PFN, false));
}

/* Whether a local map shows a page that is to be forgotten. */
static bool forgets_local(void)
{
	uint32_t i;

	for (i = 0; i < h.nlocal; i++)
		if (h.local[i].pfn - h.first < h.npages)
			return true;
	return false;
}

static void check_forget(int err, const struct pkmap_wait *wait,
			 unsigned int idle, bool used, unsigned long cleared)
{
	bool never = wait && wait->flags & PKMAP_WAIT_NEVER;

	if (!err) {
		CHECK(!count_mapped(h.first, h.npages, true));
		CHECK(!forgets_local());
	} else {
		CHECK((err == PKMAP_EBUSY && never) || may_fail(err, wait));
	}
	if (h.disturbed || h.f.lock_is_taken)
		return;
	if (!used)
		CHECK(!err);
	if (never)
		CHECK(err == (used ? PKMAP_EBUSY : 0));
	if (!h.f.woken)
		CHECK(h.did.cleared - cleared == (err ? 0 : idle));
	if (!err)
		CHECK(!count_mapped(h.first, h.npages, false));
}

static void forget(pkmap_pfn n, const struct pkmap_wait *wait)
{
	unsigned long now = h.f.count[FAKE_CLEAR_NOW];
	unsigned long cleared = h.did.cleared;
	unsigned int idle = count_mapped(h.first, h.npages, false);
	bool used = count_mapped(h.first, h.npages, true) || forgets_local();
	int err = pkmap_forget(h.f.win, h.first, n, wait);

	check_forget(err, wait, idle, used, cleared);
	CHECK(h.f.count[FAKE_CLEAR_NOW] == now + !err);
}

/* The same; after it a device that does not see the caches gets the pages. */
static void forget_for_good(const struct pkmap_wait *wait)
{
	unsigned long now = h.f.count[FAKE_CLEAR_NOW];
	unsigned long cleared = h.did.cleared;
	unsigned int idle = count_mapped(h.first, h.npages, false);
	bool used = count_mapped(h.first, h.npages, true) || forgets_local();
	bool owned = driver_keeps(h.first, h.npages);
	int err = pkmap_dma_forget(h.dma.dma, h.first, h.npages, wait);
	pkmap_pfn i;

	driver_check_forgotten(h.first, h.npages, owned);
	if (h.npages > h.f.config.npages ||
	    h.first - FIRST_PFN > h.f.config.npages - h.npages) {
		CHECK(err == PKMAP_ERANGE);
	} else if (owned) {
		CHECK(err == PKMAP_EBUSY);
	} else if (err && h.set_error) {
		CHECK(err == h.set_error);
		return;
	} else {
		check_forget(err, wait, idle, used, cleared);
		/* The slots for DMA calls were cleared at once, too. */
		if (!err && h.npages)
			CHECK(h.f.count[FAKE_CLEAR_NOW] == now + 2);
		for (i = 0; !err && i < h.npages; i++)
			fake_device_writes(&h.f, h.first + i, true);
		return;
	}
	CHECK(h.did.cleared == cleared);
}

static void do_forget(void)
{
	const struct pkmap_wait *wait;
	struct pkmap_wait mem;
	uint8_t b;
	pkmap_pfn n;

	h.first = any_page();
	b = next_byte();
	n = b == 0xff ? PKMAP_NO_PFN : b % (2 * MAX_PAGES);
	h.npages = n < PKMAP_NO_PFN - h.first ? n : PKMAP_NO_PFN - h.first;
	wait = some_wait(&mem);
	h.forgets = true;
	h.disturbed = false;
	h.f.woken = false;
	h.set_error = 0;
	h.wait_error = 0;
	if (b == 0xff || b < 0x80)
		forget(n, wait);
	else
		forget_for_good(wait);
	h.forgets = false;
}

static void do_stats(void)
{
	struct pkmap_dma_stats dma;
	struct pkmap_stats stats;

	pkmap_read_stats(h.f.win, &stats);
	pkmap_dma_read_stats(h.dma.dma, &dma);
	driver_check_stats(&dma);
	CHECK(h.did.dma_sets <= dma.not_mapped);
	CHECK(stats.misses == h.did.sets);
	CHECK(stats.hits + stats.misses >= h.mapped);
	CHECK(stats.local_maps == h.did.local_sets);
	CHECK(stats.reclaimed == h.did.cleared);
	CHECK(stats.reclaims <= stats.tlb_flushes);
	CHECK(stats.tlb_flushes == h.did.flushes);
	CHECK(stats.waits == h.f.count[FAKE_WAIT]);
	CHECK(stats.misuses == h.f.count[FAKE_REPORT]);
	if (!h.interrupts) {
		CHECK(stats.pins == h.pins + dma.in_use + dma.idle);
		CHECK(stats.pin_misses == h.pin_misses + dma.not_mapped);
	}
}

static void start_window(void)
{
	fake_clear_log(&h.f);
	memset(&h.did, 0, sizeof(h.did));
	h.mapped = 0;
	h.pins = 0;
	h.pin_misses = 0;
	fake_open(&h.f);
	driver_start();
}

/* Each page in use was reported, and each local slot. */
static void check_in_use(unsigned long reports)
{
	unsigned long n = count_mapped(0, PKMAP_NO_PFN, true);
	uint32_t i;

	for (i = 0; i < h.nlocal; i++)
		n += !h.local[i].pins && !h.local[i].borrows;
	CHECK(h.f.count[FAKE_REPORT] == reports + n);
	CHECK(h.f.report.what == PKMAP_MISUSE_IN_USE);
	CHECK(!strcmp(h.f.report.call, "pkmap_fini"));
	CHECK(h.f.report.users ==
	      (h.f.report.slot == PKMAP_NO_SLOT ? 1 : users(h.f.report.slot)));
}

static void refuse_fini(void)
{
	unsigned long reports = h.f.count[FAKE_REPORT];

	CHECK(pkmap_fini(h.f.win) == PKMAP_EBUSY);
	check_in_use(reports);
}

static void end_window(void)
{
	unsigned long now = h.f.count[FAKE_CLEAR_NOW];

	driver_end();
	fake_close(&h.f);
	CHECK(h.f.count[FAKE_CLEAR_NOW] == now + 1);
	fake_check_memory(&h.f);
}

static void do_fini(void)
{
	bool interrupts = h.interrupts;

	h.interrupts = false; /* nobody else uses it any more */
	if (h.nlocal || count_mapped(0, PKMAP_NO_PFN, true)) {
		refuse_fini();
	} else {
		end_window();
		start_window();
	}
	h.interrupts = interrupts;
}

static void start(void)
{
	static const uint32_t some_colours[] = { 1, 1, 2, 4 };
	uint8_t b = next_byte();
	uint32_t n = some_colours[b % 4];
	uint8_t size = next_byte();
	uint8_t pages;
	uint32_t nslots = 1 + size % MAX_SLOTS;
	struct pkmap_config *config = &h.f.config;

	nslots = (nslots + n - 1) / n * n;
	pages = next_byte();
	fake_init(&h.f);
	h.f.hook = on_event;
	h.f.hook_op = FAKE_ANY;
	h.f.sleep = on_sleep;
	config->nslots = nslots;
	config->first_pfn = FIRST_PFN;
	config->npages = 2 + pages % (MAX_PAGES - 1);
	config->local_slots = LOCAL_SLOTS;
	config->dma_slots = DMA_SLOTS;
	config->ncpus = 1;
	config->cache.colours = n;
	config->cache.kind = PKMAP_CACHE_VIPT;
	if (n == 1)
		config->cache.kind = b & 4 ? PKMAP_CACHE_PIPT :
					     PKMAP_CACHE_VIVT;
	if (b & 8 && config->cache.kind == PKMAP_CACHE_VIVT)
		config->cache.whole_bytes = 2 * FAKE_PAGE;
	config->guard = n == 1 && pages / (MAX_PAGES - 1) % 2;
	if (config->cache.kind != PKMAP_CACHE_VIVT)
		config->cache.speculative = pages / (MAX_PAGES - 1) % 4 / 2;
	config->read_only = (b & 0x70) == 0x70;
	config->batch = next_byte() % (nslots + 1);
	h.interrupts = b & 0x80;
#ifdef PKMAP_DMA_TRACKER
	h.tracker_entries = size / MAX_SLOTS % 8;
#endif
	start_window();
}

static void (*const calls[])(void) = {
	do_map,		do_map,	      do_map,	    do_map,
	do_map_nothing, do_pin,	      do_unmap,	    do_unmap,
	do_bad_unmap,	do_local_map, do_local_map, do_local_unmap,
	do_look_up,	do_flush,     do_forget,    do_stats,
	do_fini,	driver_map,   driver_map,   driver_map,
	driver_unmap,	driver_sync,  driver_leaks,
};

static void let_all_go(void)
{
	pkmap_pfn pfn;

	while (h.nlocal)
		end_local_map();
	while ((pfn = some_held_page()) != PKMAP_NO_PFN)
		let_go(pfn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&h, 0, sizeof(h));
	h.data = data;
	h.local_busy = PKMAP_NO_PFN;
	h.left = size;
	start();
	while (h.left) {
		calls[next_byte() % (sizeof(calls) / sizeof(*calls))]();
		check_pages();
	}
	do_stats();
	let_all_go();
	h.interrupts = false;
	end_window();
	return 0;
}
