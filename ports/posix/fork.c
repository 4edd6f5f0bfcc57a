// SPDX-License-Identifier: MIT
/*
 * fork.c - the list of all windows, and their locks during fork().
 *
 * The child has a copy of each window and its mappings, but of the threads it
 * has only the one that forked.  If another thread held a window's lock at that
 * moment, no thread of the child could ever release it, and the window might
 * not agree with its mappings.  So the forking thread takes the locks of all
 * windows.
 *
 * It has to take them last, since the program's own prepare handlers may map a
 * page, or take a lock that another thread holds while it waits for a window's
 * lock.  The handlers registered first run last; so ours are registered before
 * main(), and before the constructors of whatever uses the library.
 *
 * No other code takes a window's lock while it holds another window's, or the
 * list's while it holds a window's.
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

/* In the parent, and in the child, whose only thread owns the same locks. */
static void after_fork(void)
{
	struct pkmap_posix *p;

	for (p = list; p; p = p->next)
		pkmap_posix_unlock(p);
	pthread_mutex_unlock(&list_lock);
}

/* 101 is the first priority that is not reserved for the C library. */
__attribute__((constructor(101))) static void register_handlers(void)
{
	register_error = pthread_atfork(before_fork, after_fork, after_fork);
	if (!register_error)
		register_error = pkmap_posix_create_exit_key();
}

/* Refuses a window that, with all others, could use too many mappings. */
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
 * Returns a window in which the thread is a CPU, or was stopped while becoming
 * one or ceasing to be one; else NULL.  The list is unlocked again on return,
 * so that the thread's reports are not made under its lock.
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
