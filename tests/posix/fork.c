// SPDX-License-Identifier: MIT
/*
 * fork(): the child can use its own window onto the same frames at once, even
 * if another thread of the parent was in the middle of a reclaim.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix_test.h"

#define NSLOTS 4

struct family {
	struct home home;
	char *held; /* page 1, mapped before the fork */
};

static int use_window(void *arg)
{
	struct family *f = arg;
	void *addr;
	pkmap_pfn pfn;

	CHILD_CHECK(pkmap_pfn_to_addr(f->home.win, 1) == f->held);
	CHILD_CHECK(!strcmp(f->held, "parent"));
	strcpy(f->held, "child");

	/* Reuses every slot; the parent keeps its own mappings. */
	for (pfn = 2; pfn < 32; pfn++) {
		CHILD_CHECK(pkmap_map(f->home.win, pfn, NULL, &addr) == 0);
		*(char *)addr = (char)pfn;
		CHILD_CHECK(pkmap_unmap(f->home.win, addr) == 0);
	}
	CHILD_CHECK(pkmap_local_map(f->home.win, 40, &addr) == 0);
	*(char *)addr = 40;
	CHILD_CHECK(pkmap_local_unmap(f->home.win, addr) == 0);

	CHILD_CHECK(pkmap_posix_close(f->home.port) == PKMAP_EBUSY);
	CHILD_CHECK(pkmap_unmap(f->home.win, f->held) == 0);
	CHILD_CHECK(pkmap_posix_close(f->home.port) == 0);
	return 0;
}

static void test_child_has_its_own(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 64,
		.nslots = NSLOTS,
		.strict = true,
	};
	struct family f;
	char *idle;
	char *addr;
	pkmap_pfn pfn;

	(void)state;
	home_open(&f.home, &config);
	f.held = must_map(f.home.win, 1);
	strcpy(f.held, "parent");
	idle = must_map(f.home.win, 60);
	strcpy(idle, "idle");
	must_unmap(f.home.win, idle);
	assert_int_equal(run_in_child(use_window, &f), 0);

	/* In the parent, only what the child stored has changed. */
	assert_ptr_equal(pkmap_pin(f.home.win, 1), f.held);
	must_unmap(f.home.win, f.held);
	assert_string_equal(f.held, "child");
	assert_ptr_equal(pkmap_pin(f.home.win, 60), idle);
	assert_string_equal(idle, "idle");
	must_unmap(f.home.win, idle);
	must_unmap(f.home.win, f.held);
	for (pfn = 2; pfn <= 40; pfn++) {
		addr = must_map(f.home.win, pfn);
		assert_int_equal(*addr, pfn < 32 || pfn == 40 ? (char)pfn : 0);
		must_unmap(f.home.win, addr);
	}
	home_close(&f.home);
}

/* A thread that keeps reclaiming, in one window after the other. */
struct reclaimer {
	struct home home[2];
	atomic_bool stop;
	atomic_uint rounds;
};

static void *reclaim(void *arg)
{
	struct reclaimer *r = arg;
	pkmap_pfn pfn;
	void *addr;
	int k;

	while (!atomic_load(&r->stop)) {
		for (pfn = 0; pfn < 8; pfn++) {
			for (k = 0; k < 2; k++) {
				if (!pkmap_map(r->home[k].win, pfn, NULL,
					       &addr))
					pkmap_unmap(r->home[k].win, addr);
			}
		}
		atomic_fetch_add(&r->rounds, 1);
	}
	return NULL;
}

/* The pages that the other thread held at the fork stay in use for ever. */
static unsigned int held_pages(struct pkmap_window *win)
{
	unsigned int n = 0;
	pkmap_pfn pfn;

	for (pfn = 0; pfn < 8; pfn++)
		n += pkmap_forget(win, pfn, 1, PKMAP_NOWAIT) == PKMAP_EBUSY;
	return n;
}

/*
 * The lock is free, no slot is lost, and the window agrees with its mappings:
 * each page still begins with its number.
 */
static int check_window(struct pkmap_window *win)
{
	unsigned int free_slots;
	unsigned int held;
	void *addr;
	pkmap_pfn pfn;

	for (pfn = 0; pfn < 8; pfn++) {
		addr = pkmap_pin(win, pfn);
		if (!addr)
			continue;
		CHILD_CHECK(*(char *)addr == (char)pfn);
		CHILD_CHECK(pkmap_unmap(win, addr) == 0);
	}

	held = held_pages(win);
	CHILD_CHECK(held <= 1);
	free_slots = NSLOTS - held;
	for (pfn = 0; pfn < 8 && free_slots; pfn++) {
		if (pkmap_pfn_to_addr(win, pfn))
			continue;
		CHILD_CHECK(pkmap_map(win, pfn, PKMAP_NOWAIT, &addr) == 0);
		CHILD_CHECK(*(char *)addr == (char)pfn);
		free_slots--;
	}
	return 0;
}

static int check_windows(void *arg)
{
	struct reclaimer *r = arg;

	return check_window(r->home[0].win) || check_window(r->home[1].win);
}

static void test_fork_during_reclaim(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 8,
		.nslots = NSLOTS,
		.strict = true,
	};
	struct reclaimer r = { 0 };
	pthread_t thread;
	pkmap_pfn pfn;
	char *addr;
	int k;

	(void)state;
	for (k = 0; k < 2; k++) {
		home_open(&r.home[k], &config);
		for (pfn = 0; pfn < 8; pfn++) {
			addr = must_map(r.home[k].win, pfn);
			*addr = (char)pfn;
			must_unmap(r.home[k].win, addr);
		}
	}
	assert_int_equal(pthread_create(&thread, NULL, reclaim, &r), 0);
	while (!atomic_load(&r.rounds))
		sched_yield();
	for (k = 0; k < 200; k++)
		assert_int_equal(run_in_child(check_windows, &r), 0);
	atomic_store(&r.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	home_close(&r.home[0]);
	home_close(&r.home[1]);
}

/* The child opens a window, after the parent has closed one. */
static int open_another(void *arg)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 8 };
	struct pkmap_posix *port;
	void *addr;

	CHILD_CHECK(pkmap_posix_open(&config, &port) == 0);
	CHILD_CHECK(pkmap_map(pkmap_posix_window(port), 7, NULL, &addr) == 0);
	if (arg)
		CHILD_CHECK(run_in_child(open_another, NULL) == 0);
	CHILD_CHECK(pkmap_unmap(pkmap_posix_window(port), addr) == 0);
	CHILD_CHECK(pkmap_posix_close(port) == 0);
	return 0;
}

static void test_open_and_close_between(void **state)
{
	struct pkmap_posix_config config = { .fd = -1, .npages = 8 };
	struct home h[3];
	int k;

	(void)state;
	for (k = 0; k < 3; k++)
		home_open(&h[k], &config);
	home_close(&h[1]);
	assert_int_equal(run_in_child(open_another, &config), 0);
	home_close(&h[2]);
	assert_int_equal(run_in_child(open_another, &config), 0);
	home_close(&h[0]);
	assert_int_equal(run_in_child(open_another, &config), 0);
}

/* The program's own handlers map pages of this window, if it is set. */
static struct pkmap_window *at_fork_win;
static atomic_uint at_fork_maps;

/* Maps pages that are not mapped, which takes the lock and reclaims. */
static void *map_at_fork(void *arg)
{
	pkmap_pfn pfn;
	void *addr;

	for (pfn = 0; pfn < 2 * NSLOTS; pfn++) {
		if (pkmap_map(at_fork_win, pfn, NULL, &addr) == 0 &&
		    pkmap_unmap(at_fork_win, addr) == 0)
			atomic_fetch_add(&at_fork_maps, 1);
	}
	return arg;
}

/* As if it waited for a lock that another thread holds while it maps. */
static void prepare_fork(void)
{
	pthread_t thread;

	if (!at_fork_win)
		return;
	map_at_fork(NULL);
	if (!pthread_create(&thread, NULL, map_at_fork, NULL))
		pthread_join(thread, NULL);
}

static void forked(void)
{
	if (at_fork_win)
		map_at_fork(NULL);
}

/* Before main(), and so before the first window. */
__attribute__((constructor)) static void register_at_fork(void)
{
	if (pthread_atfork(prepare_fork, forked, forked))
		abort();
}

static int count_maps(void *arg)
{
	(void)arg;
	at_fork_win = NULL;
	CHILD_CHECK(atomic_load(&at_fork_maps) == 3 * 2 * NSLOTS);
	return 0;
}

static void test_handlers_map(void **state)
{
	struct pkmap_posix_config config = {
		.fd = -1,
		.npages = 2 * NSLOTS,
		.nslots = NSLOTS,
	};
	struct home h;

	(void)state;
	home_open(&h, &config);
	at_fork_win = h.win;
	assert_int_equal(run_in_child(count_maps, NULL), 0);
	at_fork_win = NULL;
	assert_int_equal(atomic_load(&at_fork_maps), 3 * 2 * NSLOTS);
	home_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_has_its_own),
		cmocka_unit_test(test_fork_during_reclaim),
		cmocka_unit_test(test_open_and_close_between),
		cmocka_unit_test(test_handlers_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
