// SPDX-License-Identifier: MIT
/*
 * An interrupt at every instruction of the library.
 *
 * Each scenario is a task's call from a fixed state.  The task is interrupted
 * at each instruction inside the library; the interrupt does one of several
 * things and checks the answers that it gets, and then the call goes on to its
 * end.  That happens in a copy of the process, so that the next instruction is
 * met in the state that the call itself brought about.
 *
 * The model port stands for a CPU with a VIVT cache: it tells when a line is
 * lost, left behind or seen through a slot that shows another page, and when a
 * task sleeps beside an idle slot.
 *
 * usage: step PASSES FLOOR [EVERY]	with trap_flag.c: in each pass an
 *					instruction meets another of the
 *					interrupt's doings; EVERY 2 leaves out
 *					every other instruction, and so on
 *	  step OFFSETS FLOOR		with trap_timer.c: so many offsets of
 *					a timer
 *
 * Fails if fewer than FLOOR different instructions were interrupted.
 */
#include "../fuzz/model_port.h"
#include "../hang.h"
#include "text.h"
#include "trap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NSLOTS	 4u
#define NPAGES	 8u
#define NREQUEST 2u

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Pages by what the common state makes of them. */
enum {
	HELD = MODEL_FIRST_PFN, /* by the task; the interrupt may let it go */
	IDLE,			/* these three mapped, nobody uses them */
	IDLE2,
	IDLE3,
	ABSENT, /* not mapped, and what follows neither */
	ABSENT2,
	OTHER, /* mapped by the other task only */
	OTHER2,
};

static struct {
	_Alignas(PKMAP_ALIGN) unsigned char memory[16384];
	struct model model;
	struct pkmap_window *win;
	void *task[NPAGES];	     /* where the task holds a page */
	void *interrupt[NPAGES];     /* where the interrupt does */
	pkmap_pfn local;	     /* the task's local map, or none */
	pkmap_pfn device;	     /* what a device owns, or none */
	pkmap_pfn request[NREQUEST]; /* of the map that is going on */
	const char *scenario;
	unsigned long n;      /* instructions of the library so far */
	unsigned long doing;  /* chooses what the interrupt does */
	unsigned long offset; /* of the timer */
	bool acted;	      /* the interrupt has done it */
} t;

static unsigned long every = 1;

#define expect(cond) \
	((cond) ? (void)0 : \
		  model_fail("%s:%d: not so: %s", __func__, __LINE__, #cond))

static void **task(pkmap_pfn pfn)
{
	return &t.task[pfn - MODEL_FIRST_PFN];
}

static void **interrupt(pkmap_pfn pfn)
{
	return &t.interrupt[pfn - MODEL_FIRST_PFN];
}

/* What a device owns is left alone. */
static void use(void *addr, pkmap_pfn pfn)
{
	if (pfn == t.device)
		return;
	model_load(&t.model, addr, pfn);
	model_store(&t.model, addr, pfn);
}

static void open_window(void)
{
	struct pkmap_config *config = &t.model.config;

	expect(pkmap_size(config) && pkmap_size(config) <= sizeof(t.memory));
	expect(!pkmap_init(t.memory, config, &t.win));
	model_dma_init(&t.model, t.win, 0);
}

/* The task lets a page go; from the first instruction on it may be gone. */
static void let_go(pkmap_pfn pfn)
{
	void *addr = *task(pfn);

	use(addr, pfn);
	*task(pfn) = NULL;
	expect(!pkmap_unmap(t.win, addr));
}

static bool requested(pkmap_pfn pfn)
{
	return t.request[0] == pfn || t.request[1] == pfn;
}

static bool satisfiable(void)
{
	unsigned int needed = 0;

	for (pkmap_pfn i = 0; i < NPAGES; i++)
		needed += t.task[i] || t.interrupt[i] ||
			  requested(MODEL_FIRST_PFN + i);
	return needed <= NSLOTS;
}

static void interrupt_lets_go(void)
{
	for (pkmap_pfn i = 0; i < NPAGES; i++) {
		if (!t.interrupt[i])
			continue;
		use(t.interrupt[i], MODEL_FIRST_PFN + i);
		expect(!pkmap_unmap(t.win, t.interrupt[i]));
		t.interrupt[i] = NULL;
	}
}

/* What an interrupt finds out about a page; held, if the answer is not NULL. */
static void *pin_and_use(pkmap_pfn pfn)
{
	void *addr = pkmap_pin(t.win, pfn);

	if (*task(pfn))
		expect(addr == *task(pfn));
	if (addr)
		use(addr, pfn);
	else if (t.local != pfn && t.device != pfn)
		model_dma(&t.model, pfn);
	return addr;
}

static void pin_all(void)
{
	for (pkmap_pfn i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = MODEL_FIRST_PFN + i;
		void *addr = pin_and_use(pfn);

		if (addr)
			expect(!pkmap_unmap_pfn(t.win, pfn));
	}
}

/* Until the task's call is over, or sleeps. */
static void hold_all(void)
{
	for (pkmap_pfn i = 0; i < NPAGES; i++)
		t.interrupt[i] = pin_and_use(MODEL_FIRST_PFN + i);
}

static void hold_one(void)
{
	*interrupt(IDLE2) = pin_and_use(IDLE2);
}

/* On the task's behalf, as one that was handed over to it may. */
static void unmap_held(void)
{
	if (*task(HELD))
		let_go(HELD);
}

/* The task has at most one local map, which leaves three. */
static void map_locally(void)
{
	for (pkmap_pfn pfn = IDLE; pfn <= ABSENT; pfn++) {
		void *outer;
		void *inner;
		void *again;

		expect(!pkmap_local_map(t.win, pfn, &outer));
		use(outer, pfn);
		expect(!pkmap_local_map(t.win, ABSENT2, &inner));
		use(inner, ABSENT2);
		expect(!pkmap_local_map(t.win, pfn, &again));
		expect(again == outer);
		expect(pkmap_local_unmap(t.win, inner) == PKMAP_EINVAL ||
		       inner == again);
		expect(!pkmap_local_unmap(t.win, again));
		expect(!pkmap_local_unmap(t.win, inner));
		use(outer, pfn);
		expect(!pkmap_local_unmap(t.win, outer));
	}
}

/* With buffers that are pages, and with such as share their lines. */
static void do_dma(void)
{
	for (pkmap_pfn i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = MODEL_FIRST_PFN + i;

		if (pfn == t.device)
			continue;
		expect(!model_from_device(&t.model, pfn, false));
		expect(!model_from_device(&t.model, pfn, true));
		expect(!model_to_device(&t.model, pfn));
	}
}

/* The answers may be out of date at once, but not wrong about what is held. */
static void look_up(void)
{
	for (pkmap_pfn i = 0; i < NPAGES; i++) {
		pkmap_pfn pfn = MODEL_FIRST_PFN + i;
		void *addr = pkmap_pfn_to_addr(t.win, pfn);

		expect(!t.task[i] || addr == t.task[i]);
		if (addr)
			expect(pkmap_addr_to_pfn(t.win, addr) == pfn ||
			       t.acted);
	}
}

static void map_in_other_task(pkmap_pfn pfn)
{
	int ret = pkmap_map(t.win, pfn, PKMAP_NOWAIT, interrupt(pfn));

	if (ret)
		expect(ret == PKMAP_EAGAIN);
	else
		use(*interrupt(pfn), pfn);
}

/*
 * The task is preempted: another has every slot that it can get show another
 * page.  Not while the task has the lock, or a local map.
 */
static void run_other_task(void)
{
	if (t.model.locked || t.model.depth)
		return;
	pkmap_flush_unused(t.win);
	for (pkmap_pfn pfn = ABSENT2; pfn <= OTHER2; pfn++)
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

/* Goes on as a copy of the process; the original waits for its end. */
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
		model_fail("%s; %s at instruction %lu, %#lx in %s", t.scenario,
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
static int on_wait(const struct pkmap_wait *wait)
{
	pkmap_pfn i = 0;

	expect(wait->deadline == PKMAP_NO_DEADLINE);
	while (!t.model.woken) {
		if (satisfiable())
			model_fail("I9: a map sleeps beside a slot");
		interrupt_lets_go();
		while (i < NPAGES && !t.task[i])
			i++;
		if (!t.model.woken && !satisfiable() && i < NPAGES)
			let_go(MODEL_FIRST_PFN + i);
	}
	return 0;
}

static void map(pkmap_pfn pfn)
{
	void *addr;

	t.request[0] = pfn;
	expect(!pkmap_map(t.win, pfn, NULL, &addr));
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

/* All slots held: the call has to sleep. */
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
	int ret = pkmap_map(t.win, ABSENT, PKMAP_NOWAIT, &addr);

	if (ret) {
		expect(ret == PKMAP_EAGAIN);
		expect(t.acted); /* it used what was marked */
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
	expect(!pkmap_map_pages(t.win, pfns, 2, NULL, addrs));
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
	pkmap_flush_unused(t.win);
	expect(t.task[0] == NULL || model_find(&t.model, HELD) == t.task[0]);
}

static void forget(void)
{
	int ret = pkmap_forget(t.win, IDLE, 2, PKMAP_NOWAIT);

	if (ret) {
		expect(ret == PKMAP_EBUSY);
		expect(t.acted); /* it used what was marked */
		return;
	}
	expect(!model_find(&t.model, IDLE));
	expect(!model_find(&t.model, IDLE2));
}

/* The lines of a page with a local slot are in the cache on the way out. */
static void map_one_locally(pkmap_pfn pfn)
{
	void *addr;

	t.local = pfn;
	expect(!pkmap_local_map(t.win, pfn, &addr));
	use(addr, pfn);
	expect(!pkmap_local_unmap(t.win, addr));
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
	*task(IDLE) = pkmap_pin(t.win, IDLE);
	expect(*task(IDLE) || t.acted);
	if (*task(IDLE))
		let_go(IDLE);
	expect(!pkmap_pin(t.win, ABSENT));
}

static void give_to_device(pkmap_pfn pfn, bool shared)
{
	t.device = pfn;
	expect(!model_from_device(&t.model, pfn, shared));
	expect(!model_to_device(&t.model, pfn));
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

/* On a cache that is not VIVT: in a slot that is reserved for it. */
static void dma_in_a_slot(void)
{
	trap_disarm();
	interrupt_lets_go();
	let_go(HELD);
	expect(!pkmap_fini(t.win));
	t.model.config.cache.kind = PKMAP_CACHE_PIPT;
	open_window();
	trap_arm(t.offset);
	give_to_device(ABSENT, true);
}

/* One unmap too many, unless the slot is the interrupt's: then it is theirs. */
static void unmap_idle(void *addr)
{
	int ret = pkmap_unmap(t.win, addr);

	if (ret) {
		expect(ret == PKMAP_EINVAL);
		return;
	}
	for (pkmap_pfn i = 0; i < NPAGES; i++) {
		if (t.interrupt[i] == addr) {
			t.interrupt[i] = NULL;
			return;
		}
	}
	model_fail("an unmap too many of %p was not refused", addr);
}

static void misuse(void)
{
	unsigned long reports = t.model.did.reports;
	void *addr = model_find(&t.model, IDLE3);

	expect(pkmap_unmap(t.win, t.model.config.local_base) == PKMAP_ERANGE);
	expect(!pkmap_pin(t.win, MODEL_FIRST_PFN + NPAGES));
	expect(pkmap_map(t.win, PKMAP_NO_PFN, NULL, &addr) == PKMAP_ERANGE);
	expect(pkmap_local_unmap(t.win, addr) == PKMAP_EINVAL);
	expect(t.model.did.reports >= reports + 4);
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
	struct pkmap_config *config = &t.model.config;

	model_init(&t.model, NSLOTS, NPAGES);
	t.model.on_wait = on_wait;
	config->cache.kind = PKMAP_CACHE_VIVT;
	t.local = PKMAP_NO_PFN;
	t.request[0] = PKMAP_NO_PFN;
	t.request[1] = PKMAP_NO_PFN;
	t.device = PKMAP_NO_PFN;
	open_window();
	for (pkmap_pfn pfn = HELD; pfn < ABSENT; pfn++)
		map(pfn);
	for (pkmap_pfn pfn = IDLE; pfn < ABSENT; pfn++)
		let_go(pfn);
}

/* Nothing is left over, and nothing was lost. */
static void tear_down(void)
{
	interrupt_lets_go();
	for (pkmap_pfn i = 0; i < NPAGES; i++)
		if (t.task[i])
			let_go(MODEL_FIRST_PFN + i);
	model_check_quiet(&t.model);
	expect(!pkmap_fini(t.win));
	model_check_end(&t.model);
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

/* With a timer the short ones may be missed. */
static bool all_interrupted(void)
{
	static const char *const names[] = {
		"pkmap_map",	     "pkmap_map_pages",	  "pkmap_map_slow",
		"pkmap_reclaim",     "pkmap_pin",	  "pkmap_unmap",
		"pkmap_local_map",   "pkmap_local_unmap", "pkmap_pfn_to_addr",
		"pkmap_addr_to_pfn", "pkmap_forget",	  "pkmap_flush_unused",
		"pkmap_dma_map",     "pkmap_dma_unmap",
	};
	bool all = true;

	for (size_t i = 0; trap_every && i < COUNT(names); i++) {
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

	if (argc > 3)
		every = strtoul(argv[3], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!every || !text_open() || !trap_open(interrupted)) {
		puts("Bail out! cannot interrupt the library");
		return 1;
	}
	printf("1..%zu\n", COUNT(scenarios) + 1);
	for (size_t s = 0; s < COUNT(scenarios); s++) {
		t.scenario = scenarios[s].name;
		for (unsigned long n = 0; n < runs; n++)
			run_once(scenarios[s].run, n);
		printf("ok %zu - %s\n", s + 1, t.scenario);
	}
	/* A timer comes when it comes, on a busy machine. */
	for (unsigned long n = 0; !trap_every && text_count() < floor; n++)
		run_once(scenarios[n % COUNT(scenarios)].run, n % runs);
	text_print();
	enough = all_interrupted() && text_count() >= floor;
	printf("%sok %zu - %zu different instructions were interrupted, "
	       "at least %lu wanted\n",
	       enough ? "" : "not ", COUNT(scenarios) + 1, text_count(), floor);
	return !enough;
}
