// SPDX-License-Identifier: MIT
/*
 * cpu.c - threads as CPUs.
 *
 * A thread is a CPU of a window from its outermost local_enter() there to the
 * matching local_leave().  It borrows a number for that time, so that a window
 * needs local slots only for the threads that use it at the same time, not for
 * all threads that ever did.
 *
 * In fact it borrows two numbers.  One is the thread's number in the process,
 * which it has from its outermost local_enter() in any window; with it, a
 * window finds its record of the thread without a search.  The other number is
 * the thread's CPU in the window.  So each window has as many CPUs as it has
 * local slots for, and what happens in one window takes no CPU from another.
 *
 * Both are borrowed in the same way, by a borrower: the thread, or the thread
 * in one window.  A signal handler may interrupt any instruction below, and
 * call the same functions for the same borrower.  A borrower has
 *
 *	nest	how many calls of borrow() have no give_back() yet
 *	number	the number it has, plus one; 0 if it has none
 *
 * which only the thread and its handlers access.  (A window's record is found
 * by the thread's number, which the thread holds for longer.  The thread that
 * had that number before has left both fields at 0, and so has a handler that
 * was given another number for an instant.)  A handler leaves nest as it found
 * it, so changing nest needs no atomic read-modify-write.  A handler changes
 * number in two ways only:
 *
 *	(a) from 0 to a number it took, if it found 0, whatever nest was;
 *	(b) from a number to 0, giving it back, if nest was 0.
 *
 * borrow() raises nest first and then looks at number.  From there on (b)
 * cannot happen: once there is a number it stays, and this call returns it.
 * (Before that, a number can go away: if this runs in a handler that
 * interrupted give_back(), another handler may interrupt this one and give the
 * number back.)  If (a) happens after number was found to be 0, then either
 *	- the compare-and-swap finds the handler's number, which is now the
 *	  borrower's, and the number just taken is released; or
 *	- no number was free here, and the give_back() of the failed call gives
 *	  the handler's number back if that call was the outermost.
 *
 * give_back() lowers nest first; then, if this was the outermost call, it
 * exchanges number for 0.  A handler between the two steps finds a number and a
 * nest of 0, uses that number and gives it back by (b); the exchange then finds
 * 0, and there is nothing left to do.  A handler after the exchange finds no
 * number, and takes and gives back one of its own.  In the opposite order a
 * number would be lost: a handler between the two steps would take one by (a)
 * and not give it back, since nest was not 0.
 *
 * Between taking a number and storing it in number, and between the exchange
 * and the release, a borrower has a number that handlers cannot see.  A handler
 * that comes then takes a second one: for that instant the thread counts as
 * two.
 *
 * A thread that ends with local maps open gives its numbers back too.  It has a
 * value for a key of thread-specific data, whose destructor ends the local maps
 * in each window and reports them.  The destructor runs in the thread itself,
 * however the thread ends, after its pthread_cleanup_push() handlers, and in
 * any order with other destructors.  A handler may interrupt it.  It also
 * raises nest first, since the thread may have been stopped anywhere in the
 * code above.
 */
#include <stdatomic.h>

#include "posix_priv.h"

static struct pkmap_posix_number threads[PKMAP_POSIX_THREADS];

/*
 * Initial-exec, because a handler must not call the dynamic linker: with the
 * other models it allocates a shared library's thread-local storage at the
 * first use.
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
	/* Handlers see this store before anything that follows. */
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

/*
 * The acquire pairs with release(): what the borrower before did to its local
 * slots is seen.
 */
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

/* While nest is 0, a handler can give back the number that was just read. */
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

/* So that no thread calls a destructor that dlclose() has removed. */
__attribute__((destructor)) static void delete_exit_key(void)
{
	if (has_exit_key)
		pthread_key_delete(exit_key);
}

/*
 * Works in a handler too: the C library sets a value without a lock, and needs
 * no memory for the first 32 keys.  Ours is one of these, unless the program
 * created 32 before it loaded the library.  If it fails, for lack of memory,
 * the next local map tries again.
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
