// SPDX-License-Identifier: MIT
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

static void queue_init(struct queue *queue, uint32_t nframes, uint32_t writers)
{
	queue->items = calloc(nframes, sizeof(*queue->items));
	queue->writers = writers;
	pthread_cond_init(&queue->changed, NULL);
}

static void queue_destroy(struct queue *queue)
{
	pthread_cond_destroy(&queue->changed);
	free(queue->items);
}

static struct work *queue_item(struct pool *pool, struct queue *queue,
			       uint32_t i)
{
	return &queue->items[(queue->first + i) % pool->nframes];
}

static struct work pop_oldest(struct pool *pool, struct queue *queue)
{
	struct work work = *queue_item(pool, queue, 0);

	queue->first = (queue->first + 1) % pool->nframes;
	queue->count--;
	return work;
}

static struct work pop_newest(struct pool *pool, struct queue *queue)
{
	queue->count--;
	return *queue_item(pool, queue, queue->count);
}

int pool_init(struct pool *pool, uint32_t nframes, uint32_t ncpus)
{
	uint32_t i;

	*pool = (struct pool){ .nframes = nframes };
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->ended, NULL);
	pool->frames = calloc(nframes, sizeof(*pool->frames));
	queue_init(&pool->free, nframes, 1);
	queue_init(&pool->filled, nframes, 1);
	queue_init(&pool->copied, nframes, ncpus);
	if (!pool->frames || !pool->free.items || !pool->filled.items ||
	    !pool->copied.items) {
		pool_destroy(pool);
		return ENOMEM;
	}
	for (i = 0; i < nframes; i++)
		pool_free(pool, i);
	return 0;
}

void pool_destroy(struct pool *pool)
{
	queue_destroy(&pool->free);
	queue_destroy(&pool->filled);
	queue_destroy(&pool->copied);
	free(pool->frames);
	pthread_cond_destroy(&pool->ended);
	pthread_mutex_destroy(&pool->lock);
}

/* Waits, with the lock held, until @queue has more than @keep entries. */
static bool wait_for_more(struct pool *pool, struct queue *queue, uint32_t keep)
{
	while (!pool->stopped && queue->count <= keep && queue->writers)
		pthread_cond_wait(&queue->changed, &pool->lock);
	return !pool->stopped && queue->count > keep;
}

bool pool_take_cold(struct pool *pool, pkmap_pfn *pfn)
{
	bool got;

	pthread_mutex_lock(&pool->lock);
	got = wait_for_more(pool, &pool->free, pool->nframes / 2);
	if (got)
		*pfn = pop_oldest(pool, &pool->free).pfn;
	pthread_mutex_unlock(&pool->lock);
	return got;
}

bool pool_take_hot(struct pool *pool, pkmap_pfn *pfn)
{
	bool got;

	pthread_mutex_lock(&pool->lock);
	got = wait_for_more(pool, &pool->free, 0);
	if (got)
		*pfn = pop_newest(pool, &pool->free).pfn;
	pthread_mutex_unlock(&pool->lock);
	return got;
}

bool pool_take(struct pool *pool, struct queue *queue, struct work *work)
{
	bool got;

	pthread_mutex_lock(&pool->lock);
	got = wait_for_more(pool, queue, 0);
	if (got)
		*work = pop_oldest(pool, queue);
	pthread_mutex_unlock(&pool->lock);
	return got;
}

void pool_put(struct pool *pool, struct queue *queue, const struct work *work)
{
	pthread_mutex_lock(&pool->lock);
	*queue_item(pool, queue, queue->count++) = *work;
	/* All of them: pool_take_cold() waits for more than the others do. */
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_free(struct pool *pool, pkmap_pfn pfn)
{
	pool_put(pool, &pool->free, &(struct work){ .pfn = pfn });
}

void pool_close(struct pool *pool, struct queue *queue)
{
	pthread_mutex_lock(&pool->lock);
	queue->writers--;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&pool->lock);
}

void pool_finish(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->finished = true;
	pthread_cond_broadcast(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
}

void pool_stop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopped = true;
	pthread_cond_broadcast(&pool->free.changed);
	pthread_cond_broadcast(&pool->filled.changed);
	pthread_cond_broadcast(&pool->copied.changed);
	pthread_cond_broadcast(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
}

bool pool_has_ended(struct pool *pool, const struct timespec *until)
{
	bool ended;
	int err = 0;

	pthread_mutex_lock(&pool->lock);
	while (!pool->finished && !pool->stopped && !err)
		err = pthread_cond_clockwait(&pool->ended, &pool->lock,
					     CLOCK_MONOTONIC, until);
	ended = pool->finished || pool->stopped;
	pthread_mutex_unlock(&pool->lock);
	return ended;
}
