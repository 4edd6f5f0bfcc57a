// SPDX-License-Identifier: MIT
/*
 * cpu.c - threads as CPUs.
 *
 * A thread is a CPU of a window from its outermost local_enter() there to the
 * matching local_leave().  It borrows a number for that time, so that a window
 * has local slots for as many threads as are at it at the same time, and not
 * for all that ever were.
 *
 * It borrows two, in fact.  One is the thread's in the whole process, from the
 * outermost local_enter() on in any window; that one leads from a thread to
 * what a window knows of it, without a search.  The other is its CPU in the
 * window.  Windows so have as many CPUs as each has local slots for, and none
 * runs out of them because of what happens in another.
 *
 * Both are borrowed alike, by a borrower: the thread, or the thread in one
 * window.  A signal handler may interrupt any instruction below, and call the
 * same functions for the same borrower.  What that knows of itself is
 *
 *	nest	how many borrow() have no give_back() yet
 *	number	what it has, plus one; 0 while it has none
 *
 * and only the thread and its handlers see it.  (In a window, it is found by
 * the thread's number, which the thread has for longer: whoever had that number
 * before has left both at 0, and so has a handler that was given another number
 * for an instant.)  A handler leaves nest as it found it, so that changing it
 * needs no atomic read-modify-write.  A handler changes number only so:
 *
 *	(a) from 0 to a number it took, if it found 0, whatever nest was;
 *	(b) from a number to 0, giving it back, if nest was 0.
 *
 * borrow() raises nest first and looks at number then.  From there on (b)
 * cannot happen: once there is a number it stays, and is what this call
 * returns.  (Before, a number can go away: that of a thread that is interrupted
 * in give_back(), if this handler of it is interrupted by another one.)  If
 * (a) happened after number was found to be 0, then
 *	- the compare-and-swap finds the handler's number: that is the
 *	  borrower's, and the one just taken goes back;
 *	- or no number was to be had here: giving back again gives the handler's
 *	  number back, if this was the outermost call.
 *
 * give_back() lowers nest first, then, if it was the outermost, takes the
 * number out in one step.  A handler in between the two finds a number and nest
 * 0, uses that number and gives it back by (b); what the thread then takes out
 * is 0 and there is nothing more to do.  A handler after the exchange finds no
 * number, and takes and gives back one of its own.  The other order, number
 * first, would lose a number: a handler between the two would take one by (a)
 * and not give it back, since nest was not 0.
 *
 * While a borrower has a number that it does not show, between taking and
 * showing it or between the exchange and the release, a handler takes a second
 * one: for that instant the thread counts as two.
 *
 * A thread that ends with local maps open gives its numbers back all the same:
 * it has a value for a key of thread-specific data, whose destructor ends the
 * local maps in each window and reports them.  It runs in the thread, however
 * that ends, after what pthread_cleanup_push() has put down; in any order with
 * other destructors.  A handler may interrupt it, and nest is raised first here
 * too, since the thread may have been stopped anywhere above.
 */
#include <stdatomic.h>

#include "posix_priv.h"

static struct pkmap_posix_number threads[PKMAP_POSIX_THREADS];

/*
 * Initial-exec: handlers must not run into the dynamic linker, which allocates
 * other thread-local storage of a shared library at its first use.
 */
static _Thread_local struct pkmap_posix_borrower self
	__attribute__((tls_model("initial-exec")));

static pthread_key_t exit_key;
static bool has_exit_key;
static _Thread_local atomic_bool has_exit_value
	__attribute__((tls_model("initial-exec")));

static void set_nest(struct pkmap_posix_borrower *b, unsigned int nest)
{
	atomic_store_explicit(&b->nest, nest, memory_order_relaxed);
	/* Handlers see it before anything that follows. */
	pkmap_fence_interrupt();
}

static unsigned int get_nest(const struct pkmap_posix_borrower *b)
{
	return atomic_load_explicit(&b->nest, memory_order_relaxed);
}

/* The number that a borrower has, or a negative value. */
static int number_of(const struct pkmap_posix_borrower *b)
{
	return atomic_load_explicit(&b->number, memory_order_relaxed) - 1;
}

/* Acquire: what the last who had it did to its local slots is seen. */
static bool try_take(struct pkmap_posix_number *number)
{
	if (atomic_load_explicit(&number->taken, memory_order_relaxed))
		return false;
	return !atomic_exchange_explicit(&number->taken, 1,
					 memory_order_acquire);
}

static void release(struct pkmap_posix_number *number)
{
	atomic_store_explicit(&number->taken, 0, memory_order_release);
}

static int take_any(struct pkmap_posix_borrower *b,
		    struct pkmap_posix_number *numbers, unsigned int count)
{
	unsigned int n = atomic_load_explicit(&b->last, memory_order_relaxed);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (try_take(&numbers[n])) {
			atomic_store_explicit(&b->last, n,
					      memory_order_relaxed);
			return (int)n;
		}
		n = (n + 1) % count;
	}
	return PKMAP_EBUSY;
}

void pkmap_posix_give_back(struct pkmap_posix_borrower *b,
			   struct pkmap_posix_number *numbers)
{
	unsigned int nest = get_nest(b) - 1;
	int mine;

	set_nest(b, nest);
	if (nest)
		return;

	mine = atomic_exchange_explicit(&b->number, 0, memory_order_relaxed);
	if (mine)
		release(&numbers[mine - 1]);
}

int pkmap_posix_borrow(struct pkmap_posix_borrower *b,
		       struct pkmap_posix_number *numbers, unsigned int count)
{
	int shown = 0;
	int mine;

	set_nest(b, get_nest(b) + 1);
	mine = number_of(b);
	if (mine >= 0)
		return mine;

	mine = take_any(b, numbers, count);
	if (mine < 0) {
		pkmap_posix_give_back(b, numbers);
		return mine;
	}
	if (atomic_compare_exchange_strong_explicit(
		    &b->number, &shown, mine + 1, memory_order_relaxed,
		    memory_order_relaxed))
		return mine;

	release(&numbers[mine]);
	return shown - 1;
}

/* Without nest, another handler can give a number back that we still see. */
static int kept_number_of(const struct pkmap_posix_borrower *b)
{
	return get_nest(b) ? number_of(b) : -1;
}

int pkmap_posix_local_cpu(void *port)
{
	struct pkmap_posix *p = port;
	int thread = kept_number_of(&self);

	return thread < 0 ? thread : kept_number_of(&p->threads[thread]);
}

static void abandon_in_window(struct pkmap_posix *p,
			      struct pkmap_posix_borrower *b)
{
	int cpu;

	set_nest(b, 1);
	cpu = number_of(b);
	if (cpu >= 0)
		pkmap_local_abandon(p->win, (uint32_t)cpu);
	pkmap_posix_give_back(b, p->cpus);
}

/* The destructor of what ensure_exit_value() sets. */
static void on_thread_exit(void *value)
{
	struct pkmap_posix *p;
	int thread;

	(void)value;
	atomic_store_explicit(&has_exit_value, false, memory_order_relaxed);
	set_nest(&self, 1);
	thread = number_of(&self);
	while (thread >= 0 && (p = pkmap_posix_list_used_by(thread)))
		abandon_in_window(p, &p->threads[thread]);
	pkmap_posix_give_back(&self, threads);
}

int pkmap_posix_create_exit_key(void)
{
	const int err = pthread_key_create(&exit_key, on_thread_exit);

	has_exit_key = !err;
	return err;
}

/* Nobody calls into a library that dlclose() has removed. */
__attribute__((destructor)) static void delete_exit_key(void)
{
	if (has_exit_key)
		pthread_key_delete(exit_key);
}

/*
 * In a handler too: the C library sets a value without a lock, and allocates
 * for none of the first 32 keys, of which ours is one unless the program had as
 * many before it loaded us.  If it fails, which is for want of memory, the next
 * local map tries again.
 */
static void ensure_exit_value(void)
{
	if (!atomic_load_explicit(&has_exit_value, memory_order_relaxed) &&
	    !pthread_setspecific(exit_key, &self))
		atomic_store_explicit(&has_exit_value, true,
				      memory_order_relaxed);
}

int pkmap_posix_local_enter(void *port)
{
	struct pkmap_posix *p = port;
	int thread;
	int cpu;

	ensure_exit_value();
	thread = pkmap_posix_borrow(&self, threads, PKMAP_POSIX_THREADS);
	if (thread < 0)
		return thread;
	cpu = pkmap_posix_borrow(&p->threads[thread], p->cpus, p->ncpus);
	if (cpu < 0)
		pkmap_posix_give_back(&self, threads);
	return cpu;
}

void pkmap_posix_local_leave(void *port)
{
	struct pkmap_posix *p = port;

	pkmap_posix_give_back(&p->threads[number_of(&self)], p->cpus);
	pkmap_posix_give_back(&self, threads);
}
