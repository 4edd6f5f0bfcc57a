/* SPDX-License-Identifier: MIT */
/*
 * The pump's frames, and the queues that they pass through:
 *
 *	free -> (a device fills it) -> filled -> (a CPU copies it) -> free
 *	free -> (a CPU copies into it) -> copied -> (a device writes it) -> free
 *
 * CPUs take the frame that was freed most recently: it is probably still
 * mapped.  The reading device takes the frame that has been free for longest,
 * which probably is not, and leaves half of the frames to the CPUs: a filled
 * frame can only be freed if there is another one for its copy.
 */
#ifndef TOOLS_PUMP_POOL_H
#define TOOLS_PUMP_POOL_H

#include <pkmap/pkmap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

/* A frame and the part of the file that it holds. */
struct work {
	pkmap_pfn pfn;
	off_t offset;
	size_t len;
};

/* A ring with room for every frame, protected by the pool's lock. */
struct queue {
	struct work *items;
	uint32_t first;
	uint32_t count;
	uint32_t writers; /* 0: nothing more will be added */
	pthread_cond_t changed;
};

/*
 * Two statements about a frame, for interrupts.  Only the frame's owner changes
 * them, by counting up; a statement is true while its number is odd.  An
 * interrupt that reads the same odd number before and after looking at the
 * frame knows that the statement was true throughout.
 */
struct frame {
	_Atomic uint32_t stable; /* nobody changes the contents */
	_Atomic uint32_t held;	 /* a CPU has it mapped */
};

struct pool {
	pthread_mutex_t lock;
	struct queue free;
	struct queue filled;
	struct queue copied;
	struct frame *frames;
	uint32_t nframes;
	bool finished;	      /* the writing device has ended */
	bool stopped;	      /* nothing is given out any more */
	pthread_cond_t ended; /* finished or stopped became true */
};

/* Returns 0 or an errno value.  @ncpus: the number of writers of @copied. */
int pool_init(struct pool *pool, uint32_t nframes, uint32_t ncpus);
void pool_destroy(struct pool *pool);

/*
 * These wait for a frame, and return whether they got one.  They do not if the
 * queue is empty and its last writer has closed it, or if the pool is stopped.
 */
bool pool_take_cold(struct pool *pool, pkmap_pfn *pfn);
bool pool_take_hot(struct pool *pool, pkmap_pfn *pfn);
bool pool_take(struct pool *pool, struct queue *queue, struct work *work);

void pool_free(struct pool *pool, pkmap_pfn pfn);
void pool_put(struct pool *pool, struct queue *queue, const struct work *work);
void pool_close(struct pool *pool, struct queue *queue);
void pool_finish(struct pool *pool);
void pool_stop(struct pool *pool);

/*
 * Waits until the pool is finished or stopped, or until that time
 * (CLOCK_MONOTONIC).  Returns whether it is finished or stopped.
 */
bool pool_has_ended(struct pool *pool, const struct timespec *until);

static inline bool frame_says(uint32_t version)
{
	return version & 1;
}

/* Orders what the owner did before; pairs with frame_version(). */
static inline void frame_begin(_Atomic uint32_t *statement)
{
	atomic_fetch_add_explicit(statement, 1, memory_order_release);
}

/* Orders what the owner does next; pairs with frame_unchanged(). */
static inline void frame_end(_Atomic uint32_t *statement)
{
	atomic_fetch_add_explicit(statement, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

static inline uint32_t frame_version(_Atomic uint32_t *statement)
{
	return atomic_load_explicit(statement, memory_order_acquire);
}

static inline bool frame_unchanged(_Atomic uint32_t *statement,
				   uint32_t version)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(statement, memory_order_relaxed) == version;
}

#endif /* TOOLS_PUMP_POOL_H */
