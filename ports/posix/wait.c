// SPDX-License-Identifier: MIT
/*
 * wait.c - the window's lock, and waiting for an event by futex.
 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "posix_priv.h"

#define NS_PER_SEC 1000000000u

/*
 * The kernel's timespec, which can differ from the C library's.  A 32-bit
 * system has two futex calls: the old one, whose 31 bits of seconds last until
 * 68 years after boot, and one with 64 bits, which Linux has since 5.1.  The
 * old one is used, except on the newest systems, which do not have it.
 */
#ifdef SYS_futex
#define FUTEX_CALL    SYS_futex
#define FUTEX_SEC_MAX LONG_MAX
struct futex_time {
	long sec;
	long nsec;
};
#else
#define FUTEX_CALL    SYS_futex_time64
#define FUTEX_SEC_MAX LLONG_MAX
struct futex_time {
	long long sec;
	long long nsec;
};
#endif

void pkmap_posix_lock(void *port)
{
	struct pkmap_posix *p = port;

	pthread_mutex_lock(&p->lock);
}

bool pkmap_posix_trylock(void *port)
{
	struct pkmap_posix *p = port;

	return pthread_mutex_trylock(&p->lock) == 0;
}

void pkmap_posix_unlock(void *port)
{
	struct pkmap_posix *p = port;

	pthread_mutex_unlock(&p->lock);
}

/*
 * PKMAP_NO_DEADLINE is a time like any other, 584 years after boot.  With a
 * time-out the kernel ends the wait whenever a signal handler has run; without
 * one it would resume the wait after a handler installed with SA_RESTART.
 */
static struct futex_time futex_time(uint64_t ns)
{
	struct futex_time t = { .nsec = (int)(ns % NS_PER_SEC) };

	ns /= NS_PER_SEC;
	if (ns > FUTEX_SEC_MAX)
		t.sec = FUTEX_SEC_MAX;
	else
		t.sec = (long)ns;
	return t;
}

int pkmap_posix_wait(void *port, pkmap_a32 *event, uint32_t seen,
		     const struct pkmap_wait *wait)
{
	struct futex_time until = futex_time(wait->deadline);
	int saved = errno;
	int err = 0;

	(void)port;
	/* The deadline of FUTEX_WAIT_BITSET is absolute, CLOCK_MONOTONIC. */
	if (syscall(FUTEX_CALL, event, FUTEX_WAIT_BITSET_PRIVATE, seen, &until,
		    NULL, FUTEX_BITSET_MATCH_ANY) < 0) {
		if (errno == ETIMEDOUT)
			err = PKMAP_ETIMEDOUT;
		else if (errno == EINTR &&
			 wait->flags & PKMAP_WAIT_INTERRUPTIBLE)
			err = PKMAP_EINTR;
	}
	errno = saved;
	return err;
}

void pkmap_posix_wake(void *port, pkmap_a32 *event)
{
	(void)port;
	/* Leaves errno alone: a wake of a word that exists cannot fail. */
	syscall(FUTEX_CALL, event, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

uint64_t pkmap_posix_deadline(uint64_t ns)
{
	struct timespec now;
	uint64_t deadline;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
	if (ns > PKMAP_NO_DEADLINE - deadline)
		return PKMAP_NO_DEADLINE;
	return deadline + ns;
}
