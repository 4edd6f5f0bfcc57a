// SPDX-License-Identifier: MIT
/*
 * step.c - an interrupt at every instruction of the library.
 *
 * Each scenario is a task's call from a fixed state.  At each instruction
 * inside the library the process forks.  In the child an interrupt does one of
 * several things and checks the answers that it gets, and the call goes on to
 * its end.  The parent goes on to the next instruction without an interrupt.
 *
 * The fake port plays a CPU with a VIVT cache.  It notices when a line is lost,
 * left behind, or seen through a slot that shows another page, and when a task
 * sleeps although there is an idle slot.
 *
 * usage: step PASSES FLOOR [EVERY]	with trap_flag.c: each pass has another
 *					action for each instruction; only one
 *					instruction in EVERY is interrupted
 *	  step OFFSETS FLOOR		with trap_timer.c: tries so many offsets
 *					of the timer
 *
 * Fails if fewer than FLOOR different instructions were interrupted.
 */
#include "tests/fake/fake_dma.h"
#include "tests/hang.h"
#include "text.h"
#include "trap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NSLOTS	  4u
#define NPAGES	  8u
#define FIRST_PFN 100u
#define NREQUEST  2u

#define COUNT(a)  (sizeof(a) / sizeof(*(a)))

/* The pages, named after the state in which each scenario starts. */
enum {
	HELD = FIRST_PFN, /* by the task; the interrupt may unmap it */
	IDLE,		  /* these three are mapped, but not in use */
	IDLE2,
	IDLE3,
	ABSENT, /* not mapped, like those that follow */
	ABSENT2,
	OTHER, /* mapped by the other task only */
	OTHER2,
};

static struct {
	struct fake f;
	struct fake_dma dma;
	void *task[NPAGES];	     /* where the task holds a page */
	void *interrupt[NPAGES];     /* where the interrupt holds it */
	pkmap_pfn local;	     /* the task's local map, or none */
	pkmap_pfn device;	     /* what a device owns, or none */
	pkmap_pfn request[NREQUEST]; /* of the map that is going on */
	const char *scenario;
	unsigned long n;      /* instructions of the library so far */
	unsigned long doing;  /* chooses what the interrupt does */
	unsigned long offset; /* of the timer */
	bool acted;	      /* the interrupt has come */
} t;

static unsigned long every = 1;

static void **task(pkmap_pfn pfn)
{
	return &t.task[pfn - FIRST_PFN];
}

static void **interrupt(pkmap_pfn pfn)
{
	return &t.interrupt[pfn - FIRST_PFN];
}

/* A page that a device owns is left alone. */
static void use(void *addr, pkmap_pfn pfn)
{
	if (pfn == t.device)
		return;
	fake_store(&t.f, addr, pfn);
}

static void open_window(void)
{
	fake_open(&t.f);
	fake_dma_init(&t.dma, &t.f, 0);
}

/*
 * The task unmaps a page, which counts as not held from the call's first
 * instruction on.
 */
static void let_go(pkmap_pfn pfn)
{
	void *addr = *task(pfn);

	use(addr, pfn);
	*task(pfn) = NULL;
	CHECK(!pkmap_unmap(t.f.win, addr));
}

static bool requested(pkmap_pfn pfn)
{
	return t.request[0] == pfn || t.request[1] == pfn;
}

static bool satisfiable(void)
{
	unsigned int needed = 0;
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++)
		needed += t.task[i] || t.interrupt[i] ||
			  requested(FIRST_PFN + i);
	return needed <= NSLOTS;
}

static void interrupt_lets_go(void)
{
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++) {
		if (!t.interrupt[i])
			continue;
		use(t.interrupt[i], FIRST_PFN + i);
		CHECK(!pkmap_unmap(t.f.win, t.interrupt[i]));
		t.interrupt[i] = NULL;
	}
}

/*
 * An interrupt pins a page, and uses it if that succeeds.  The page stays
 * pinned.
 */
static void *pin_and_use(pkmap_pfn pfn)
{
	void *addr = pkmap_pin(t.f.win, pfn);

	if (*task(pfn))
		CHECK(addr == *task(pfn));
	if (addr)
		use(addr, pfn);
	else if (t.local != pfn && t.device != pfn)
		fake_device_writes(&t.f, pfn, true);
	return addr;
}

static void pin_all(void)
{
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;
		void *addr = pin_and_use(pfn);

		if (addr)
			CHECK(!pkmap_unmap_pfn(t.f.win, pfn));
	}
}

/* Held until the task's call is over, or sleeps. */
static void hold_all(void)
{
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++)
		t.interrupt[i] = pin_and_use(FIRST_PFN + i);
}

static void hold_one(void)
{
	*interrupt(IDLE2) = pin_and_use(IDLE2);
}

/* The interrupt may unmap a page that the task has handed over to it. */
static void unmap_held(void)
{
	if (*task(HELD))
		let_go(HELD);
}

/* The task has at most one local map open, so there is room for three more. */
static void map_locally(void)
{
	pkmap_pfn pfn;

	for (pfn = IDLE; pfn <= ABSENT; pfn++) {
		void *outer;
		void *inner;
		void *again;

		CHECK(!pkmap_local_map(t.f.win, pfn, &outer));
		use(outer, pfn);
		CHECK(!pkmap_local_map(t.f.win, ABSENT2, &inner));
		use(inner, ABSENT2);
		CHECK(!pkmap_local_map(t.f.win, pfn, &again));
		CHECK(again == outer);
		CHECK(pkmap_local_unmap(t.f.win, inner) == PKMAP_EINVAL ||
		      inner == again);
		CHECK(!pkmap_local_unmap(t.f.win, again));
		CHECK(!pkmap_local_unmap(t.f.win, inner));
		use(outer, pfn);
		CHECK(!pkmap_local_unmap(t.f.win, outer));
	}
}

/* With buffers that are whole pages, and with buffers that share lines. */
static void do_dma(void)
{
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;

		if (pfn == t.device)
			continue;
		CHECK(!fake_from_device(&t.dma, pfn, false));
		CHECK(!fake_from_device(&t.dma, pfn, true));
		CHECK(!fake_to_device(&t.dma, pfn));
	}
}

/* The answers may be out of date at once, except for pages that are held. */
static void look_up(void)
{
	pkmap_pfn i;

	for (i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = FIRST_PFN + i;
		void *addr = pkmap_pfn_to_addr(t.f.win, pfn);

		CHECK(!t.task[i] || addr == t.task[i]);
		if (addr)
			CHECK(pkmap_addr_to_pfn(t.f.win, addr) == pfn ||
			      t.acted);
	}
}

static void map_in_other_task(pkmap_pfn pfn)
{
	int err = pkmap_map(t.f.win, pfn, PKMAP_NOWAIT, interrupt(pfn));

	if (err)
		CHECK(err == PKMAP_EAGAIN);
	else
		use(*interrupt(pfn), pfn);
}

/*
 * The task is preempted, unless it has the lock or a local map.  Another task
 * maps other pages into all slots that it can get.
 */
static void run_other_task(void)
{
	pkmap_pfn pfn;

	if (t.f.locked || t.f.entered[0])
		return;
	pkmap_flush_unused(t.f.win);
	for (pfn = ABSENT2; pfn <= OTHER2; pfn++)
		map_in_other_task(pfn);
}

static const struct {
	const char *name;
	void (*act)(void);
} actions[] = {
	{ "pin all pages", pin_all },
	{ "pin all pages and keep them", hold_all },
	{ "pin one page and keep it", hold_one },
	{ "unmap a page", unmap_held },
	{ "map locally", map_locally },
	{ "run another task", run_other_task },
	{ "DMA", do_dma },
};

/* Forks: the child returns true and goes on, the parent waits for its end. */
static bool fork_copy(uintptr_t pc)
{
	pid_t pid;
	int status;

	pid = fork();
	if (!pid) {
		alarm(HANG_SECONDS);
		return true;
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		FAIL("%s; %s at instruction %lu, %#lx in %s", t.scenario,
		     actions[t.doing % COUNT(actions)].name, t.n,
		     (unsigned long)pc, text_function(pc));
	return false;
}

static bool interrupted(uintptr_t pc)
{
	if (trap_every && t.n++ % every)
		return true;
	text_interrupted(pc);
	if (trap_every && !fork_copy(pc)) {
		t.doing++;
		return true;
	}
	look_up();
	actions[t.doing % COUNT(actions)].act();
	t.acted = true;
	return false;
}

/* Other tasks let pages go until this one is woken. */
static int on_sleep(struct fake *f, const struct pkmap_wait *wait)
{
	pkmap_pfn i = 0;

	(void)f;
	CHECK(wait->deadline == PKMAP_NO_DEADLINE);
	while (!t.f.woken) {
		if (satisfiable())
			FAIL("I9: a map sleeps beside a slot");
		interrupt_lets_go();
		while (i < NPAGES && !t.task[i])
			i++;
		if (!t.f.woken && !satisfiable() && i < NPAGES)
			let_go(FIRST_PFN + i);
	}
	return 0;
}

static void map(pkmap_pfn pfn)
{
	void *addr;

	t.request[0] = pfn;
	CHECK(!pkmap_map(t.f.win, pfn, NULL, &addr));
	t.request[0] = PKMAP_NO_PFN;
	*task(pfn) = addr;
	use(addr, pfn);
}

static void map_absent(void)
{
	map(ABSENT);
	let_go(ABSENT);
}

static void map_idle(void)
{
	map(IDLE);
	let_go(IDLE);
}

/* All slots are held, so the call has to sleep. */
static void map_when_full(void)
{
	trap_disarm();
	map(IDLE);
	map(IDLE2);
	map(IDLE3);
	trap_arm(t.offset);
	map(ABSENT);
}

static void map_never_waiting(void)
{
	void *addr;
	int err = pkmap_map(t.f.win, ABSENT, PKMAP_NOWAIT, &addr);

	if (err) {
		CHECK(err == PKMAP_EAGAIN);
		CHECK(t.acted); /* it used what was marked */
		return;
	}
	*task(ABSENT) = addr;
	use(addr, ABSENT);
}

static void map_two(pkmap_pfn first, pkmap_pfn second)
{
	const pkmap_pfn pfns[] = { first, second };
	void *addrs[2];

	t.request[0] = first;
	t.request[1] = second;
	CHECK(!pkmap_map_pages(t.f.win, pfns, 2, NULL, addrs));
	t.request[0] = PKMAP_NO_PFN;
	t.request[1] = PKMAP_NO_PFN;
	*task(first) = addrs[0];
	*task(second) = addrs[1];
	use(addrs[0], first);
	use(addrs[1], second);
	let_go(second);
	let_go(first);
}

static void map_two_absent(void)
{
	map_two(ABSENT, ABSENT2);
}

static void map_two_idle(void)
{
	map_two(IDLE3, IDLE);
}

static void map_idle_and_absent(void)
{
	map_two(IDLE, ABSENT);
}

static void flush(void)
{
	pkmap_flush_unused(t.f.win);
	CHECK(t.task[0] == NULL || fake_find(&t.f, HELD) == t.task[0]);
}

static void forget(void)
{
	int err = pkmap_forget(t.f.win, IDLE, 2, PKMAP_NOWAIT);

	if (err) {
		CHECK(err == PKMAP_EBUSY);
		CHECK(t.acted); /* it used what was marked */
		return;
	}
	CHECK(!fake_find(&t.f, IDLE));
	CHECK(!fake_find(&t.f, IDLE2));
}

/* While the local map is being closed, lines of the page may be cached. */
static void map_one_locally(pkmap_pfn pfn)
{
	void *addr;

	t.local = pfn;
	CHECK(!pkmap_local_map(t.f.win, pfn, &addr));
	use(addr, pfn);
	CHECK(!pkmap_local_unmap(t.f.win, addr));
	t.local = PKMAP_NO_PFN;
}

static void map_absent_locally(void)
{
	map_one_locally(ABSENT);
}

static void map_idle_locally(void)
{
	map_one_locally(IDLE);
}

static void pin_two(void)
{
	*task(IDLE) = pkmap_pin(t.f.win, IDLE);
	CHECK(*task(IDLE) || t.acted);
	if (*task(IDLE))
		let_go(IDLE);
	CHECK(!pkmap_pin(t.f.win, ABSENT));
}

static void give_to_device(pkmap_pfn pfn, bool shared)
{
	t.device = pfn;
	CHECK(!fake_from_device(&t.dma, pfn, shared));
	CHECK(!fake_to_device(&t.dma, pfn));
	t.device = PKMAP_NO_PFN;
}

static void dma_held(void)
{
	give_to_device(HELD, true);
}

static void dma_idle(void)
{
	give_to_device(IDLE, false);
	give_to_device(IDLE2, true);
}

static void dma_absent(void)
{
	give_to_device(ABSENT, true);
}

/* A cache that is not VIVT: DMA calls use their own slots. */
static void dma_in_a_slot(void)
{
	trap_disarm();
	interrupt_lets_go();
	let_go(HELD);
	fake_close(&t.f);
	t.f.config.cache.kind = PKMAP_CACHE_PIPT;
	open_window();
	trap_arm(t.offset);
	give_to_device(ABSENT, true);
}

/* One unmap too many, which may end a pin of the interrupt instead. */
static void unmap_idle(void *addr)
{
	int err = pkmap_unmap(t.f.win, addr);
	pkmap_pfn i;

	if (err) {
		CHECK(err == PKMAP_EINVAL);
		return;
	}
	for (i = 0; i < NPAGES; i++) {
		if (t.interrupt[i] == addr) {
			t.interrupt[i] = NULL;
			return;
		}
	}
	FAIL("an unmap too many of %p was not refused", addr);
}

static void misuse(void)
{
	unsigned long reports = t.f.count[FAKE_REPORT];
	void *addr = fake_find(&t.f, IDLE3);

	CHECK(pkmap_unmap(t.f.win, t.f.config.local_base) == PKMAP_ERANGE);
	CHECK(!pkmap_pin(t.f.win, FIRST_PFN + NPAGES));
	CHECK(pkmap_map(t.f.win, PKMAP_NO_PFN, NULL, &addr) == PKMAP_ERANGE);
	CHECK(pkmap_local_unmap(t.f.win, addr) == PKMAP_EINVAL);
	CHECK(t.f.count[FAKE_REPORT] >= reports + 4);
	unmap_idle(addr);
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{ "map with reclaim", map_absent },
	{ "map that hits", map_idle },
	{ "map that sleeps", map_when_full },
	{ "map that never waits", map_never_waiting },
	{ "map two with reclaim", map_two_absent },
	{ "map two that hit", map_two_idle },
	{ "map two, one hits", map_idle_and_absent },
	{ "flush unused", flush },
	{ "forget", forget },
	{ "local map with a slot", map_absent_locally },
	{ "local map that pins", map_idle_locally },
	{ "pin", pin_two },
	{ "look up", look_up },
	{ "DMA with a page in use", dma_held },
	{ "DMA with idle pages", dma_idle },
	{ "DMA with a page not mapped", dma_absent },
	{ "DMA with a slot", dma_in_a_slot },
	{ "misuse", misuse },
};

static void set_up(void)
{
	struct pkmap_config *config = &t.f.config;
	pkmap_pfn pfn;

	fake_init(&t.f);
	t.f.sleep = on_sleep;
	config->cache.kind = PKMAP_CACHE_VIVT;
	config->nslots = NSLOTS;
	config->first_pfn = FIRST_PFN;
	config->npages = NPAGES;
	config->dma_slots = 2; /* a task and one interrupt */
	config->ncpus = 1;
	t.local = PKMAP_NO_PFN;
	t.request[0] = PKMAP_NO_PFN;
	t.request[1] = PKMAP_NO_PFN;
	t.device = PKMAP_NO_PFN;
	open_window();
	for (pfn = HELD; pfn < ABSENT; pfn++)
		map(pfn);
	for (pfn = IDLE; pfn < ABSENT; pfn++)
		let_go(pfn);
}

/* No page is still mapped, and no store was lost. */
static void tear_down(void)
{
	pkmap_pfn i;

	interrupt_lets_go();
	for (i = 0; i < NPAGES; i++)
		if (t.task[i])
			let_go(FIRST_PFN + i);
	fake_check_quiet(&t.f);
	fake_close(&t.f);
	fake_check_memory(&t.f);
}

static void run_once(void (*run)(void), unsigned long nr)
{
	t.n = nr;
	t.doing = nr;
	t.offset = nr;
	t.acted = false;
	set_up();
	trap_arm(t.offset);
	run();
	trap_disarm();
	tear_down();
	if (trap_every && t.acted)
		_exit(0);
}

/* A timer may miss the short functions. */
static bool all_interrupted(void)
{
	static const char *const names[] = {
		"pkmap_map",	     "pkmap_map_pages",	  "map_under_lock",
		"pkmap_reclaim",     "pkmap_pin",	  "pkmap_unmap",
		"pkmap_local_map",   "pkmap_local_unmap", "pkmap_pfn_to_addr",
		"pkmap_addr_to_pfn", "pkmap_forget",	  "pkmap_flush_unused",
		"pkmap_dma_map",     "pkmap_dma_unmap",
	};
	bool all = true;
	size_t i;

	for (i = 0; trap_every && i < COUNT(names); i++) {
		if (text_was_interrupted(names[i]))
			continue;
		printf("# %s was never interrupted\n", names[i]);
		all = false;
	}
	return all;
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long floor = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	bool enough;
	size_t s;
	unsigned long n;

	if (argc > 3)
		every = strtoul(argv[3], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!every || !text_open() || !trap_open(interrupted)) {
		puts("Bail out! cannot interrupt the library");
		return 1;
	}
	printf("1..%zu\n", COUNT(scenarios) + 1);
	for (s = 0; s < COUNT(scenarios); s++) {
		t.scenario = scenarios[s].name;
		for (n = 0; n < runs; n++)
			run_once(scenarios[s].run, n);
		printf("ok %zu - %s\n", s + 1, t.scenario);
	}
	/* On a busy machine a timer is late, so more runs may be needed. */
	for (n = 0; !trap_every && text_count() < floor; n++)
		run_once(scenarios[n % COUNT(scenarios)].run, n % runs);
	text_print();
	enough = all_interrupted() && text_count() >= floor;
	printf("%sok %zu - %zu different instructions were interrupted, "
	       "at least %lu wanted\n",
	       enough ? "" : "not ", COUNT(scenarios) + 1, text_count(), floor);
	return !enough;
}
