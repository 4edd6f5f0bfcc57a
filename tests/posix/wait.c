// SPDX-License-Identifier: MIT
/*
 * Waiting for a slot: deadlines, signals, and being woken, from a handler too.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "posix_test.h"

static const struct pkmap_posix_config one_slot = {
	.fd = -1,
	.npages = 16,
	.nslots = 1,
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void test_deadline(void **state)
{
	uint64_t before = now();
	uint64_t deadline = pkmap_posix_deadline(5);
	uint64_t after = now();

	(void)state;
	assert_in_range(deadline, before + 5, after + 5);
	assert_true(pkmap_posix_deadline(UINT64_MAX - after - 1000000000000u) <
		    PKMAP_NO_DEADLINE);
	assert_true(pkmap_posix_deadline(UINT64_MAX - before) ==
		    PKMAP_NO_DEADLINE);
	assert_true(pkmap_posix_deadline(UINT64_MAX) == PKMAP_NO_DEADLINE);
}

static void test_times_out(void **state)
{
	struct pkmap_wait wait = { 0 };
	struct pkmap_stats stats;
	struct home h;
	void *addr;
	char *held;

	(void)state;
	home_open(&h, &one_slot);
	held = must_map(h.win, 1);
	assert_int_equal(pkmap_map(h.win, 2, &wait, &addr), PKMAP_ETIMEDOUT);

	/* Not before the deadline. */
	errno = 4711;
	wait.deadline = pkmap_posix_deadline(20 * 1000 * 1000);
	assert_int_equal(pkmap_map(h.win, 2, &wait, &addr), PKMAP_ETIMEDOUT);
	assert_true(now() >= wait.deadline);
	assert_int_equal(errno, 4711);
	pkmap_read_stats(h.win, &stats);
	assert_int_equal(stats.waits, 2);

	wait.deadline = PKMAP_NO_DEADLINE;
	wait.flags = PKMAP_WAIT_NEVER;
	assert_int_equal(pkmap_map(h.win, 2, &wait, &addr), PKMAP_EAGAIN);
	must_unmap(h.win, held);
	assert_int_equal(pkmap_map(h.win, 2, &wait, &addr), 0);
	must_unmap(h.win, addr);
	home_close(&h);
}

/* A thread that maps page 2 and unmaps it again. */
struct waiter {
	pthread_t thread;
	struct home *home;
	struct pkmap_wait wait;
	atomic_bool done;
	int result;
	int errno_after;
};

static void *wait_for_slot(void *arg)
{
	struct waiter *w = arg;
	void *addr;

	errno = 4711;
	w->result = pkmap_map(w->home->win, 2, &w->wait, &addr);
	w->errno_after = errno;
	if (!w->result)
		w->result = pkmap_unmap(w->home->win, addr);
	atomic_store(&w->done, true);
	return NULL;
}

static void start(struct waiter *w, struct home *home, uint32_t flags,
		  uint64_t deadline)
{
	struct pkmap_stats stats;

	w->home = home;
	w->wait.flags = flags;
	w->wait.deadline = deadline;
	atomic_init(&w->done, false);
	assert_int_equal(pthread_create(&w->thread, NULL, wait_for_slot, w), 0);
	/* It has counted itself as waiting: it sleeps, or is about to. */
	do {
		sched_yield();
		pkmap_read_stats(home->win, &stats);
	} while (!stats.waits);
}

static void finish(struct waiter *w, int result)
{
	assert_int_equal(pthread_join(w->thread, NULL), 0);
	assert_int_equal(w->result, result);
	assert_int_equal(w->errno_after, 4711);
}

static atomic_uint handled;
static struct pkmap_window *handler_win;
static void *handler_addr;

static void count_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

static void unmap_in_handler(int sig)
{
	int saved = errno;

	(void)sig;
	errno = 4712;
	if (!pkmap_unmap(handler_win, handler_addr) && errno == 4712)
		atomic_fetch_add(&handled, 1);
	errno = saved;
}

static void set_handler(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	atomic_store(&handled, 0);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
}

/*
 * With each kind of handler, with a deadline and without.  Signals are sent
 * until one hits the sleep.
 */
static void test_interrupted(void **state)
{
	struct waiter w;
	struct home h;
	char *held;
	int k;

	(void)state;
	for (k = 0; k < 4; k++) {
		home_open(&h, &one_slot);
		held = must_map(h.win, 1);
		set_handler(count_signal, k % 2 ? SA_RESTART : 0);
		start(&w, &h, PKMAP_WAIT_INTERRUPTIBLE,
		      k / 2 ? PKMAP_NO_DEADLINE :
			      pkmap_posix_deadline(3600 *
						   UINT64_C(1000000000)));
		while (!atomic_load(&w.done)) {
			assert_int_equal(pthread_kill(w.thread, SIGUSR1), 0);
			sched_yield();
		}
		finish(&w, PKMAP_EINTR);
		must_unmap(h.win, held);
		home_close(&h);
	}
}

/*
 * A signal ends the sleep, and the map goes back to sleep, which is counted.
 * The test cannot wait for the handler to run: ThreadSanitizer defers it while
 * the thread is in a system call that it does not know.
 */
static void test_not_interruptible(void **state)
{
	struct pkmap_stats stats;
	struct waiter w;
	struct home h;
	char *held;

	(void)state;
	home_open(&h, &one_slot);
	held = must_map(h.win, 1);
	set_handler(count_signal, 0);
	start(&w, &h, 0, PKMAP_NO_DEADLINE);
	do {
		assert_int_equal(pthread_kill(w.thread, SIGUSR1), 0);
		sched_yield();
		pkmap_read_stats(h.win, &stats);
	} while (stats.waits < 100 && !atomic_load(&w.done));
	assert_false(atomic_load(&w.done));
	must_unmap(h.win, held);
	finish(&w, 0);
	home_close(&h);
}

static void test_woken_by_handler(void **state)
{
	struct waiter w;
	struct home h;

	(void)state;
	home_open(&h, &one_slot);
	handler_win = h.win;
	handler_addr = must_map(h.win, 1);
	set_handler(unmap_in_handler, 0);
	start(&w, &h, 0, PKMAP_NO_DEADLINE);
	assert_int_equal(raise(SIGUSR1), 0);
	finish(&w, 0);
	assert_int_equal(atomic_load(&handled), 1);
	home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_times_out),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_not_interruptible),
		cmocka_unit_test(test_woken_by_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
