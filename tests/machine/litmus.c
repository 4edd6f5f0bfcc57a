// SPDX-License-Identifier: MIT
/*
 * litmus.c - compares what the machine's memory lets CPUs see of each other
 * with C11, with the SC fences and accesses of RC11 (Lahav, Vafeiadis, Kang,
 * Hur and Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI 2017).
 *
 * A litmus test has a few tasks, each on its own CPU unless stated otherwise,
 * and an outcome.  The task that ends last checks for the outcome.
 */
#include "machine_test.h"

#define RELAXED MACHINE_RELAXED
#define ACQUIRE MACHINE_ACQUIRE
#define RELEASE MACHINE_RELEASE
#define SEQ_CST MACHINE_SEQ_CST
#define NONE	((enum machine_order)0xff) /* no fence */

/* What the tasks share.  Members that are not atomic are for the outcome. */
struct shared {
	pkmap_a32 x;
	pkmap_a32 y;
	pkmap_a32 z;
	uint32_t r[4]; /* the loaded values */
	uint32_t ndone;
	struct machine_spinlock lock;
};

static struct shared *s;

/* The current test. */
static struct litmus {
	void (*task[MAX_CPUS])(void);
	bool (*outcome)(void);
	bool one_cpu;
	/* The memory orders of the tasks' operations. */
	enum machine_order store;
	enum machine_order load;
	enum machine_order fence;
	enum machine_order fence2;
	bool with; /* the tasks do what the test is about */
} t;

/*
 * The tasks' operations.
 */

static uint32_t load_as(pkmap_a32 *var, enum machine_order order)
{
	return (uint32_t)machine_atomic_load(var, sizeof(*var), order);
}

static void store_as(pkmap_a32 *var, uint32_t value, enum machine_order order)
{
	machine_atomic_store(var, sizeof(*var), value, order);
}

static uint32_t add_as(pkmap_a32 *var, uint32_t n, enum machine_order order)
{
	return (uint32_t)machine_atomic_add(var, sizeof(*var), n, order);
}

static bool cas_as(pkmap_a32 *var, uint32_t *old, uint32_t value,
		   enum machine_order order)
{
	return machine_atomic_cas(&var->v, old, value, order);
}

static void fence_as(enum machine_order order)
{
	if (order != NONE)
		machine_fence(order);
}

static void done(void)
{
	s->ndone++;
	if ((s->ndone == MAX_CPUS || !t.task[s->ndone]) && t.outcome())
		seen();
}

/*
 * The tests.
 */

static void prepare(void)
{
	static const char *const names[MAX_CPUS] = { "a", "b", "c", "d" };
	int nr;

	s = machine_alloc(sizeof(*s));
	for (nr = 0; nr < MAX_CPUS && t.task[nr]; nr++)
		machine_task(names[nr], t.one_cpu ? 0 : nr, t.task[nr]);
}

static struct machine_config config(bool weak)
{
	struct machine_config c = {
		.nslots = 2,
		.npages = 3,
		.page_shift = 2,
		.line_shift = 1,
		.cache.kind = PKMAP_CACHE_PIPT,
		.weak_memory = weak,
	};

	while (c.ncpus < MAX_CPUS && t.task[c.ncpus])
		c.ncpus++;
	return c;
}

static void expect_outcome(bool weak, bool reachable)
{
	const struct machine_config c = config(weak);

	if (reachable)
		expect_seen(prepare, &c);
	else
		expect_clean(prepare, &c);
}

/* The outcome is possible with weak memory, but not with SC memory. */
static void allowed(void)
{
	expect_outcome(true, true);
	expect_outcome(false, false);
}

static void forbidden(void)
{
	expect_outcome(true, false);
	expect_outcome(false, false);
}

static void expect_weak(bool reachable)
{
	if (reachable)
		allowed();
	else
		forbidden();
}

static bool r0_but_not_r1(void)
{
	return s->r[0] == 1 && s->r[1] == 0;
}

static bool neither(void)
{
	return s->r[0] == 0 && s->r[1] == 0;
}

/*
 * Message passing.
 */

static void mp_writer(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->y, 1, t.store);
	done();
}

static void mp_reader(void)
{
	s->r[0] = load_as(&s->y, t.load);
	fence_as(t.fence);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/* C11: a release store and an acquire load (or fence) pass the message. */
static void test_message_passing(void **state)
{
	static const enum machine_order stores[] = { RELAXED, RELEASE,
						     SEQ_CST };
	static const enum machine_order loads[] = { RELAXED, ACQUIRE, SEQ_CST };
	static const enum machine_order fences[] = { NONE, ACQUIRE, SEQ_CST };
	uint32_t k;

	(void)state;
	t = (struct litmus){
		.task = { mp_writer, mp_reader },
		.outcome = r0_but_not_r1,
	};
	for (k = 0; k < 27; k++) {
		t.store = stores[k / 9];
		t.load = loads[k / 3 % 3];
		t.fence = fences[k % 3];
		expect_weak(t.store == RELAXED ||
			    (t.load == RELAXED && t.fence == NONE));
	}
}

/* A CPU sees what it did itself, in any of its tasks. */
static void test_message_passing_on_one_cpu(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { mp_writer, mp_reader },
		.outcome = r0_but_not_r1,
		.one_cpu = true,
		.fence = NONE,
	};
	forbidden();
}

static void raiser(void)
{
	store_as(&s->x, 1, RELAXED);
	machine_raise(1);
	done();
}

static void handler(void)
{
	s->r[0] = 1;
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

static void prepare_raiser(void)
{
	prepare();
	machine_interrupt("handler", t.one_cpu ? 0 : 1, 1, handler);
}

/*
 * An interrupt sees what its CPU did.  In C11, a signal handler needs a signal
 * fence for that, which is what pkmap_fence_interrupt() is.  An interrupt on
 * another CPU does not see it just because it was raised.
 */
static void test_interrupt_sees_its_cpu(void **state)
{
	struct machine_config c;

	(void)state;
	t = (struct litmus){
		.task = { raiser, NULL },
		.outcome = r0_but_not_r1,
		.one_cpu = true,
	};
	c = config(true);
	expect_clean(prepare_raiser, &c);
	t.one_cpu = false;
	c.ncpus = 2;
	expect_seen(prepare_raiser, &c);
}

static void fenced_writer(void)
{
	store_as(&s->x, 1, RELAXED);
	machine_fence(SEQ_CST);
	store_as(&s->y, 1, RELAXED);
	done();
}

/*
 * C11: a fence before a relaxed store makes it a release.  In the model, the
 * reader must have such a fence as well: it is weaker than C11 here.
 */
static void test_message_passing_by_fences(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { fenced_writer, mp_reader },
		.outcome = r0_but_not_r1,
		.load = RELAXED,
		.fence = SEQ_CST,
	};
	forbidden();
	t.load = ACQUIRE;
	t.fence = NONE;
	allowed();
}

static void cas_reader(void)
{
	uint32_t old = 1;

	s->r[0] = cas_as(&s->y, &old, 2, t.load);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

static void cas_writer(void)
{
	uint32_t old = 0;

	store_as(&s->x, 1, RELAXED);
	cas_as(&s->y, &old, 1, t.store);
	done();
}

static void add_reader(void)
{
	s->r[0] = add_as(&s->y, 1, t.load);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

static void add_writer(void)
{
	store_as(&s->x, 1, RELAXED);
	add_as(&s->y, 1, t.store);
	done();
}

/* C11: a read-modify-write's load can acquire, and its store can release. */
static void test_message_passing_by_rmw(void **state)
{
	static const enum machine_order orders[] = { ACQUIRE, RELEASE,
						     SEQ_CST };
	uint32_t k;

	(void)state;
	for (k = 0; k < 9; k++) {
		t = (struct litmus){
			.task = { cas_writer, cas_reader },
			.outcome = r0_but_not_r1,
			.store = orders[k / 3],
			.load = orders[k % 3],
		};
		expect_weak(t.store == ACQUIRE || t.load == RELEASE);
		t.task[0] = add_writer;
		t.task[1] = add_reader;
		expect_weak(t.store == ACQUIRE || t.load == RELEASE);
	}
}

/*
 * Store buffering.
 */

static void sb_a(void)
{
	store_as(&s->x, 1, t.store);
	fence_as(t.fence);
	s->r[0] = load_as(&s->y, t.load);
	done();
}

static void sb_b(void)
{
	store_as(&s->y, 1, t.store);
	fence_as(t.fence2);
	s->r[1] = load_as(&s->x, t.load);
	done();
}

/* RC11: a fence on each side, or seq_cst accesses throughout, and no less. */
static void test_store_buffering(void **state)
{
	static const struct {
		enum machine_order store;
		enum machine_order load;
		enum machine_order fence;
		enum machine_order fence2;
		bool allowed;
	} cases[] = {
		{ RELAXED, RELAXED, NONE, NONE, true },
		{ RELEASE, ACQUIRE, NONE, NONE, true },
		{ RELEASE, ACQUIRE, ACQUIRE, ACQUIRE, true },
		{ RELAXED, RELAXED, SEQ_CST, NONE, true },
		{ RELAXED, RELAXED, SEQ_CST, ACQUIRE, true },
		{ RELAXED, RELAXED, SEQ_CST, SEQ_CST, false },
		{ SEQ_CST, RELAXED, NONE, NONE, true },
		{ SEQ_CST, ACQUIRE, NONE, NONE, true },
		{ RELAXED, SEQ_CST, NONE, NONE, true },
		{ RELEASE, SEQ_CST, NONE, NONE, true },
		{ SEQ_CST, SEQ_CST, NONE, NONE, false },
	};
	uint32_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		t = (struct litmus){
			.task = { sb_a, sb_b },
			.outcome = neither,
			.store = cases[k].store,
			.load = cases[k].load,
			.fence = cases[k].fence,
			.fence2 = cases[k].fence2,
		};
		expect_weak(cases[k].allowed);
	}
}

static void putter(void)
{
	pkmap_a32 *word = &s->x;
	uint32_t old = 0;

	cas_as(word, &old, 1, t.store);
	s->r[0] = load_as(&s->y, t.load);
	done();
}

static void waiter(void)
{
	pkmap_a32 *waiters = &s->y;

	add_as(waiters, 1, t.fence);
	fence_as(t.fence2);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/*
 * How waiters are woken (map.c, window.c): a put looks for waiters, a waiter
 * looks for a put, and one of them must see the other.  RC11: each of the put's
 * orders is needed, and the waiter's fence, which makes up for the order of its
 * announcement.
 */
static void test_waiters(void **state)
{
	static const struct {
		enum machine_order put;
		enum machine_order look;
		enum machine_order announce;
		enum machine_order fence;
		bool allowed;
	} cases[] = {
		{ SEQ_CST, SEQ_CST, SEQ_CST, SEQ_CST, false },
		{ RELEASE, SEQ_CST, SEQ_CST, SEQ_CST, true },
		{ SEQ_CST, RELAXED, SEQ_CST, SEQ_CST, true },
		{ SEQ_CST, ACQUIRE, SEQ_CST, SEQ_CST, true },
		{ SEQ_CST, SEQ_CST, SEQ_CST, NONE, true },
		{ SEQ_CST, SEQ_CST, SEQ_CST, ACQUIRE, true },
		{ SEQ_CST, SEQ_CST, RELAXED, SEQ_CST, false },
	};
	uint32_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		t = (struct litmus){
			.task = { putter, waiter },
			.outcome = neither,
			.store = cases[k].put,
			.load = cases[k].look,
			.fence = cases[k].announce,
			.fence2 = cases[k].fence,
		};
		expect_weak(cases[k].allowed);
	}
}

/*
 * Coherence: each variable by itself is sequentially consistent.
 */

static void store_twice(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->x, 2, RELAXED);
	done();
}

static void load_twice(void)
{
	s->r[0] = load_as(&s->x, RELAXED);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

static bool goes_backwards(void)
{
	return s->r[0] > s->r[1];
}

static void store_and_load(void)
{
	store_as(&s->x, 1, RELAXED);
	s->r[0] = load_as(&s->x, RELAXED);
	done();
}

static bool own_store_is_not_seen(void)
{
	return !s->r[0];
}

static void test_coherence_of_loads(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { store_twice, load_twice },
		.outcome = goes_backwards,
	};
	forbidden();
	t.task[0] = store_and_load;
	t.task[1] = store_twice;
	t.outcome = own_store_is_not_seen;
	forbidden();
}

static void add_one(void)
{
	add_as(&s->x, 1, RELAXED);
	done();
}

static void add_two(void)
{
	add_as(&s->x, 2, RELAXED);
	done();
}

static void store_one(void)
{
	store_as(&s->x, 1, RELAXED);
	done();
}

static void store_two(void)
{
	store_as(&s->x, 2, RELAXED);
	done();
}

static void load_twice_more(void)
{
	s->r[2] = load_as(&s->x, RELAXED);
	s->r[3] = load_as(&s->x, RELAXED);
	done();
}

static bool other_adds_first(void)
{
	return s->r[0] == 1 && s->r[2] == 2;
}

static bool other_stores_first(void)
{
	return s->r[0] == 1 && s->r[1] == 2 && s->r[2] == 2 && s->r[3] == 1;
}

/* All CPUs agree on the order of the stores to a variable. */
static void test_coherence_of_stores(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { add_one, add_two, load_twice, load_twice_more },
		.outcome = other_adds_first,
	};
	forbidden();
	t.task[0] = store_one;
	t.task[1] = store_two;
	t.outcome = other_stores_first;
	forbidden();
}

static void add_a(void)
{
	s->r[0] = add_as(&s->x, 1, RELAXED);
	done();
}

static void add_b(void)
{
	s->r[1] = add_as(&s->x, 1, RELAXED);
	done();
}

static bool one_is_lost(void)
{
	return s->r[0] == s->r[1] || s->x.v != 2;
}

static void load_and_store(void)
{
	s->r[0] = load_as(&s->x, RELAXED);
	store_as(&s->x, s->r[0] + 1, RELAXED);
	done();
}

/* A read-modify-write is atomic; an SC load and store together are not. */
static void test_rmw_is_atomic(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { add_a, add_b },
		.outcome = one_is_lost,
	};
	forbidden();
	t.task[0] = load_and_store;
	expect_outcome(false, true);
	expect_outcome(true, true);
}

/*
 * Compare-and-swaps that fail.
 */

static void failing_cas(void)
{
	s->r[0] = 7;
	cas_as(&s->y, &s->r[0], 9, SEQ_CST);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/* C11, with memory_order_relaxed on failure, as src/ uses it. */
static void test_failed_cas_orders_nothing(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { mp_writer, failing_cas },
		.outcome = r0_but_not_r1,
		.store = RELEASE,
	};
	allowed();
}

static void late_cas(void)
{
	uint32_t old = 7;

	s->r[0] = load_as(&s->y, RELAXED);
	cas_as(&s->x, &old, 9, SEQ_CST);
	s->r[1] = old;
	done();
}

/* C11: it is a load then, and may load any value that a load may. */
static void test_failed_cas_sees_old_value(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { mp_writer, late_cas },
		.outcome = r0_but_not_r1,
	};
	allowed();
	t.store = RELEASE;
	allowed();
}

static void two_stores(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->x, 0, RELAXED);
	done();
}

static void strong_cas(void)
{
	uint32_t old = 0;

	s->r[0] = cas_as(&s->x, &old, 9, ACQUIRE);
	s->r[1] = old;
	done();
}

/* C11: a strong compare-and-swap fails only if it finds another value. */
static void test_failed_cas_finds_another_value(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { two_stores, strong_cas },
		.outcome = neither,
	};
	forbidden();
}

static bool fails_for_an_old_value(void)
{
	return s->r[2] == 1 && s->r[0] == 0 && s->r[1] == 1;
}

static void two_stores_and_flag(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->x, 0, RELAXED);
	store_as(&s->y, 1, RELAXED);
	done();
}

static void cas_after_flag(void)
{
	uint32_t old = 0;

	s->r[2] = load_as(&s->y, RELAXED);
	s->r[0] = cas_as(&s->x, &old, 9, ACQUIRE);
	s->r[1] = old;
	done();
}

/* C11: so it can fail because it loads the value before the last one. */
static void test_cas_fails_for_an_old_value(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { two_stores_and_flag, cas_after_flag },
		.outcome = fails_for_an_old_value,
	};
	allowed();
}

/*
 * Three CPUs and more.
 */

static void passer(void)
{
	if (load_as(&s->y, t.fence) == 1)
		store_as(&s->z, 1, t.fence2);
	done();
}

static void last_reader(void)
{
	s->r[0] = load_as(&s->z, t.load);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/* C11: happens-before is transitive, and each link of the chain is needed. */
static void test_passed_on(void **state)
{
	uint32_t k;

	(void)state;
	for (k = 0; k <= 4; k++) {
		t = (struct litmus){
			.task = { mp_writer, passer, last_reader },
			.outcome = r0_but_not_r1,
			.store = k == 1 ? RELAXED : RELEASE,
			.fence = k == 2 ? RELAXED : ACQUIRE,
			.fence2 = k == 3 ? RELAXED : RELEASE,
			.load = k == 4 ? RELAXED : ACQUIRE,
		};
		expect_weak(k);
	}
}

static void rmw_between(void)
{
	s->r[2] = add_as(&s->y, 1, t.fence);
	done();
}

static void store_between(void)
{
	s->r[2] = load_as(&s->y, RELAXED);
	store_as(&s->y, 2, t.fence);
	done();
}

static bool sees_second_but_not_first(void)
{
	return s->r[2] == 1 && s->r[0] == 2 && s->r[1] == 0;
}

/*
 * C11: a read-modify-write by another CPU continues a release sequence,
 * whatever its own order.  A store ends it.
 */
static void test_release_sequence(void **state)
{
	static const enum machine_order orders[] = { RELAXED, ACQUIRE, RELEASE,
						     SEQ_CST };
	uint32_t k;

	(void)state;
	t = (struct litmus){
		.task = { mp_writer, rmw_between, mp_reader },
		.outcome = sees_second_but_not_first,
		.store = RELEASE,
		.load = ACQUIRE,
	};
	for (k = 0; k < 4; k++) {
		t.fence = orders[k];
		t.task[1] = rmw_between;
		forbidden();
		t.task[1] = store_between;
		expect_weak(true);
	}
}

static void store_once_more(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->y, 2, RELEASE);
	store_as(&s->y, 1, RELAXED);
	done();
}

/* In C11 the thread's own stores continue it; not in C++20, nor here. */
static void test_release_sequence_of_stores(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { store_once_more, mp_reader },
		.outcome = r0_but_not_r1,
		.load = ACQUIRE,
		.fence = NONE,
	};
	allowed();
}

static void store_x(void)
{
	store_as(&s->x, 1, t.store);
	done();
}

static void store_y(void)
{
	store_as(&s->y, 1, t.store);
	done();
}

static void load_x_y(void)
{
	s->r[0] = load_as(&s->x, t.load);
	fence_as(t.fence);
	s->r[1] = load_as(&s->y, t.load);
	done();
}

static void load_y_x(void)
{
	s->r[2] = load_as(&s->y, t.load);
	fence_as(t.fence);
	s->r[3] = load_as(&s->x, t.load);
	done();
}

static bool they_disagree(void)
{
	return s->r[0] == 1 && s->r[1] == 0 && s->r[2] == 1 && s->r[3] == 0;
}

/*
 * Independent reads of independent writes.  RC11: forbidden with seq_cst
 * throughout, or with fences between the loads.  With seq_cst loads of release
 * stores C++20 forbids it, and so does the model; RC11 does not.
 */
static void test_independent_reads(void **state)
{
	static const struct {
		enum machine_order store;
		enum machine_order load;
		enum machine_order fence;
		bool allowed;
	} cases[] = {
		{ RELAXED, RELAXED, NONE, true },
		{ RELEASE, ACQUIRE, NONE, true },
		{ SEQ_CST, ACQUIRE, NONE, true },
		{ RELAXED, RELAXED, ACQUIRE, true },
		{ RELAXED, RELAXED, SEQ_CST, false },
		{ SEQ_CST, SEQ_CST, NONE, false },
		{ RELEASE, SEQ_CST, NONE, false },
	};
	uint32_t k;

	(void)state;
	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		t = (struct litmus){
			.task = { store_x, store_y, load_x_y, load_y_x },
			.outcome = they_disagree,
			.store = cases[k].store,
			.load = cases[k].load,
			.fence = cases[k].fence,
		};
		expect_weak(cases[k].allowed);
	}
}

/*
 * What C11 allows and the model does not: docs/checker.md, section 4.
 */

static void lb_a(void)
{
	s->r[0] = load_as(&s->x, RELAXED);
	store_as(&s->y, 1, RELAXED);
	done();
}

static void lb_b(void)
{
	s->r[1] = load_as(&s->y, RELAXED);
	store_as(&s->x, 1, RELAXED);
	done();
}

static bool both(void)
{
	return s->r[0] && s->r[1];
}

static void test_no_load_buffering(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { lb_a, lb_b },
		.outcome = both,
	};
	forbidden();
}

static void two_plus_two_a(void)
{
	store_as(&s->x, 1, RELAXED);
	store_as(&s->y, 2, RELAXED);
	done();
}

static void two_plus_two_b(void)
{
	store_as(&s->y, 1, RELAXED);
	store_as(&s->x, 2, RELAXED);
	done();
}

static bool both_first_stores_last(void)
{
	return s->x.v == 1 && s->y.v == 1;
}

static void test_stores_in_order(void **state)
{
	(void)state;
	t = (struct litmus){
		.task = { two_plus_two_a, two_plus_two_b },
		.outcome = both_first_stores_last,
	};
	forbidden();
}

/*
 * What orders memory besides atomics.
 */

static void take(void)
{
	if (t.store == RELAXED)
		machine_ops.lock(NULL);
	else
		machine_spin_lock(&s->lock);
}

static void release(void)
{
	if (t.store == RELAXED)
		machine_ops.unlock(NULL);
	else
		machine_spin_unlock(&s->lock);
}

static void locked_writer(void)
{
	store_as(&s->x, 1, RELAXED);
	if (t.with)
		take();
	store_as(&s->y, 1, RELAXED);
	if (t.with)
		release();
	done();
}

static void locked_reader(void)
{
	take();
	s->r[0] = load_as(&s->y, RELAXED);
	release();
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

static void trying_reader(void)
{
	const bool locked = t.store == RELAXED ? machine_ops.trylock(NULL) :
						 machine_spin_trylock(&s->lock);

	s->r[0] = load_as(&s->y, RELAXED);
	if (locked)
		release();
	s->r[0] = s->r[0] && locked;
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/* As with C11's mutexes; a lock that only one side takes orders nothing. */
static void test_locks(void **state)
{
	static const enum machine_order sleeping = RELAXED;
	static const enum machine_order spinning = SEQ_CST;
	uint32_t k;

	(void)state;
	for (k = 0; k < 8; k++) {
		t = (struct litmus){
			.task = { locked_writer,
				  k & 2 ? trying_reader : locked_reader },
			.outcome = r0_but_not_r1,
			.store = k & 1 ? sleeping : spinning,
			.with = k & 4,
		};
		expect_weak(!t.with);
	}
}

static void flushing_writer(void)
{
	store_as(&s->x, 1, RELAXED);
	if (t.with)
		flush(0);
	store_as(&s->y, 1, RELAXED);
	done();
}

static void flushing_reader(void)
{
	s->r[0] = load_as(&s->y, RELAXED);
	if (t.with)
		flush(0);
	s->r[1] = load_as(&s->x, RELAXED);
	done();
}

/* The view of a CPU with interrupts is kept when its task has ended. */
static void prepare_with_interrupt(void)
{
	prepare();
	machine_interrupt("handler", 0, 1, handler);
}

/*
 * A CPU that answers an inter-processor interrupt sees what the sender did
 * before, and the sender then sees what that CPU did before the answer.
 */
static void test_flush_by_interrupt(void **state)
{
	struct machine_config c;
	uint32_t k;

	(void)state;
	for (k = 0; k < 4; k++) {
		t = (struct litmus){
			.task = { k & 1 ? flushing_writer : mp_writer,
				  k & 1 ? mp_reader : flushing_reader },
			.outcome = r0_but_not_r1,
			.fence = NONE,
			.with = k & 2,
		};
		c = config(true);
		c.ipi = true;
		if (t.with)
			expect_clean(prepare_with_interrupt, &c);
		else
			expect_seen(prepare_with_interrupt, &c);
	}
}

/*
 * Data, translations, and cleaned lines.  In C11 these are data races, which
 * are undefined, or do not exist.
 */

static bool no_outcome(void)
{
	return false;
}

static void data_writer(void)
{
	machine_store(at(0, 1), 0x31);
	store_as(&s->y, 1, t.store);
	done();
}

static void data_reader(void)
{
	if (load_as(&s->y, t.load))
		machine_load(at(0, 1));
	done();
}

static void data_overwriter(void)
{
	if (load_as(&s->y, t.load))
		machine_store(at(0, 1), 0x32);
	done();
}

static void data_cleaner(void)
{
	if (load_as(&s->y, t.load)) {
		machine_ops.cache_clean_inval(NULL, at(0, 0), page_bytes());
		clear(0);
	}
	done();
}

static void prepare_data(void)
{
	prepare();
	set(0, 0);
}

static void translation_writer(void)
{
	set(0, 0);
	store_as(&s->y, 1, t.store);
	done();
}

static void expect_order(void (*prepare_it)(void), enum pkmap_cache_kind kind,
			 int invariant, enum verdict verdict)
{
	struct machine_config c;
	uint32_t k;

	t.outcome = no_outcome;
	for (k = 0; k < 4; k++) {
		t.store = k & 1 ? RELEASE : RELAXED;
		t.load = k & 2 ? ACQUIRE : RELAXED;
		c = config(true);
		c.cache.kind = kind;
		if (k == 3)
			expect_clean(prepare_it, &c);
		else
			expect(prepare_it, &c, invariant, verdict);
		c.weak_memory = false;
		expect_clean(prepare_it, &c);
	}
}

static void test_data(void **state)
{
	(void)state;
	t = (struct litmus){ .task = { data_writer, data_reader } };
	expect_order(prepare_data, PKMAP_CACHE_PIPT, 2, VERDICT_STALE_READ);
	t.task[1] = data_overwriter;
	expect_order(prepare_data, PKMAP_CACHE_PIPT, 1, VERDICT_DATA_LOSS);
}

static void flush_and_read(void)
{
	if (!load_as(&s->y, RELAXED))
		return;
	flush(0);
	machine_load(at(0, 1));
}

/* A flush makes up for missing order: the walker reads the page table again. */
static void test_translation(void **state)
{
	struct machine_config c;

	(void)state;
	t = (struct litmus){ .task = { translation_writer, data_reader } };
	expect_order(prepare, PKMAP_CACHE_PIPT, 4, VERDICT_BROKEN);
	t.task[1] = flush_and_read;
	t.store = RELAXED;
	c = config(true);
	expect_clean(prepare, &c);
}

/* A store may still be in a store buffer when its line is cleaned. */
static void test_cleaning(void **state)
{
	(void)state;
	t = (struct litmus){ .task = { data_writer, data_cleaner } };
	expect_order(prepare_data, PKMAP_CACHE_VIVT, 1, VERDICT_DATA_LOSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_passing),
		cmocka_unit_test(test_message_passing_on_one_cpu),
		cmocka_unit_test(test_interrupt_sees_its_cpu),
		cmocka_unit_test(test_message_passing_by_fences),
		cmocka_unit_test(test_message_passing_by_rmw),
		cmocka_unit_test(test_store_buffering),
		cmocka_unit_test(test_waiters),
		cmocka_unit_test(test_coherence_of_loads),
		cmocka_unit_test(test_coherence_of_stores),
		cmocka_unit_test(test_rmw_is_atomic),
		cmocka_unit_test(test_failed_cas_orders_nothing),
		cmocka_unit_test(test_failed_cas_sees_old_value),
		cmocka_unit_test(test_failed_cas_finds_another_value),
		cmocka_unit_test(test_cas_fails_for_an_old_value),
		cmocka_unit_test(test_passed_on),
		cmocka_unit_test(test_release_sequence),
		cmocka_unit_test(test_release_sequence_of_stores),
		cmocka_unit_test(test_independent_reads),
		cmocka_unit_test(test_no_load_buffering),
		cmocka_unit_test(test_stores_in_order),
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_flush_by_interrupt),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_cleaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
