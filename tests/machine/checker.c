// SPDX-License-Identifier: MIT
/*
 * checker.c - checks that the checker sees everything: state spaces that can be
 * counted by hand, livelocks, bounds, schedules, and what it leaves out.
 */
#include "machine_test.h"

#include "tests/random.h"

#define STEPS 3 /* of each counter task */

static struct shared {
	pkmap_a32 a[4]; /* one for each task */
	pkmap_a32 event;
	struct machine_spinlock lock;
} * s;

static uint32_t ntasks;

static const struct machine_config pipt = {
	.ncpus = 1,
	.nslots = 2,
	.npages = 3,
	.page_shift = 2,
	.line_shift = 1,
	.cache.kind = PKMAP_CACHE_PIPT,
};

static struct machine_config two_cpus(bool weak)
{
	struct machine_config c = pipt;

	c.ncpus = 2;
	c.weak_memory = weak;
	return c;
}

static void make_shared(void)
{
	s = machine_alloc(sizeof(*s));
	set(0, 0);
}

/*
 * Counts.
 */

static void counter(void)
{
	uint32_t k;

	for (k = 0; k < STEPS; k++)
		pkmap_a32_add_release(&s->a[m.current], 1);
}

static void prepare_counters(void)
{
	uint32_t k;

	make_shared();
	for (k = 0; k < ntasks; k++)
		machine_task("counter", (int)(k % m.config.ncpus), counter);
}

/*
 * Each task is before one of its steps or done, which makes STEPS + 1 places;
 * all tasks together have that to the power of their number.  A step leads from
 * each place except the last, whatever the others do.  It makes no difference
 * whether tasks share a CPU.
 */
static void test_count_tasks(void **state)
{
	const uint32_t places = STEPS + 1;
	struct machine_config c = pipt;
	struct explored e;
	uint32_t states = places;

	(void)state;
	for (ntasks = 2; ntasks <= 4; ntasks++) {
		states *= places;
		for (c.ncpus = 1; c.ncpus <= 2; c.ncpus++) {
			e = explore_all(prepare_counters, &c);
			assert_int_equal(e.states, states);
			assert_int_equal(e.transitions,
					 ntasks * STEPS * (states / places));
			assert_int_equal(e.depth, ntasks * STEPS);
			assert_int_equal(e.bound, BOUND_NONE);
		}
	}
}

static void add_once(void)
{
	pkmap_a32_add_release(&s->a[3], 1);
}

static void prepare_interrupted(void)
{
	make_shared();
	machine_task("counter", 0, counter);
	machine_raise(machine_interrupt("interrupt", 0, 1, add_once));
}

/* The interrupt has not come yet, is before its only step, or is done. */
static void test_count_interrupt(void **state)
{
	struct explored e = explore_all(prepare_interrupted, &pipt);

	(void)state;
	assert_int_equal(e.states, 3 * (STEPS + 1));
	/* The task's steps before and after it, and the interrupt's own two. */
	assert_int_equal(e.transitions, 2 * STEPS + 2 * (STEPS + 1));
}

static void store_and_load(void)
{
	machine_store(at(0, 0), 0x31);
	machine_load(at(0, 1));
}

static void prepare_store_and_load(void)
{
	make_shared();
	machine_task("task", 0, store_and_load);
}

/* A dirty line may be evicted before the load: 1 state, then 2, then 2. */
static void test_count_evictions(void **state)
{
	struct explored e = explore_all(prepare_store_and_load, &pipt);

	(void)state;
	assert_int_equal(e.states, 5);
	assert_int_equal(e.transitions, 4);
}

/*
 * Livelocks.
 */

static void (*first)(void);
static void (*second)(void);
static int cpu_of_second;

static void prepare_two(void)
{
	make_shared();
	machine_task("first", 0, first);
	if (second)
		machine_task("second", cpu_of_second, second);
}

static void prepare_spinning_interrupt(void)
{
	make_shared();
	machine_task("first", 0, first);
	machine_raise(machine_interrupt("interrupt", 0, 1, second));
}

static void spin(void)
{
	while (!pkmap_a32_load_relaxed(&s->a[0]))
		;
}

static void spin_unpreemptible(void)
{
	machine_ops.local_enter(NULL);
	spin();
	machine_ops.local_leave(NULL);
}

static void end_spin(void)
{
	pkmap_a32_store_relaxed(&s->a[0], 1);
}

static void sleep_and_end_spin(void)
{
	const struct pkmap_wait wait = { .deadline = 1 };

	machine_ops.wait(NULL, &s->event, 0, &wait);
	end_spin();
}

/* Spinning is no livelock if another task can end it, even by a deadline. */
static void test_spin(void **state)
{
	const struct machine_config c = two_cpus(false);

	(void)state;
	first = spin;
	second = end_spin;
	for (cpu_of_second = 0; cpu_of_second < 2; cpu_of_second++)
		expect_clean(prepare_two, &c);
	second = sleep_and_end_spin;
	expect_clean(prepare_two, &c);

	first = spin_unpreemptible;
	expect_clean(prepare_two, &c);
	cpu_of_second = 0;
	second = end_spin;
	expect(prepare_two, &c, 7, VERDICT_LIVELOCK);
	second = NULL;
	expect(prepare_two, &c, 7, VERDICT_LIVELOCK);
}

/* I6: an interrupt waits for the task that it interrupted. */
static void test_interrupt_spins(void **state)
{
	(void)state;
	first = end_spin;
	second = spin;
	expect(prepare_spinning_interrupt, &pipt, 6, VERDICT_LIVELOCK);
	first = spin;
	second = end_spin;
	expect_clean(prepare_spinning_interrupt, &pipt);
}

/* Stores a value again until a load finds it still there. */
static void want(uint32_t value)
{
	do {
		pkmap_a32_store_relaxed(&s->a[0], value);
	} while (pkmap_a32_load_relaxed(&s->a[0]) != value);
}

static void want_one(void)
{
	want(1);
}

static void want_two(void)
{
	want(2);
}

/* I7: each task can undo what the other did, for ever. */
static void test_mutual_livelock(void **state)
{
	const struct machine_config c = two_cpus(false);
	struct explored e;

	(void)state;
	cpu_of_second = 1;
	first = want_one;
	second = want_two;
	e = explore_all(prepare_two, &c);
	assert_int_equal(e.broken.invariant, 7);
	assert_int_equal(e.broken.verdict, VERDICT_LIVELOCK);
	assert_true(e.cycle < e.nsteps);
	free(e.schedule);
}

static void load_once(void)
{
	machine_load(at(0, 0));
}

/* A cycle of the cache alone is no livelock: a line is evicted and filled. */
static void test_cycle_of_the_cache(void **state)
{
	struct machine_config c = pipt;

	(void)state;
	c.cache.speculative = true;
	first = load_once;
	second = NULL;
	expect_clean(prepare_two, &c);
	c.unreduced = true;
	expect_clean(prepare_two, &c);
}

static void spin_on_two(void)
{
	while (!pkmap_a32_load_relaxed(&s->a[0]))
		pkmap_a32_load_relaxed(&s->a[1]);
}

static void spin_later(void)
{
	if (pkmap_a32_load_relaxed(&s->a[2]))
		spin_on_two();
}

static void end_spin_before(void)
{
	end_spin();
	pkmap_a32_store_relaxed(&s->a[2], 1);
}

/* A load does not take an old value for ever. */
static void test_old_values_end(void **state)
{
	const struct machine_config c = two_cpus(true);

	(void)state;
	cpu_of_second = 1;
	first = spin;
	second = end_spin;
	expect_clean(prepare_two, &c);
	first = spin_on_two;
	expect_clean(prepare_two, &c);
	first = spin_later;
	second = end_spin_before;
	expect_clean(prepare_two, &c);
}

/*
 * Schedules.
 */

static void see_between(void)
{
	if (pkmap_a32_load_relaxed(&s->a[0]) == 1)
		seen();
}

static void count_first(void)
{
	uint32_t k;

	for (k = 0; k < STEPS; k++)
		pkmap_a32_add_release(&s->a[0], 1);
}

static void see_all(void)
{
	pkmap_a32_load_relaxed(&s->a[1]);
	if (pkmap_a32_load_relaxed(&s->a[0]) == STEPS)
		seen();
}

/* One step and a look at it; or all of one task's steps and the other's two. */
static void test_shortest_schedule(void **state)
{
	struct explored e;

	(void)state;
	cpu_of_second = 0;
	first = count_first;
	second = see_between;
	e = explore_all(prepare_two, &pipt);
	assert_int_equal(e.nsteps, 2);
	assert_int_equal(e.cycle, e.nsteps);
	free(e.schedule);
	second = see_all;
	e = explore_all(prepare_two, &pipt);
	assert_int_equal(e.nsteps, STEPS + 2);
	free(e.schedule);
}

/*
 * One scenario for each invariant.
 */

static void invalidate_only(void)
{
	machine_store(at(0, 0), 0x31);
	machine_dma_ops.cache(NULL, PKMAP_CACHE_INVAL, at(0, 0), page_bytes());
}

static void device_reads(void)
{
	const struct pkmap_dma_buffer buf = { .pfn = 0, .len = 1 };

	machine_store(at(0, 0), 0x31);
	machine_device_start(&buf, PKMAP_DMA_TO_DEVICE, 0, 1);
}

static void clear_held(void)
{
	m.hw.held[0] = 1;
	clear(0);
}

static void use_cleared(void)
{
	machine_load(at(0, 0));
	clear(0);
	machine_load(at(0, 0));
}

static void use_alias(void)
{
	set(1, 0);
	machine_load(at(0, 0));
	machine_load(at(1, 0));
}

static void lock_for_good(void)
{
	machine_ops.lock(NULL);
}

static void pin_held(void)
{
	m.hw.page_held[0] = 1;
	pin(0);
}

static void sleep_for_good(void)
{
	const struct pkmap_wait wait = { .deadline = PKMAP_NO_DEADLINE };

	machine_ops.wait(NULL, &s->event, 0, &wait);
}

static void map_in_vain(void)
{
	map(0);
}

static void *no_pin(void *mem, pkmap_pfn pfn)
{
	(void)mem;
	(void)pfn;
	return NULL;
}

static int no_map(void *mem, const pkmap_pfn *pfns, uint32_t n,
		  const struct pkmap_wait *wait, void **addrs)
{
	(void)mem;
	(void)pfns;
	(void)n;
	(void)wait;
	(void)addrs;
	return PKMAP_EINVAL;
}

static const struct scheme refusing = {
	.name = "refusing",
	.size = bare_size,
	.init = bare_init,
	.map = no_map,
	.pin = no_pin,
	.check_end = bare_check_end,
};

static const struct violation {
	void (*first)(void);
	void (*second)(void);
	int invariant;
	enum verdict verdict;
	void (*prepare)(void);
	uint32_t nsteps; /* of the shortest schedule; 0: not checked here */
} violations[] = {
	{ store_and_load, store_and_load, 0, VERDICT_CLEAN, prepare_two, 0 },
	{ invalidate_only, NULL, 1, VERDICT_DATA_LOSS, prepare_two, 2 },
	{ device_reads, NULL, 2, VERDICT_STALE_READ, prepare_two, 3 },
	{ clear_held, NULL, 3, VERDICT_BROKEN, prepare_two, 1 },
	{ use_cleared, NULL, 4, VERDICT_BROKEN, prepare_two, 3 },
	{ use_alias, NULL, 5, VERDICT_BROKEN, prepare_two, 3 },
	{ end_spin, spin, 6, VERDICT_LIVELOCK, prepare_spinning_interrupt, 2 },
	{ spin, NULL, 7, VERDICT_LIVELOCK, prepare_two, 1 },
	{ want_one, want_two, 7, VERDICT_LIVELOCK, prepare_two, 0 },
	{ lock_for_good, lock_for_good, 7, VERDICT_DEADLOCK, prepare_two, 1 },
	{ pin_held, NULL, 8, VERDICT_BROKEN, prepare_two, 1 },
	{ sleep_for_good, NULL, 9, VERDICT_DEADLOCK, prepare_two, 1 },
	{ map_in_vain, NULL, 10, VERDICT_BROKEN, prepare_two, 1 },
};

#define NVIOLATIONS (sizeof(violations) / sizeof(violations[0]))

static uint32_t violation; /* the current one */

static void step_first(void)
{
	machine_irq_restore(machine_irq_save());
	violations[violation].first();
}

/* A task without a scheduling point would break it before the search begins. */
static void begin_violation(uint32_t nr, bool unreduced)
{
	const struct violation *v = &violations[nr];
	const struct scenario scenario = { .prepare = v->prepare };
	struct machine_config c = pipt;

	violation = nr;
	first = v->invariant == 8 || v->invariant == 10 ? step_first : v->first;
	second = v->second;
	cpu_of_second = 0;
	c.unreduced = unreduced;
	if (v->invariant == 5)
		c.cache.kind = PKMAP_CACHE_VIVT;
	run_begin(&scenario, &refusing, &c);
}

static struct explored explore_violation(uint32_t nr, bool unreduced)
{
	const struct explore_limits limits = {
		.switches = ANY_NUMBER_OF_SWITCHES,
	};
	struct explored e;

	begin_violation(nr, unreduced);
	assert_int_equal(explore(&limits, &e), 0);
	assert_int_equal(e.bound, BOUND_NONE);
	return e;
}

/* Each is found by the shortest schedule, also without the reduction. */
static void test_each_invariant(void **state)
{
	const struct violation *v = violations;
	struct explored e;
	uint32_t k;

	(void)state;
	for (k = 0; k < 2 * NVIOLATIONS; k++) {
		v = &violations[k / 2];
		e = explore_violation(k / 2, k % 2);
		assert_int_equal(e.broken.invariant, v->invariant);
		assert_int_equal(e.broken.verdict, v->verdict);
		if (v->nsteps)
			assert_int_equal(e.nsteps, v->nsteps);
		free(e.schedule);
	}
}

/* Copies the present state, to compare it. */
static size_t copy_state(unsigned char *to)
{
	const void *data;
	size_t total = 0;
	size_t bytes;
	uint32_t k;

	for (k = 0; k < run_parts(); k++) {
		data = run_part(k, &bytes);
		memcpy(to + total, data, bytes);
		total += bytes;
	}
	return total;
}

static void replay(const struct explored *e)
{
	static unsigned char round[1 << 16];
	static unsigned char end[1 << 16];
	size_t bytes = 0;
	bool going = true;
	uint32_t k;

	for (k = 0; k < e->nsteps; k++) {
		assert_true(going);
		if (k == e->cycle)
			bytes = copy_state(round);
		going = run_step(e->schedule[k]);
	}
	if (e->broken.verdict == VERDICT_LIVELOCK) {
		assert_true(going);
		assert_int_equal(copy_state(end), bytes);
		assert_memory_equal(round, end, bytes);
		return;
	}
	if (going)
		assert_false(run_end());
	assert_int_equal(run_broken()->invariant, e->broken.invariant);
	assert_string_equal(run_broken()->text, e->broken.text);
}

/* The schedule breaks the same again, or leads back to the same state. */
static void test_replay(void **state)
{
	struct explored e;
	uint32_t k;

	(void)state;
	for (k = 1; k < NVIOLATIONS; k++) {
		e = explore_violation(k, false);
		begin_violation(k, false);
		replay(&e);
		free(e.schedule);
	}
}

/*
 * What is left out because it commutes.
 */

#define MAX_OPS 4

/* A task and an interrupt, each with random operations. */
static struct program {
	uint8_t ops[2][MAX_OPS];
	uint8_t n[2];
} program;

static void give_to_device(uint32_t line, enum pkmap_dma_dir dir)
{
	const struct pkmap_dma_buffer buf = {
		.offset = line * line_bytes(),
		.len = line_bytes(),
	};

	if (!m.hw.device.active)
		machine_device_start(&buf, dir, 0x55, 2);
}

static void do_op(uint8_t op)
{
	const uint32_t line = op & 1;
	const uint32_t slot = op >> 1 & 1;
	char *addr = at(slot, line * line_bytes());

	switch (op >> 2) {
	case 0:
		machine_load(addr);
		break;
	case 1:
		machine_store(addr, (uint8_t)(0x30 + op));
		break;
	case 2:
		machine_dma_ops.cache(NULL, PKMAP_CACHE_CLEAN, addr,
				      line_bytes());
		break;
	case 3:
		machine_dma_ops.cache(NULL, PKMAP_CACHE_CLEAN_INVAL, addr,
				      line_bytes());
		break;
	case 4:
		give_to_device(line, slot ? PKMAP_DMA_TO_DEVICE :
					    PKMAP_DMA_FROM_DEVICE);
		break;
	case 5:
		machine_dma_ops.cache(NULL, PKMAP_CACHE_INVAL, addr,
				      line_bytes());
		break;
	case 6:
		clear(slot);
		if (line)
			flush(slot);
		break;
	case 7:
		set(slot, line);
		break;
	}
}

static void run_program(void)
{
	const bool is_task = m.info[m.current].kind == LANE_TASK;
	uint32_t k;

	for (k = 0; k < program.n[!is_task]; k++)
		do_op(program.ops[!is_task][k]);
}

static void nothing(void)
{
}

static void prepare_program(void)
{
	make_shared();
	set(1, 1);
	machine_task("task", 0, run_program);
	machine_raise(machine_interrupt("interrupt", (int)m.config.ncpus - 1, 1,
					run_program));
	machine_interrupt("device done", 0, 1, nothing);
}

static void make_program(uint64_t *seed)
{
	uint32_t who;
	uint32_t k;

	for (who = 0; who < 2; who++) {
		program.n[who] = (uint8_t)(1 + random_next(seed) % MAX_OPS);
		for (k = 0; k < program.n[who]; k++)
			program.ops[who][k] = (uint8_t)(random_next(seed) % 32);
	}
}

static bool is_broken(const struct machine_config *c)
{
	struct explored e = explore_all(prepare_program, c);

	free(e.schedule);
	assert_int_equal(e.bound, BOUND_NONE);
	return e.broken.invariant;
}

/* Random programs have the same verdict with and without the reduction. */
static void test_reduction(void **state)
{
	struct machine_config c = pipt;
	uint32_t nbroken = 0;
	uint32_t k;
	uint64_t seed = 1;
	bool reduced;

	(void)state;
	for (k = 0; k < 3000; k++) {
		make_program(&seed);
		c.cache.speculative = k & 1;
		c.cache.kind = k & 2 ? PKMAP_CACHE_VIVT : PKMAP_CACHE_VIPT;
		c.cache.colours = !(k & 2) && k & 4 ? 2 : 1;
		c.ncpus = !(k & 2) && k & 8 ? 2 : 1;
		c.own_caches = k & 16;
		c.unreduced = false;
		reduced = is_broken(&c);
		c.unreduced = true;
		if (is_broken(&c) != reduced)
			fail_msg("program %u", k);
		nbroken += reduced;
	}
	assert_in_range(nbroken, 300, 2700);
}

/*
 * Bounds.
 */

static bool stop(const struct progress_report *report)
{
	return report->states > 0;
}

static void expect_bound(struct explore_limits limits,
			 const struct machine_config *c,
			 enum explored_bound bound)
{
	struct explored e = explore_within(prepare_counters, c, &limits);

	assert_int_equal(e.bound, bound);
	assert_int_equal(e.broken.invariant, 0);
	assert_true((e.states == (STEPS + 1) * (STEPS + 1)) ==
		    (bound == BOUND_NONE));
}

static void test_bounds(void **state)
{
	struct explore_limits no = { .switches = ANY_NUMBER_OF_SWITCHES };
	struct explore_limits l;

	(void)state;
	ntasks = 2;
	expect_bound(no, &pipt, BOUND_NONE);
	l = no;
	l.states = 10;
	expect_bound(l, &pipt, BOUND_STATES);
	l = no;
	l.bytes = 1;
	expect_bound(l, &pipt, BOUND_MEMORY);
	l = no;
	l.until = 1;
	expect_bound(l, &pipt, BOUND_TIME);
	l = no;
	l.report = stop;
	expect_bound(l, &pipt, BOUND_STOPPED);
	l = no;
	l.switches = 0;
	expect_bound(l, &pipt, BOUND_SWITCHES);
}

/* Without switches, tasks run one after the other; one is needed here. */
static void test_bounded_switches(void **state)
{
	struct explore_limits limits = { .switches = 0 };
	struct explored e;

	(void)state;
	cpu_of_second = 0;
	first = count_first;
	second = see_between;
	e = explore_within(prepare_two, &pipt, &limits);
	assert_int_equal(e.bound, BOUND_SWITCHES);
	assert_int_equal(e.broken.invariant, 0);
	limits.switches = 1;
	e = explore_within(prepare_two, &pipt, &limits);
	assert_int_equal(e.broken.invariant, 3);
	free(e.schedule);
	second = nothing;
	limits.switches = 100;
	e = explore_within(prepare_two, &pipt, &limits);
	assert_int_equal(e.bound, BOUND_NONE);
}

static uint32_t nstores;

static void store_often(void)
{
	uint32_t k;

	for (k = 0; k < nstores; k++)
		pkmap_a32_store_relaxed(&s->a[0], k + 1);
}

/* One message is the first value.  The other CPU may still load any of them. */
static void test_bounded_history(void **state)
{
	const struct machine_config c = two_cpus(true);
	struct explored e;

	(void)state;
	cpu_of_second = 1;
	first = store_often;
	second = load_once;
	nstores = WEAK_MESSAGES - 1;
	e = explore_all(prepare_two, &c);
	assert_int_equal(e.bound, BOUND_NONE);
	nstores = WEAK_MESSAGES;
	e = explore_all(prepare_two, &c);
	assert_int_equal(e.bound, BOUND_HISTORY);
}

static void prepare_broken(void)
{
	machine_task("task", 0, nothing);
	broken(4, VERDICT_BROKEN, "before anybody runs");
}

/* An invariant that is broken before the first step is reported. */
static void test_broken_in_prepare(void **state)
{
	const struct machine_config c = two_cpus(false);

	(void)state;
	expect(prepare_broken, &c, 4, VERDICT_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count_tasks),
		cmocka_unit_test(test_count_interrupt),
		cmocka_unit_test(test_count_evictions),
		cmocka_unit_test(test_spin),
		cmocka_unit_test(test_interrupt_spins),
		cmocka_unit_test(test_mutual_livelock),
		cmocka_unit_test(test_cycle_of_the_cache),
		cmocka_unit_test(test_old_values_end),
		cmocka_unit_test(test_shortest_schedule),
		cmocka_unit_test(test_each_invariant),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_reduction),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bounded_switches),
		cmocka_unit_test(test_bounded_history),
		cmocka_unit_test(test_broken_in_prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
