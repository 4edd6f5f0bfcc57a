// SPDX-License-Identifier: MIT
/*
 * No store is lost: threads and their interrupts store through maps, pins and
 * local maps of several windows, while others flush, forget and fork.
 *
 * usage: stress_stores [ROUNDS]
 */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORK_EVERY 64 /* rounds; a fork takes as long as these */

static struct stress_window windows[STRESS_WINDOWS];

static struct stress_window *some_window(struct worker *me, bool in_interrupt)
{
	return &windows[stress_random(me, in_interrupt) % STRESS_WINDOWS];
}

static void use_locally(struct worker *me, bool in_interrupt)
{
	struct stress_window *w = some_window(me, in_interrupt);
	pkmap_pfn pfn = stress_some_page(me, w, in_interrupt);
	void *addr;

	stress_must(pkmap_local_map(w->win, pfn, &addr));
	stress_use(me, w, addr, pfn, in_interrupt);
	stress_must(pkmap_local_unmap(w->win, addr));
}

static void interrupt(struct worker *me)
{
	struct stress_window *w = some_window(me, true);

	stress_pin(me, w, stress_some_page(me, w, true), true);
	use_locally(me, true);
}

static void map_one(struct worker *me)
{
	struct stress_window *w = some_window(me, false);
	pkmap_pfn pfn = stress_some_page(me, w, false);
	void *addr;

	atomic_store(&me->doing, "pkmap_map");
	stress_must(pkmap_map(w->win, pfn, NULL, &addr));
	stress_use(me, w, addr, pfn, false);
	stress_must(pkmap_unmap(w->win, addr));
}

/* Like a copy from page to page. */
static void map_two(struct worker *me)
{
	struct stress_window *w = some_window(me, false);
	const pkmap_pfn pfns[] = {
		stress_some_page(me, w, false),
		stress_some_page(me, w, false),
	};
	void *addrs[2];

	atomic_store(&me->doing, "pkmap_map_pages");
	stress_must(pkmap_map_pages(w->win, pfns, 2, NULL, addrs));
	stress_use(me, w, addrs[0], pfns[0], false);
	stress_use(me, w, addrs[1], pfns[1], false);
	stress_must(pkmap_unmap(w->win, addrs[0]));
	stress_must(pkmap_unmap(w->win, addrs[1]));
}

static void store(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		map_one(me);
		map_two(me);
		atomic_store(&me->doing, "pkmap_local_map");
		use_locally(me, false);
		atomic_fetch_add(&me->done, 1);
	}
}

static void flush(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		atomic_store(&me->doing, "pkmap_flush_unused");
		pkmap_flush_unused(some_window(me, false)->win);
		sched_yield();
		atomic_fetch_add(&me->done, 1);
	}
}

/* Forgets pages of other threads.  Waits for the lock, but not for users. */
static void forget(struct worker *me)
{
	const struct pkmap_wait past = { .deadline = 1 };
	struct stress_window *w;
	pkmap_pfn first;
	int err;
	unsigned long i;

	for (i = 0; i < me->rounds; i++) {
		w = some_window(me, false);
		first = stress_some_page(me, w, false);
		atomic_store(&me->doing, "pkmap_forget");
		err = pkmap_forget(w->win, first, 4, &past);
		if (err != PKMAP_ETIMEDOUT)
			stress_must(err);
		sched_yield();
		atomic_fetch_add(&me->done, 1);
	}
}

/*
 * The child has its windows to itself.  Pages that other threads of the parent
 * held stay in use, so it must not wait.
 */
static void be_the_child(struct worker *me, struct stress_window *w,
			 pkmap_pfn pfn)
{
	void *addr;
	pkmap_pfn other;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (other = 0; other < w->npages; other++) {
		addr = pkmap_pin(w->win, other);
		if (!addr)
			continue;
		stress_check(w, addr, other);
		stress_must(pkmap_unmap(w->win, addr));
	}
	pkmap_flush_unused(w->win);
	stress_must(pkmap_local_map(w->win, pfn, &addr));
	stress_use(me, w, addr, pfn, false);
	stress_must(pkmap_local_unmap(w->win, addr));
	_exit(0);
}

static void fork_once(struct worker *me)
{
	struct stress_window *w = some_window(me, false);
	pkmap_pfn pfn = stress_some_page(me, w, false);
	pid_t pid;
	int status;

	atomic_store(&me->doing, "fork");
	pid = fork();
	if (pid < 0)
		stress_fail("fork: %s", strerror(errno));
	if (!pid)
		be_the_child(me, w, pfn);
	atomic_store(&me->doing, "waitpid for its child");
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			stress_fail("waitpid: %s", strerror(errno));
	if (status)
		stress_fail("a child ended with status %#x",
			    (unsigned int)status);
	stress_used_by_child(me, w, pfn);
}

static void fork_children(struct worker *me)
{
	unsigned long i;

	for (i = 0; i < me->rounds; i += FORK_EVERY) {
		fork_once(me);
		atomic_fetch_add(&me->done, 1);
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	struct worker workers[] = {
		{ .role = "store", .run = store, .interrupt = interrupt },
		{ .role = "store", .run = store, .interrupt = interrupt },
		{ .role = "store", .run = store, .interrupt = interrupt },
		{ .role = "flush", .run = flush, .interrupt = interrupt },
		{ .role = "forget", .run = forget, .interrupt = interrupt },
		{ .role = "fork", .run = fork_children },
	};
	const unsigned int n = sizeof(workers) / sizeof(*workers);
	unsigned int i;

	puts("1..1");
	fflush(stdout);
	for (i = 0; i < STRESS_WINDOWS; i++)
		stress_open(&windows[i], 8, 64);
	for (i = 0; i < n; i++)
		workers[i].rounds = rounds;
	stress_run(workers, n);
	for (i = 0; i < STRESS_WINDOWS; i++)
		stress_close(&windows[i]);
	puts("ok 1 - every counter holds what its owner stored last");
	return 0;
}
