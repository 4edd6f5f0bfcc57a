// SPDX-License-Identifier: MIT
/*
 * cpu.c - threads as CPUs.
 *
 * A thread is a CPU of every window, the same for all, from its outermost
 * local_enter() to the matching local_leave().  It borrows a number for that
 * time, so that the windows have local slots for as many threads as are at it
 * at the same time, and not for all that ever were.
 *
 * A signal handler may interrupt any instruction below, and call the same
 * functions for the same thread.  What a thread knows of itself is
 *
 *	nest	how many local_enter() have no local_leave() yet
 *	cpu	its number plus one, 0 while it has none
 *
 * and only the thread and its handlers see it.  A handler leaves nest as it
 * found it, so that changing it needs no atomic read-modify-write.  A handler
 * changes cpu only so:
 *
 *	(a) from 0 to a number it took, if it found 0, whatever nest was;
 *	(b) from a number to 0, giving it back, if nest was 0.
 *
 * local_enter() raises nest first and looks at cpu then.  From there on (b)
 * cannot happen: once cpu shows a number it stays, and is what this call
 * returns.  (Before, a number can go away: that of a thread that is interrupted
 * in local_leave(), if this handler of it is interrupted by another one.)  If
 * (a) happened after cpu was found to be 0, then
 *	- the compare-and-swap finds the handler's number: that is the thread's,
 *	  and the one just taken goes back;
 *	- or no number was to be had here: leaving again gives the handler's
 *	  number back, if this was the outermost call.
 *
 * local_leave() lowers nest first, then, if it was the outermost, takes the
 * number out of cpu in one step.  A handler in between the two finds cpu set
 * and nest 0, uses that number and gives it back by (b); what the thread then
 * takes out is 0 and there is nothing more to do.  A handler after the exchange
 * finds no number, and takes and gives back one of its own.  The other order,
 * number first, would lose a number: a handler between the two would take one
 * by (a) and not give it back, since nest was not 0.
 *
 * While a thread holds a number that cpu does not show, between taking and
 * showing it or between the exchange and giving back, a handler takes a second
 * one: for that instant the thread counts as two.
 */
#include <stdatomic.h>

#include "posix_priv.h"

/* Each flag has a cache line to itself: threads that do not meet share none. */
static struct {
	_Alignas(64) atomic_uint taken;
} cpus[PKMAP_POSIX_NCPUS];

/*
 * Initial-exec: handlers must not run into the dynamic linker, which allocates
 * other thread-local storage of a shared library at its first use.
 */
static _Thread_local struct {
	atomic_uint nest;
	atomic_int cpu;
	atomic_uint last; /* where to look first: likely free, and warm */
} self __attribute__((tls_model("initial-exec")));

static void set_nest(unsigned int nest)
{
	atomic_store_explicit(&self.nest, nest, memory_order_relaxed);
	/* Handlers see it before anything that follows. */
	pkmap_fence_interrupt();
}

static unsigned int get_nest(void)
{
	return atomic_load_explicit(&self.nest, memory_order_relaxed);
}

/* Acquire: what the number's last user did to its local slots is seen. */
static bool take(unsigned int n)
{
	if (atomic_load_explicit(&cpus[n].taken, memory_order_relaxed))
		return false;
	return !atomic_exchange_explicit(&cpus[n].taken, 1,
					 memory_order_acquire);
}

static void give_back(int n)
{
	atomic_store_explicit(&cpus[n].taken, 0, memory_order_release);
}

static int take_any(void)
{
	unsigned int n = atomic_load_explicit(&self.last, memory_order_relaxed);
	unsigned int i;

	for (i = 0; i < PKMAP_POSIX_NCPUS; i++) {
		if (take(n)) {
			atomic_store_explicit(&self.last, n,
					      memory_order_relaxed);
			return (int)n;
		}
		n = (n + 1) % PKMAP_POSIX_NCPUS;
	}
	return PKMAP_EBUSY;
}

int pkmap_posix_local_cpu(void *port)
{
	(void)port;
	return atomic_load_explicit(&self.cpu, memory_order_relaxed) - 1;
}

int pkmap_posix_local_enter(void *port)
{
	int shown = 0;
	int mine;

	set_nest(get_nest() + 1);
	mine = pkmap_posix_local_cpu(port);
	if (mine >= 0)
		return mine;

	mine = take_any();
	if (mine < 0) {
		pkmap_posix_local_leave(port);
		return mine;
	}
	if (atomic_compare_exchange_strong_explicit(&self.cpu, &shown, mine + 1,
						    memory_order_relaxed,
						    memory_order_relaxed))
		return mine;

	give_back(mine);
	return shown - 1;
}

void pkmap_posix_local_leave(void *port)
{
	unsigned int nest = get_nest() - 1;
	int mine;

	(void)port;
	set_nest(nest);
	if (nest)
		return;

	mine = atomic_exchange_explicit(&self.cpu, 0, memory_order_relaxed);
	if (mine)
		give_back(mine - 1);
}
