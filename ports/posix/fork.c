// SPDX-License-Identifier: MIT
/*
 * fork.c - what fork() must find in order.
 *
 * The child has a copy of each window and of its mappings, and of the threads
 * only the one that forked.  If another one held a window's lock in that
 * moment, nobody would ever release it in the child, and the window would not
 * agree with its mappings.  So the thread that forks takes all those locks.
 *
 * It has to take them last.  The program's own prepare handler may map a page,
 * or take a lock under which another thread is waiting for ours.  The handlers
 * that were registered last run first; so ours are registered before main(),
 * and before the constructors of whoever uses the library.
 *
 * Nobody else takes one window's lock while holding another's, or the list's
 * while holding a window's.
 */
#include "posix_priv.h"

static int register_error;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pkmap_posix *list;

static void before_fork(void)
{
	struct pkmap_posix *p;

	pthread_mutex_lock(&list_lock);
	for (p = list; p; p = p->next)
		pkmap_posix_lock(p);
}

/* In the parent and in the child, whose only thread owns what this one did. */
static void after_fork(void)
{
	struct pkmap_posix *p;

	for (p = list; p; p = p->next)
		pkmap_posix_unlock(p);
	pthread_mutex_unlock(&list_lock);
}

/* 101 is the first priority that is not the C library's own. */
__attribute__((constructor(101))) static void register_handlers(void)
{
	register_error = pthread_atfork(before_fork, after_fork, after_fork);
	if (!register_error)
		register_error = pkmap_posix_create_exit_key();
}

/* All windows are in the list; so one that would be too much is found here. */
int pkmap_posix_list_add(struct pkmap_posix *p)
{
	int err = 0;

	if (register_error) {
		errno = register_error;
		return PKMAP_ENOMEM;
	}

	pthread_mutex_lock(&list_lock);
	p->next = list;
	if (pkmap_posix_mappings_left(p) < 0) {
		errno = ENOMEM;
		err = PKMAP_ENOMEM;
	} else {
		list = p;
	}
	pthread_mutex_unlock(&list_lock);
	return err;
}

int64_t pkmap_posix_list_mappings_left(void)
{
	int64_t left;

	pthread_mutex_lock(&list_lock);
	left = pkmap_posix_mappings_left(list);
	pthread_mutex_unlock(&list_lock);
	return left;
}

/*
 * A window in which a thread is a CPU, or was stopped when it came or went; or
 * NULL.  The list is not locked any more when the thread then reports.
 */
struct pkmap_posix *pkmap_posix_list_used_by(int thread)
{
	struct pkmap_posix *p;

	pthread_mutex_lock(&list_lock);
	for (p = list; p; p = p->next)
		if (p->threads[thread].nest || p->threads[thread].number)
			break;
	pthread_mutex_unlock(&list_lock);
	return p;
}

void pkmap_posix_list_remove(struct pkmap_posix *p)
{
	struct pkmap_posix **link = &list;

	pthread_mutex_lock(&list_lock);
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	pthread_mutex_unlock(&list_lock);
}
