// SPDX-License-Identifier: MIT
/*
 * Threads as CPUs: how many there can be at the same time, and that no CPU is
 * lost, whatever instruction a handler interrupts.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <ucontext.h>

#include "ports/posix/posix_priv.h"
#include "posix_test.h"

#define NCPUS PKMAP_POSIX_NCPUS

static struct home home;

/* A thread that opens a local map when told to, and closes it when told to. */
struct holder {
	pthread_t thread;
	struct pkmap_window *win;
	pkmap_pfn pfn;
	sem_t step;
	atomic_int steps;  /* taken; odd: it has a local map */
	atomic_int result; /* of the last step */
};

static struct holder holders[NCPUS];

static void *hold(void *arg)
{
	struct holder *h = arg;
	void *addr = NULL;
	int n;

	for (n = 0; n < INT32_MAX; n++) {
		while (sem_wait(&h->step) < 0)
			;
		if (h->pfn == PKMAP_NO_PFN)
			break;
		h->result = n % 2 ? pkmap_local_unmap(h->win, addr) :
				    pkmap_local_map(h->win, h->pfn, &addr);
		atomic_fetch_add(&h->steps, 1);
	}
	return NULL;
}

/* Async-signal-safe. */
static void step_holder(struct holder *h)
{
	int before = atomic_load(&h->steps);

	sem_post(&h->step);
	while (atomic_load(&h->steps) == before)
		sched_yield();
}

/* With a small stack: a 32-bit process must have room for a thousand. */
static void start_holder(struct holder *h, struct pkmap_window *win,
			 pkmap_pfn pfn)
{
	pthread_attr_t attr;

	h->win = win;
	h->pfn = pfn;
	atomic_init(&h->steps, 0);
	assert_int_equal(sem_init(&h->step, 0, 0), 0);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstacksize(&attr, 1 << 18), 0);
	assert_int_equal(pthread_create(&h->thread, &attr, hold, h), 0);
	pthread_attr_destroy(&attr);
}

static void stop_holder(struct holder *h)
{
	h->pfn = PKMAP_NO_PFN;
	sem_post(&h->step);
	assert_int_equal(pthread_join(h->thread, NULL), 0);
	sem_destroy(&h->step);
}

static void start_holders(void)
{
	unsigned int k;

	for (k = 0; k < NCPUS; k++)
		start_holder(&holders[k], home.win, k);
}

static void step_holders(void)
{
	unsigned int k;

	for (k = 0; k < NCPUS; k++) {
		step_holder(&holders[k]);
		assert_int_equal(atomic_load(&holders[k].result), 0);
	}
}

static void stop_holders(void)
{
	unsigned int k;

	for (k = 0; k < NCPUS; k++)
		stop_holder(&holders[k]);
}

/* Fails if a number was lost, since it uses all of them. */
static void all_cpus_free(void)
{
	start_holders();
	step_holders();
	step_holders();
	stop_holders();
}

static int open_home(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 2 * NCPUS,
		.nslots = 1,
		.local_slots = 4,
		.strict = true,
	};
	pkmap_pfn pfn;
	char *addr;

	(void)state;
	home_open(&home, &config);
	for (pfn = 0; pfn < 2 * NCPUS; pfn++) {
		addr = must_map(home.win, pfn);
		*addr = (char)pfn;
		must_unmap(home.win, addr);
	}
	return 0;
}

static int close_home(void **state)
{
	(void)state;
	home_close(&home);
	return 0;
}

/* Gives a page to a device and takes it back. */
static int use_dma(pkmap_pfn pfn)
{
	const struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	const struct pkmap_dma_buffer buf = { .pfn = pfn, .len = 64 };
	struct pkmap_dma_segment seg;
	int n = pkmap_dma_map(home.dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE,
			      &seg, 1);

	if (n < 0)
		return n;
	return pkmap_dma_unmap(home.dma, &dev, &buf, 1, PKMAP_DMA_TO_DEVICE);
}

static void test_all_cpus(void **state)
{
	char *mapped;
	void *addr;

	(void)state;
	start_holders();
	step_holders();

	/* For a page that is not mapped, a DMA call needs a CPU. */
	mapped = must_map(home.win, 101);
	assert_int_equal(use_dma(101), 0);
	must_unmap(home.win, mapped);
	errno = 4711;
	assert_int_equal(use_dma(100), PKMAP_EBUSY);
	assert_int_equal(errno, 4711);

	errno = 4711;
	assert_int_equal(pkmap_local_map(home.win, 100, &addr), PKMAP_EBUSY);
	assert_int_equal(errno, 4711);
	assert_int_equal(home.reports, 0);

	/* Any thread that leaves makes room. */
	step_holder(&holders[17]);
	assert_int_equal(use_dma(100), 0);
	assert_int_equal(pkmap_local_map(home.win, 100, &addr), 0);
	assert_int_equal(*(char *)addr, 100);
	step_holder(&holders[17]);
	assert_int_equal(holders[17].result, PKMAP_EBUSY);
	assert_int_equal(pkmap_local_unmap(home.win, addr), 0);

	step_holder(&holders[17]);
	assert_int_equal(holders[17].result, PKMAP_EINVAL);
	step_holder(&holders[17]);
	assert_int_equal(holders[17].result, 0);
	step_holders();
	stop_holders();
	all_cpus_free();
}

/* Checks that another thread gets no CPU. */
static void check_refused_elsewhere(struct pkmap_window *win)
{
	struct holder h;

	start_holder(&h, win, 1);
	step_holder(&h);
	assert_int_equal(h.result, PKMAP_EBUSY);
	stop_holder(&h);
}

/*
 * A window has CPUs of its own: while all CPUs of one window are taken, two
 * threads use another that has two.  A third thread gets none.
 */
static void test_cpus_of_its_own(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.ncpus = 2,
	};
	struct holder second;
	struct home other;
	void *addr;

	(void)state;
	home_open(&other, &config);
	start_holders();
	step_holders();
	start_holder(&second, other.win, 3);
	step_holder(&second);
	assert_int_equal(second.result, 0);

	assert_int_equal(pkmap_local_map(other.win, 5, &addr), 0);
	check_refused_elsewhere(other.win);
	assert_int_equal(pkmap_local_unmap(other.win, addr), 0);

	step_holder(&second);
	assert_int_equal(second.result, 0);
	stop_holder(&second);
	step_holders();
	stop_holders();
	assert_int_equal(other.reports, 0);
	home_close(&other);
}

/*
 * The most threads that can have local maps open, in all windows together.  One
 * more gets no number, although its window has a CPU for it.
 */
static void test_all_threads(void **state)
{
	static struct holder many[PKMAP_POSIX_THREADS];
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.ncpus = PKMAP_POSIX_THREADS,
		.local_slots = 1,
		.dma_slots = PKMAP_POSIX_NONE,
	};
	struct home other;
	unsigned int k;

	(void)state;
	home_open(&other, &config);
	for (k = 0; k < PKMAP_POSIX_THREADS; k++) {
		start_holder(&many[k], other.win, k % 8);
		step_holder(&many[k]);
		assert_int_equal(many[k].result, 0);
	}
	check_refused_elsewhere(home.win);

	step_holder(&many[0]);
	assert_int_equal(use_dma(100), 0);
	for (k = 0; k < PKMAP_POSIX_THREADS; k++) {
		if (k)
			step_holder(&many[k]);
		assert_int_equal(many[k].result, 0);
		stop_holder(&many[k]);
	}
	assert_int_equal(other.reports, 0);
	home_close(&other);
}

/* Opens local maps of pages 1 and 2 in each of two windows. */
static void open_four(struct pkmap_window *const *win)
{
	void *addr;
	unsigned int k;

	for (k = 0; k < 4; k++)
		if (pkmap_local_map(win[k / 2], 1 + k % 2, &addr))
			abort();
}

static void *leave_open(void *win)
{
	open_four(win);
	return NULL;
}

static void *be_cancelled(void *win)
{
	open_four(win);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return NULL;
}

static void *be_cancelled_at_once(void *win)
{
	int old;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	open_four(win);
	pthread_cancel(pthread_self());
	abort();
}

static struct pkmap_window **handler_win;

static void open_four_in_handler(int sig)
{
	(void)sig;
	open_four(handler_win);
}

static void *leave_open_in_handler(void *win)
{
	struct sigaction action = { .sa_handler = open_four_in_handler };

	handler_win = win;
	if (sigaction(SIGUSR1, &action, NULL))
		abort();
	raise(SIGUSR1);
	return NULL;
}

/*
 * More threads than there are numbers end with local maps open.  Each thread's
 * maps are reported before pthread_join() returns.
 */
static void check_end(struct pkmap_window **win, struct home *other,
		      void *(*end)(void *win))
{
	unsigned int before = home.reports;
	unsigned int k;
	pthread_t thread;

	assert_int_equal(other->reports, before);
	for (k = 1; k <= PKMAP_POSIX_THREADS + 1; k++) {
		assert_int_equal(pthread_create(&thread, NULL, end, win), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(home.reports, before + 2 * k);
		assert_int_equal(other->reports, before + 2 * k);
	}
	assert_int_equal(home.misuse, PKMAP_MISUSE_LOCAL_LEFT);
	assert_int_equal(pkmap_forget(win[0], 1, 2, PKMAP_NOWAIT), 0);
}

static void test_threads_that_end(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.ncpus = 1,
	};
	struct pkmap_window *win[2];
	struct home other;
	char *mapped;

	(void)state;
	home_open(&other, &config);
	home.reports = 0;
	win[0] = home.win;
	win[1] = other.win;
	mapped = must_map(other.win, 2);
	check_end(win, &other, leave_open);
	check_end(win, &other, be_cancelled);
	check_end(win, &other, be_cancelled_at_once);
	check_end(win, &other, leave_open_in_handler);
	must_unmap(other.win, mapped);
	home_close(&other);
	all_cpus_free();
}

/* A thread that waits for a page is woken when the page's user ends. */
static void *forget_page(void *arg)
{
	return pkmap_forget(home.win, 1, 1, NULL) ? arg : NULL;
}

static void *end_when_waited_for(void *arg)
{
	struct pkmap_stats stats;
	void *addr;

	if (pkmap_local_map(home.win, 1, &addr))
		return arg;
	sem_post(arg);
	do {
		sched_yield();
		pkmap_read_stats(home.win, &stats);
	} while (!stats.waits);
	return NULL;
}

static void test_end_wakes(void **state)
{
	pthread_t holder;
	pthread_t waiter;
	void *failed;
	sem_t open;

	(void)state;
	assert_int_equal(sem_init(&open, 0, 0), 0);
	assert_int_equal(
		pthread_create(&holder, NULL, end_when_waited_for, &open), 0);
	sem_wait(&open);
	assert_int_equal(pthread_create(&waiter, NULL, forget_page, &open), 0);
	assert_int_equal(pthread_join(waiter, &failed), 0);
	assert_null(failed);
	assert_int_equal(pthread_join(holder, &failed), 0);
	assert_null(failed);
	sem_destroy(&open);
}

/* A thread is a CPU of each window; each has slots of its own. */
static void test_two_windows(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.local_slots = 1,
	};
	struct home other;
	void *addr[3];

	(void)state;
	home_open(&other, &config);
	assert_int_equal(pkmap_local_map(home.win, 1, &addr[0]), 0);
	assert_int_equal(pkmap_local_map(other.win, 1, &addr[1]), 0);
	assert_int_equal(pkmap_local_map(other.win, 2, &addr[2]), PKMAP_EBUSY);
	assert_int_equal(other.misuse, PKMAP_MISUSE_LOCAL_DEPTH);

	/* Windows need not be left in order. */
	assert_int_equal(pkmap_local_unmap(home.win, addr[0]), 0);
	assert_int_equal(pkmap_local_map(other.win, 2, &addr[2]), PKMAP_EBUSY);
	assert_int_equal(pkmap_posix_close(other.port), PKMAP_EBUSY);
	assert_int_equal(pkmap_local_unmap(other.win, addr[1]), 0);
	assert_int_equal(pkmap_local_map(other.win, 2, &addr[2]), 0);
	assert_int_equal(pkmap_local_unmap(other.win, addr[2]), 0);
	home_close(&other);
	all_cpus_free();
}

/* Checks what a local map shows.  Returns PKMAP_EBUSY if no CPU is free. */
static int use_local(pkmap_pfn pfn)
{
	void *addr;
	int err = pkmap_local_map(home.win, pfn, &addr);

	if (err)
		return err;
	if (*(char *)addr != (char)pfn)
		return PKMAP_EIO;
	return pkmap_local_unmap(home.win, addr);
}

static atomic_int handler_errors;
static atomic_uint handled;

static void local_in_handler(int sig)
{
	int saved = errno;

	(void)sig;
	if (use_local(101))
		atomic_fetch_add(&handler_errors, 1);
	atomic_fetch_add(&handled, 1);
	errno = saved;
}

static void test_signals(void **state)
{
	struct sigaction action = { .sa_handler = local_in_handler };
	struct itimerval often = {
		.it_interval.tv_usec = 50,
		.it_value.tv_usec = 50,
	};
	struct itimerval never = { 0 };

	(void)state;
	atomic_store(&handled, 0);
	atomic_store(&handler_errors, 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (atomic_load(&handled) < 5000)
		assert_int_equal(use_local(100), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(atomic_load(&handler_errors), 0);
	all_cpus_free();
}

#if defined(__x86_64__) && !defined(SANITIZED)

#define TRAP_FLAG 0x100
#define LEVELS	  2

/*
 * A call is single-stepped, and after @left more steps a handler calls @f.  In
 * turn @f may step a call, one level up.
 */
static volatile struct stepping {
	sig_atomic_t on;
	sig_atomic_t reached;
	unsigned int left;
	void (*f)(void);
} stepping[LEVELS];

static volatile sig_atomic_t level;

static void step_handler(int sig, siginfo_t *info, void *context)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
	volatile struct stepping *s = &stepping[level];
	int saved = errno;

	(void)sig;
	(void)info;
	if (!s->on) {
		*flags &= ~TRAP_FLAG;
		return;
	}
	*flags |= TRAP_FLAG;
	if (s->left) {
		s->left--;
		return;
	}
	s->on = false;
	s->reached = true;
	level++;
	s->f();
	level--;
	errno = saved;
}

static void catch_steps(void)
{
	struct sigaction action = {
		.sa_sigaction = step_handler,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	assert_int_equal(sigaction(SIGTRAP, &action, NULL), 0);
	atomic_store(&handler_errors, 0);
}

static void start_steps(unsigned int at, void (*f)(void))
{
	volatile struct stepping *s = &stepping[level];

	s->left = at;
	s->f = f;
	s->reached = false;
	s->on = true;
	/* Sets the trap flag, without touching the stack's red zone. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "orq %0, (%%rsp)\n\t"
			 "popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 :
			 : "i"(TRAP_FLAG)
			 : "memory", "cc");
}

/* Returns whether there were that many steps. */
static bool end_steps(void)
{
	volatile struct stepping *s = &stepping[level];

	s->on = false;
	return s->reached;
}

static bool use_local_stepped(unsigned int at, void (*f)(void), int *err)
{
	start_steps(at, f);
	*err = use_local(100);
	return end_steps();
}

static void local_at_step(void)
{
	if (use_local(101))
		atomic_fetch_add(&handler_errors, 1);
}

static void test_every_instruction(void **state)
{
	unsigned int at = 0;
	int err;

	(void)state;
	catch_steps();
	while (use_local_stepped(at++, local_at_step, &err)) {
		assert_int_equal(err, 0);
		assert_int_equal(atomic_load(&handler_errors), 0);
	}
	assert_true(at > 100);
	all_cpus_free();
}

/*
 * The number must stay the same until it is given back.  (local_enter() borrows
 * twice, and would take the square of the steps.)
 */
static void enter_and_leave(void)
{
	static struct pkmap_posix_borrower b;
	struct pkmap_posix *p = home.port;
	int number = pkmap_posix_borrow(&b, p->cpus, p->ncpus);

	if (number < 0 || atomic_load(&b.number) != number + 1)
		atomic_fetch_add(&handler_errors, 1);
	pkmap_posix_give_back(&b, p->cpus);
}

static unsigned int inner_at;
static bool inner_reached;

static void enter_and_leave_stepped(void)
{
	start_steps(inner_at, enter_and_leave);
	enter_and_leave();
	inner_reached = end_steps();
}

/* A handler interrupts a handler, at every pair of instructions. */
static void test_every_two_instructions(void **state)
{
	unsigned int outer_at = 0;
	unsigned int pairs = 0;
	bool outer_reached;

	(void)state;
	catch_steps();
	do {
		inner_at = 0;
		do {
			inner_reached = false;
			start_steps(outer_at, enter_and_leave_stepped);
			enter_and_leave();
			outer_reached = end_steps();
			inner_at++;
			pairs++;
			assert_int_equal(atomic_load(&handler_errors), 0);
		} while (inner_reached);
		outer_at++;
	} while (outer_reached);
	assert_true(pairs > 1000);
	all_cpus_free();
}

/* No number is free until this handler makes one free, and uses it. */
static void leave_at_step(void)
{
	step_holder(&holders[5]);
	local_at_step();
}

static void test_every_instruction_when_full(void **state)
{
	unsigned int refused = 0;
	unsigned int at = 0;
	int err;

	(void)state;
	catch_steps();
	start_holders();
	step_holders();
	while (use_local_stepped(at++, leave_at_step, &err)) {
		assert_true(!err || err == PKMAP_EBUSY);
		refused += err != 0;
		/* The holder has left; it takes a CPU again. */
		assert_int_equal(atomic_load(&holders[5].steps) % 2, 0);
		step_holder(&holders[5]);
		assert_int_equal(atomic_load(&holders[5].result), 0);
	}
	assert_int_equal(err, PKMAP_EBUSY);
	assert_in_range(refused, 1, at - 2);
	assert_int_equal(atomic_load(&handler_errors), 0);
	step_holders();
	stop_holders();
	all_cpus_free();
}

#else

static void test_every_instruction(void **state)
{
	(void)state;
	skip_because("single steps: on x86-64, without sanitizers");
}

static void test_every_two_instructions(void **state)
{
	(void)state;
	skip_because("single steps: on x86-64, without sanitizers");
}

static void test_every_instruction_when_full(void **state)
{
	(void)state;
	skip_because("single steps: on x86-64, without sanitizers");
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_cpus),
		cmocka_unit_test(test_cpus_of_its_own),
		cmocka_unit_test(test_all_threads),
		cmocka_unit_test(test_threads_that_end),
		cmocka_unit_test(test_end_wakes),
		cmocka_unit_test(test_two_windows),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_every_instruction),
		cmocka_unit_test(test_every_two_instructions),
		cmocka_unit_test(test_every_instruction_when_full),
	};

	return cmocka_run_group_tests(tests, open_home, close_home);
}
