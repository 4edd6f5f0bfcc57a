// SPDX-License-Identifier: MIT
/*
 * Threads that are cancelled: no call of the library is a cancellation point.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "posix_test.h"

/* Calls that return no error code are turned into 0 or -1. */
struct step {
	const char *name;
	int result;
	int (*call)(void);
};

static struct pkmap_posix *port;
static struct pkmap_window *win;
static void *addr[2];

static int open_memfd(void)
{
	const struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.nslots = 2,
	};
	int err = pkmap_posix_open(&config, &port);

	if (!err)
		win = pkmap_posix_window(port);
	return err;
}

static int max_slots(void)
{
	const struct pkmap_posix_config config = { .fd = -1, .npages = 8 };

	return pkmap_posix_max_slots(&config) ? 0 : -1;
}

static int directory;

/* Fails when it has a duplicate of the descriptor, and must close it. */
static int open_directory(void)
{
	const struct pkmap_posix_config config = { .fd = directory };
	struct pkmap_posix *none;

	return pkmap_posix_open(&config, &none);
}

static int map(void)
{
	return pkmap_map(win, 0, NULL, &addr[0]);
}

static int reclaim(void)
{
	pkmap_pfn pfn;
	int err = 0;

	for (pfn = 1; !err && pfn < 8; pfn++) {
		err = pkmap_map(win, pfn, NULL, &addr[1]);
		if (!err && pfn < 7)
			err = pkmap_unmap(win, addr[1]);
	}
	return err;
}

static int wait_for_slot(void)
{
	const struct pkmap_wait wait = {
		.deadline = pkmap_posix_deadline(1000),
	};
	void *none;

	return pkmap_map(win, 3, &wait, &none);
}

static int local_map(void)
{
	void *local;
	int err = pkmap_local_map(win, 5, &local);

	return err ? err : pkmap_local_unmap(win, local);
}

static int use_dma(void)
{
	const struct pkmap_dma_device dev = { .addr_mask = UINT64_MAX };
	const struct pkmap_dma_buffer buf = { .pfn = 6, .len = 64 };
	struct pkmap_dma_segment seg;
	int n = pkmap_dma_map(pkmap_posix_dma(port), &dev, &buf, 1,
			      PKMAP_DMA_TO_DEVICE, &seg, 1);

	if (n < 0)
		return n;
	return pkmap_dma_unmap(pkmap_posix_dma(port), &dev, &buf, 1,
			       PKMAP_DMA_TO_DEVICE);
}

static int sync_file(void)
{
	return pkmap_posix_sync(port);
}

/* Prints a line on standard error; write() would be a cancellation point. */
static int misuse(void)
{
	return pkmap_unmap(win, NULL);
}

static int unmap(void)
{
	int err = pkmap_unmap(win, addr[0]);

	return err ? err : pkmap_unmap(win, addr[1]);
}

static int flush(void)
{
	return pkmap_flush_unused(win) == 2 ? 0 : -1;
}

static int close_port(void)
{
	return pkmap_posix_close(port);
}

static const struct step steps[] = {
	{ "open a memfd", 0, open_memfd },
	{ "open a directory", PKMAP_EIO, open_directory },
	{ "most slots", 0, max_slots },
	{ "map", 0, map },
	{ "reclaim", 0, reclaim },
	{ "wait", PKMAP_ETIMEDOUT, wait_for_slot },
	{ "local map", 0, local_map },
	{ "DMA", 0, use_dma },
	{ "sync", 0, sync_file },
	{ "misuse", PKMAP_ERANGE, misuse },
	{ "close, in use", PKMAP_EBUSY, close_port },
	{ "unmap", 0, unmap },
	{ "flush", 0, flush },
	{ "close", 0, close_port },
};

#define NSTEPS (sizeof(steps) / sizeof(*steps))

static atomic_uint step_at;
static int results[NSTEPS];

/* Is cancelled at the first cancellation point: pthread_testcancel(). */
static void *all_steps(void *arg)
{
	unsigned int k;

	pthread_cancel(pthread_self());
	for (k = 0; k < NSTEPS; k++) {
		results[k] = steps[k].call();
		atomic_store(&step_at, k + 1);
	}
	pthread_testcancel();
	return arg;
}

static void test_no_cancellation_point(void **state)
{
	int was = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pthread_t thread;
	unsigned int k;
	void *end;

	(void)state;
	directory = open("/", O_RDONLY | O_CLOEXEC);
	assert_true(was >= 0 && null >= 0 && directory >= 0);
	assert_int_equal(dup2(null, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(pthread_create(&thread, NULL, all_steps, NULL), 0);
	assert_int_equal(pthread_join(thread, &end), 0);
	dup2(was, STDERR_FILENO);
	close(was);
	close(null);
	close(directory);

	k = atomic_load(&step_at);
	if (k < NSTEPS)
		fail_msg("cancelled in: %s", steps[k].name);
	for (k = 0; k < NSTEPS; k++)
		if (results[k] != steps[k].result)
			fail_msg("%s: %d", steps[k].name, results[k]);
	assert_ptr_equal(end, PTHREAD_CANCELED);
}

static void *wait_without_end(void *arg)
{
	int *result = arg;
	void *page;

	*result = pkmap_map(win, 3, NULL, &page);
	if (!*result)
		*result = pkmap_unmap(win, page);
	pthread_testcancel();
	return NULL;
}

/* A thread cancelled while it waits keeps waiting, and gets its page. */
static void test_cancelled_waiter(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.nslots = 1,
	};
	struct pkmap_stats stats;
	pthread_t thread;
	struct home h;
	int result = 1;
	void *held;
	void *end;

	(void)state;
	home_open(&h, &config);
	win = h.win;
	held = must_map(win, 1);
	assert_int_equal(
		pthread_create(&thread, NULL, wait_without_end, &result), 0);
	do {
		sched_yield();
		pkmap_read_stats(win, &stats);
	} while (!stats.waits);
	assert_int_equal(pthread_cancel(thread), 0);
	must_unmap(win, held);
	assert_int_equal(pthread_join(thread, &end), 0);
	assert_ptr_equal(end, PTHREAD_CANCELED);
	assert_int_equal(result, 0);
	home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_cancellation_point),
		cmocka_unit_test(test_cancelled_waiter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
