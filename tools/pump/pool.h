/* SPDX-License-Identifier: MIT */
/*
 * The frames of the pump and the queues that they travel through:
 *
 *	free -> (a device fills it) -> filled -> (a CPU copies it) -> free
 *	free -> (a CPU copies into it) -> copied -> (a device writes it) -> free
 *
 * The CPUs take the frame that was given back last, which is likely to be
 * mapped still.  The device takes the one that has been free for longest, which
 * most likely is not, and leaves the CPUs half of the frames: a source can only
 * be got rid of if there is a frame for its copy.
 */
#ifndef TOOLS_PUMP_POOL_H
#define TOOLS_PUMP_POOL_H

#include <pkmap/pkmap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

/* A frame, and the part of the file that it holds. */
struct work {
	pkmap_pfn pfn;
	off_t offset;
	size_t len;
};

/* A ring that has room for every frame.  Guarded by the pool's lock. */
struct queue {
	struct work *items;
	uint32_t first;
	uint32_t count;
	uint32_t writers; /* 0: nothing more will come */
	pthread_cond_t changed;
};

/*
 * What an interrupt may know about a frame.  Both count up, and only their
 * owner changes them; odd means that the statement holds.  Who finds the same
 * odd number before and after looking knows that it held all the while.
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
	bool finished;	      /* the writer has ended */
	bool stopped;	      /* nobody gets anything any more */
	pthread_cond_t ended; /* one or the other became true */
};

/* Returns 0 or an errno value.  @ncpus: how many write to @copied. */
int pool_init(struct pool *pool, uint32_t nframes, uint32_t ncpus);
void pool_destroy(struct pool *pool);

/*
 * Those that take wait, and return whether they got something: not after the
 * queue's last writer closed it and it is empty, nor once the pool is stopped.
 */
bool pool_take_cold(struct pool *pool, pkmap_pfn *pfn);
bool pool_take_hot(struct pool *pool, pkmap_pfn *pfn);
bool pool_take(struct pool *pool, struct queue *queue, struct work *work);

void pool_free(struct pool *pool, pkmap_pfn pfn);
void pool_put(struct pool *pool, struct queue *queue, const struct work *work);
void pool_close(struct pool *pool, struct queue *queue);
void pool_finish(struct pool *pool);
void pool_stop(struct pool *pool);

/* Waits until then (CLOCK_MONOTONIC), and returns whether it is over. */
bool pool_has_ended(struct pool *pool, const struct timespec *until);

static inline bool frame_says(uint32_t version)
{
	return version & 1;
}

/* Ends what the owner did to the frame before: pairs with frame_version(). */
static inline void frame_begin(_Atomic uint32_t *statement)
{
	atomic_fetch_add_explicit(statement, 1, memory_order_release);
}

/* Comes before what the owner does next: pairs with frame_unchanged(). */
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
