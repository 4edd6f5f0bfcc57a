// SPDX-License-Identifier: MIT
/*
 * dma_tracker.c - which buffers devices have: a debugging aid for drivers.
 *
 * An array of entries that calls in any context fill, read and empty without a
 * lock.  The low bits of an entry's state say what the entry is, the next one
 * whether it was reported as a leak, and those above how often it was emptied:
 *
 *	FREE -> FILLING -> LIVE <-> LEAVING
 *	 ^                             |
 *	 +-----------------------------+
 *
 * An unmap makes the entries of its buffers LEAVING.  When it is done, it
 * empties them; if it fails, it makes them LIVE again, and nothing has changed.
 * Until then they count as mapped, except for another unmap.
 *
 * A reader of an entry looks at its state once more afterwards, so that it does
 * not take an entry that changed meanwhile for a mapping that never was.  The
 * entry of the buffer that a call is about does not change, since no other call
 * is about that buffer.
 */
#include "dma_priv.h"

#ifdef PKMAP_DMA_TRACKER

#define STATE_FREE     0u
#define STATE_FILLING  1u
#define STATE_LIVE     2u
#define STATE_LEAVING  3u
#define STATE_MASK     3u
#define STATE_REPORTED 4u
#define STATE_EMPTIED  8u /* once more */

/* A mapping, copied out of its entry. */
struct mapping {
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_buffer buf;
	enum pkmap_dma_dir dir;
	struct pkmap_range range;
	uint32_t state;
};

static struct mapping mapping_of(const struct pkmap_dma *d,
				 const struct pkmap_dma_call *call, uint32_t k)
{
	return (struct mapping){
		.dev = call->dev,
		.buf = call->bufs[k],
		.dir = call->dir,
		.range = buffer_range(d, &call->bufs[k]),
	};
}

static bool is_live(uint32_t state)
{
	return (state & STATE_MASK) >= STATE_LIVE;
}

/* Reads an entry into @m.  Returns false if it holds no mapping. */
static bool read_entry(const struct pkmap_dma *d, const struct pkmap_tracked *t,
		       struct mapping *m)
{
	do {
		/* Pairs with the release in fill_entry(). */
		m->state = pkmap_a32_load_acquire(&t->state);
		if (!is_live(m->state))
			return false;
		m->buf.pfn = pkmap_along_load_relaxed(&t->pfn);
		m->buf.offset = pkmap_along_load_relaxed(&t->offset);
		m->buf.len = pkmap_along_load_relaxed(&t->len);
		m->dev = (void *)pkmap_along_load_relaxed(&t->dev);
		m->dir = (enum pkmap_dma_dir)pkmap_a32_load_relaxed(&t->dir);
		/* Pairs with the releases of a later fill_entry()'s fields. */
		pkmap_fence_acquire();
	} while (pkmap_a32_load_relaxed(&t->state) != m->state);
	m->range = buffer_range(d, &m->buf);
	return true;
}

/*
 * Each field is stored with release: whoever reads one also sees that the entry
 * is no longer what it was.
 */
static void fill_entry(struct pkmap_tracked *t, const struct mapping *m,
		       uint32_t state)
{
	pkmap_along_store_release(&t->pfn, m->buf.pfn);
	pkmap_along_store_release(&t->offset, m->buf.offset);
	pkmap_along_store_release(&t->len, m->buf.len);
	pkmap_along_store_release(&t->dev, (unsigned long)m->dev);
	pkmap_a32_store_release(&t->dir, m->dir);
	/* Pairs with the acquire in read_entry(). */
	pkmap_a32_store_release(&t->state, state);
}

static void report(struct pkmap_dma *d, enum pkmap_dma_misuse what,
		   const char *call, const struct mapping *m,
		   const struct mapping *known)
{
	struct pkmap_dma_report r = {
		.what = what,
		.call = call,
		.dev = m->dev,
		.buf = m->buf,
		.dir = m->dir,
	};

	if (known) {
		r.known = known->buf;
		r.known_dir = known->dir;
		r.known_dev = known->dev;
	}
	pkmap_along_add_relaxed(&d->misuses, 1);
	if (d->ops->report)
		d->ops->report(d->port, &r);
}

static bool is_tracking(const struct pkmap_dma *d)
{
	return d->ntracked && !pkmap_a32_load_relaxed(&d->tracker_full);
}

/*
 * A caller that has counted itself in finds a free entry.  One pass may miss
 * it, if others take one ahead of us and empty one that we have passed.
 */
static struct pkmap_tracked *take_entry(struct pkmap_dma *d, uint32_t *state)
{
	struct pkmap_tracked *t = d->tracked;

	/* Pairs with the release in end_unmap(). */
	if (pkmap_a32_add_acquire(&d->ntaken, 1) >= d->ntracked)
		return NULL;
	for (;;) {
		*state = pkmap_a32_load_relaxed(&t->state);
		if ((*state & STATE_MASK) == STATE_FREE &&
		    pkmap_a32_cas_acquire(&t->state, state,
					  *state | STATE_FILLING))
			return t;
		if (++t == d->tracked + d->ntracked)
			t = d->tracked;
	}
}

/*
 * Reports a mapping through which a device writes to the same bytes.  Of two
 * that are added at once, one sees the other.
 */
static void check_overlap(struct pkmap_dma *d, const struct mapping *m,
			  const char *call, const struct pkmap_tracked *own)
{
	const struct pkmap_tracked *t;
	struct mapping other;

	if (!(m->dir & PKMAP_DMA_FROM_DEVICE))
		return;
	pkmap_fence_seq_cst();
	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (t == own || !read_entry(d, t, &other) ||
		    !(other.dir & PKMAP_DMA_FROM_DEVICE) ||
		    other.range.start >= m->range.end ||
		    m->range.start >= other.range.end)
			continue;
		report(d, PKMAP_DMA_OVERLAP, call, m, &other);
		return;
	}
}

static void add_mapping(struct pkmap_dma *d, const struct mapping *m,
			const char *call)
{
	struct pkmap_tracked *t;
	uint32_t state;
	uint32_t no = 0;

	t = take_entry(d, &state);
	if (!t) {
		if (pkmap_a32_cas_acquire(&d->tracker_full, &no, 1))
			report(d, PKMAP_DMA_TRACKER_FULL, call, m, NULL);
		return;
	}
	fill_entry(t, m, state | STATE_LIVE);
	check_overlap(d, m, call, t);
}

/*
 * Moves an entry that holds what @m says from one state to another; false if it
 * is no longer in state @from.
 */
static bool move_entry(struct pkmap_tracked *t, const struct mapping *m,
		       uint32_t from, uint32_t to)
{
	uint32_t state = m->state;
	uint32_t moved;

	do {
		if ((state & STATE_MASK) != from ||
		    state / STATE_EMPTIED != m->state / STATE_EMPTIED)
			return false;
		moved = (state & ~STATE_MASK) | to;
		if (to == STATE_FREE)
			moved = (state & ~(STATE_EMPTIED - 1)) + STATE_EMPTIED;
		/* Pairs with the acquire in take_entry(). */
	} while (!pkmap_a32_cas_release(&t->state, &state, moved));
	return true;
}

/* The same for the entry of mapping @m; false if none is in state @from. */
static bool move_mapping(struct pkmap_dma *d, const struct mapping *m,
			 uint32_t from, uint32_t to)
{
	struct pkmap_tracked *t;
	struct mapping other;

	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (read_entry(d, t, &other) &&
		    other.range.start == m->range.start &&
		    other.range.end == m->range.end && other.dir == m->dir &&
		    other.dev == m->dev && move_entry(t, &other, from, to))
			return true;
	}
	return false;
}

static enum pkmap_dma_misuse unmap_misuse(const struct mapping *m,
					  const struct mapping *known)
{
	if (m->range.end != known->range.end)
		return PKMAP_DMA_UNMAP_LENGTH;
	if (m->dir != known->dir)
		return PKMAP_DMA_UNMAP_DIRECTION;
	return PKMAP_DMA_UNMAP_DEVICE;
}

/*
 * Reports why @m cannot be unmapped.  The tracker was not full when @m was
 * looked for, so if @m was mapped, that was tracked; it does not matter whether
 * the tracker is full by now.
 */
static int refuse_unmap(struct pkmap_dma *d, const struct mapping *m,
			const char *call)
{
	struct mapping known = { .buf.len = 0 };
	const struct pkmap_tracked *t;
	struct mapping other;

	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (read_entry(d, t, &other) &&
		    other.range.start == m->range.start &&
		    (other.state & STATE_MASK) == STATE_LIVE)
			known = other;
	}
	if (known.buf.len)
		report(d, unmap_misuse(m, &known), call, m, &known);
	else
		report(d, PKMAP_DMA_UNMAP_UNMAPPED, call, m, NULL);
	return PKMAP_EINVAL;
}

static int check_sync(struct pkmap_dma *d, const struct mapping *m,
		      const char *call)
{
	enum pkmap_dma_misuse what = PKMAP_DMA_SYNC_UNMAPPED;
	const struct pkmap_tracked *t;
	struct mapping known;
	struct mapping other;

	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (!read_entry(d, t, &other) ||
		    m->range.start < other.range.start ||
		    m->range.end > other.range.end)
			continue;
		if (other.dir == m->dir && other.dev == m->dev)
			return 0;
		what = other.dir != m->dir ? PKMAP_DMA_SYNC_DIRECTION :
					     PKMAP_DMA_SYNC_DEVICE;
		known = other;
	}
	report(d, what, call, m,
	       what == PKMAP_DMA_SYNC_UNMAPPED ? NULL : &known);
	return PKMAP_EINVAL;
}

void pkmap_track_init(struct pkmap_dma *d)
{
	uint32_t i;

	pkmap_a32_store_relaxed(&d->tracker_full, 0);
	pkmap_a32_store_relaxed(&d->ntaken, 0);
	for (i = 0; i < d->ntracked; i++)
		pkmap_a32_store_relaxed(&d->tracked[i].state, STATE_FREE);
}

void pkmap_track_map(struct pkmap_dma *d, const struct pkmap_dma_call *call)
{
	struct mapping m;
	uint32_t k;

	for (k = 0; k < call->nbufs && is_tracking(d); k++) {
		m = mapping_of(d, call, k);
		add_mapping(d, &m, call->name);
	}
}

/* Moves the entries of the first @n buffers of an unmap to their new state. */
static void end_unmap(struct pkmap_dma *d, const struct pkmap_dma_call *call,
		      uint32_t n, uint32_t to)
{
	struct mapping m;
	uint32_t k;

	for (k = 0; k < n; k++) {
		m = mapping_of(d, call, k);
		if (move_mapping(d, &m, STATE_LEAVING, to) && to == STATE_FREE)
			/* Pairs with the acquire in take_entry(). */
			pkmap_a32_add_release(&d->ntaken, (uint32_t)-1);
	}
}

int pkmap_track_begin_unmap(struct pkmap_dma *d,
			    const struct pkmap_dma_call *call)
{
	struct mapping m;
	uint32_t k;
	int err;

	for (k = 0; k < call->nbufs && is_tracking(d); k++) {
		m = mapping_of(d, call, k);
		if (move_mapping(d, &m, STATE_LIVE, STATE_LEAVING))
			continue;
		err = refuse_unmap(d, &m, call->name);
		end_unmap(d, call, k, STATE_LIVE);
		return err;
	}
	return 0;
}

void pkmap_track_end_unmap(struct pkmap_dma *d,
			   const struct pkmap_dma_call *call, bool done)
{
	if (is_tracking(d))
		end_unmap(d, call, call->nbufs, done ? STATE_FREE : STATE_LIVE);
}

int pkmap_track_sync(struct pkmap_dma *d, const struct pkmap_dma_call *call)
{
	struct mapping m;
	uint32_t k;
	int err;

	for (k = 0; k < call->nbufs && is_tracking(d); k++) {
		m = mapping_of(d, call, k);
		err = check_sync(d, &m, call->name);
		if (err)
			return err;
	}
	return 0;
}

/* One that is being closed does not count: its owner is done with the page. */
static bool has_local_map(struct pkmap_dma *d, const struct mapping *m)
{
	const uint32_t shift = d->win->page_shift;
	const pkmap_pfn last = (pkmap_pfn)((m->range.end - 1) >> shift);
	pkmap_pfn pfn;

	for (pfn = m->buf.pfn; pfn <= last; pfn++) {
		if (pkmap_find_local(d->win, pfn, LOCAL_BORROWED, LOCAL_OPEN))
			return true;
	}
	return false;
}

/* Reports the buffers of which this CPU has a local map open. */
void pkmap_track_local_maps(struct pkmap_dma *d,
			    const struct pkmap_dma_call *call)
{
	struct mapping m;
	uint32_t k;

	for (k = 0; k < call->nbufs && is_tracking(d); k++) {
		m = mapping_of(d, call, k);
		if (has_local_map(d, &m))
			report(d, PKMAP_DMA_LOCAL_MAP, call->name, &m, NULL);
	}
}

/* Reports each mapping that has a page of the range. */
int pkmap_track_forget(struct pkmap_dma *d, pkmap_pfn first, pkmap_pfn npages)
{
	const uint32_t shift = d->win->page_shift;
	const struct mapping page = {
		.buf = { .pfn = first, .len = (size_t)1 << shift },
	};
	const struct pkmap_range range = { (uint64_t)first << shift,
					   (uint64_t)(first + npages)
						   << shift };
	const struct pkmap_tracked *t;
	struct mapping m;
	int err = 0;

	if (!is_tracking(d))
		return 0;
	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (!read_entry(d, t, &m) || m.range.start >= range.end ||
		    range.start >= m.range.end)
			continue;
		report(d, PKMAP_DMA_FORGOTTEN, "pkmap_dma_forget", &page, &m);
		err = PKMAP_EBUSY;
	}
	return err;
}

/* Marks the entry as reported; false if it was, or is not what @m says. */
static bool mark_reported(struct pkmap_tracked *t, const struct mapping *m)
{
	uint32_t state = m->state;

	return !(state & STATE_REPORTED) &&
	       pkmap_a32_cas_acquire(&t->state, &state, state | STATE_REPORTED);
}

uint32_t pkmap_dma_leaks(struct pkmap_dma *d,
			 const struct pkmap_dma_device *dev)
{
	struct pkmap_tracked *t;
	struct mapping m;
	uint32_t n = 0;

	if (!is_tracking(d))
		return 0;
	for (t = d->tracked; t < d->tracked + d->ntracked; t++) {
		if (!read_entry(d, t, &m) || (dev && m.dev != dev))
			continue;
		n++;
		if (mark_reported(t, &m))
			report(d, PKMAP_DMA_NEVER_UNMAPPED, "pkmap_dma_leaks",
			       &m, NULL);
	}
	return n;
}

#else

uint32_t pkmap_dma_leaks(struct pkmap_dma *d,
			 const struct pkmap_dma_device *dev)
{
	(void)d;
	(void)dev;
	return 0;
}

#endif /* PKMAP_DMA_TRACKER */
