// SPDX-License-Identifier: MIT
/*
 * dma.c - ownership of buffers between the CPU and devices: the calls.
 */
#include "dma_priv.h"

/* How many pages the memory that @pfn lies in has from there on. */
static pkmap_pfn pages_from(const struct pkmap_dma *d, pkmap_pfn pfn)
{
	if (pfn_is_low(d, pfn))
		return d->low_npages - (pfn - d->low_first_pfn);
	if (pfn_in_range(d->win, pfn))
		return d->win->npages - (pfn - d->win->first_pfn);
	return 0;
}

static int check_buffer(const struct pkmap_dma *d,
			const struct pkmap_dma_buffer *buf)
{
	const uint32_t shift = d->win->page_shift;
	const uint64_t memory = (uint64_t)pages_from(d, buf->pfn) << shift;

	if (!buf->len || buf->offset >> shift ||
	    buf->len > SIZE_MAX - buf->offset)
		return PKMAP_EINVAL;
	return buf->offset + buf->len > memory ? PKMAP_ERANGE : 0;
}

/* How many lines a buffer shares with neighbours: at most one at each edge. */
static uint32_t shared_lines(const struct pkmap_dma *d,
			     const struct pkmap_dma_buffer *buf)
{
	const struct pkmap_range r = buffer_range(d, buf);
	const uint64_t mask = line_mask(d);
	const uint32_t first = (r.start & mask) != 0;
	const uint32_t last = (r.end & mask) != 0;
	const bool one_line = (r.start & ~mask) == ((r.end - 1) & ~mask);

	return one_line ? first | last : first + last;
}

/* Whether all buffers of a call could be mapped for some device. */
static int check_call(const struct pkmap_dma *d,
		      const struct pkmap_dma_call *call, uint32_t *nshared)
{
	const bool from = call->dir & PKMAP_DMA_FROM_DEVICE;
	uint32_t k;
	uint32_t n;
	int err;

	*nshared = 0;
	if (!call->nbufs || call->dir < PKMAP_DMA_TO_DEVICE ||
	    call->dir > PKMAP_DMA_BIDIRECTIONAL)
		return PKMAP_EINVAL;
	for (k = 0; k < call->nbufs; k++) {
		err = check_buffer(d, &call->bufs[k]);
		if (err)
			return err;
		if (!from || call->dev->coherent)
			continue;
		n = shared_lines(d, &call->bufs[k]);
		if (n && d->strict)
			return PKMAP_EINVAL;
		*nshared += n;
	}
	return 0;
}

/* Every call ends here.  Counts what was done, or that the call was refused. */
static int count_call(struct pkmap_dma *d, pkmap_along *counter, uint32_t n,
		      int err)
{
	if (err < 0)
		pkmap_along_add_relaxed(&d->refused, 1);
	else
		pkmap_along_add_relaxed(counter, n);
	return err;
}

int pkmap_dma_map(struct pkmap_dma *d, const struct pkmap_dma_device *dev,
		  const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
		  enum pkmap_dma_dir dir, struct pkmap_dma_segment *segs,
		  uint32_t max_segs)
{
	const struct pkmap_dma_call call = { "pkmap_dma_map", dev, bufs, nbufs,
					     dir };
	uint32_t nshared;
	int nsegs;
	int err;

	err = check_call(d, &call, &nshared);
	if (!err) {
		nsegs = pkmap_cut_segments(d, &call, NULL, max_segs);
		err = nsegs < 0 ? nsegs : 0;
	}
	if (!err) {
		pkmap_track_local_maps(d, &call);
		err = pkmap_maintain_lines(d, &call, BEFORE);
	}
	if (err)
		return count_call(d, &d->maps, nbufs, err);

	pkmap_track_map(d, &call);
	pkmap_along_add_relaxed(&d->shared_lines, nshared);
	return count_call(d, &d->maps, nbufs,
			  pkmap_cut_segments(d, &call, segs, max_segs));
}

int pkmap_dma_unmap(struct pkmap_dma *d, const struct pkmap_dma_device *dev,
		    const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
		    enum pkmap_dma_dir dir)
{
	const struct pkmap_dma_call call = { "pkmap_dma_unmap", dev, bufs,
					     nbufs, dir };
	uint32_t nshared;
	int err;

	err = check_call(d, &call, &nshared);
	if (!err)
		err = pkmap_track_begin_unmap(d, &call);
	if (!err) {
		err = pkmap_maintain_lines(d, &call, AFTER);
		pkmap_track_end_unmap(d, &call, !err);
	}
	return count_call(d, &d->unmaps, nbufs, err);
}

static int sync_buffers(struct pkmap_dma *d, const struct pkmap_dma_call *call,
			enum pkmap_moment moment)
{
	uint32_t nshared;
	int err;

	err = check_call(d, call, &nshared);
	if (!err)
		err = pkmap_track_sync(d, call);
	if (!err && moment == BEFORE)
		pkmap_track_local_maps(d, call);
	if (!err)
		err = pkmap_maintain_lines(d, call, moment);
	return count_call(d, &d->syncs, call->nbufs, err);
}

int pkmap_dma_sync_for_cpu(struct pkmap_dma *d,
			   const struct pkmap_dma_device *dev,
			   const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			   enum pkmap_dma_dir dir)
{
	const struct pkmap_dma_call call = { "pkmap_dma_sync_for_cpu", dev,
					     bufs, nbufs, dir };

	return sync_buffers(d, &call, AFTER);
}

int pkmap_dma_sync_for_device(struct pkmap_dma *d,
			      const struct pkmap_dma_device *dev,
			      const struct pkmap_dma_buffer *bufs,
			      uint32_t nbufs, enum pkmap_dma_dir dir)
{
	const struct pkmap_dma_call call = { "pkmap_dma_sync_for_device", dev,
					     bufs, nbufs, dir };

	return sync_buffers(d, &call, BEFORE);
}

/*
 * The second pkmap_forget() finds no page mapped.  It makes sure that the slots
 * through which the lines were reached show nothing any more.
 */
int pkmap_dma_forget(struct pkmap_dma *d, pkmap_pfn first, pkmap_pfn npages,
		     const struct pkmap_wait *wait)
{
	int err;

	if (npages > d->win->npages ||
	    first - d->win->first_pfn > d->win->npages - npages)
		return PKMAP_ERANGE;
	if (!npages)
		return 0;
	err = pkmap_track_forget(d, first, npages);
	if (!err)
		err = pkmap_forget(d->win, first, npages, wait);
	if (!err)
		err = pkmap_clean_inval_pages(d, first, npages);
	if (!err)
		err = pkmap_forget(d->win, first, npages, wait);
	return err;
}

int pkmap_dma_low_buffer(struct pkmap_dma *d, const void *addr, size_t len,
			 struct pkmap_dma_buffer *buf)
{
	const uint32_t shift = d->win->page_shift;
	const uint64_t low_bytes = (uint64_t)d->low_npages << shift;
	const uintptr_t at = (uintptr_t)addr - d->low_base;

	if (!len)
		return PKMAP_EINVAL;
	if (at >= low_bytes || len > low_bytes - at)
		return PKMAP_ERANGE;
	*buf = (struct pkmap_dma_buffer){
		.pfn = d->low_first_pfn + (pkmap_pfn)(at >> shift),
		.offset = at & (((size_t)1 << shift) - 1),
		.len = len,
	};
	return 0;
}

/* Whether physical addresses of the pages, and the next one, fit in 64 bits. */
static bool pages_valid(pkmap_pfn first, pkmap_pfn npages, uint32_t shift)
{
	return first <= PKMAP_NO_PFN - npages &&
	       (uint64_t)first + npages <= UINT64_MAX >> shift;
}

static bool caches_valid(const struct pkmap_dma_config *c)
{
	const struct pkmap_window *w = c->win;

	if (!c->line_bytes || c->line_bytes & (c->line_bytes - 1) ||
	    c->line_bytes > (size_t)1 << w->page_shift)
		return false;
	if (c->ops->cache_phys)
		return w->cache.kind != PKMAP_CACHE_VIVT;
	return c->ops->cache &&
	       (w->cache.kind == PKMAP_CACHE_VIVT || w->dma_slots);
}

static bool low_valid(const struct pkmap_dma_config *c)
{
	const struct pkmap_window *w = c->win;
	const size_t page_mask = ((size_t)1 << w->page_shift) - 1;
	const pkmap_pfn npages = c->low_bytes >> w->page_shift;

	if (!c->low_bytes)
		return true;
	if ((uintptr_t)c->low_base & page_mask || c->low_bytes & page_mask ||
	    c->low_bytes - 1 > UINTPTR_MAX - (uintptr_t)c->low_base)
		return false;
	return pages_valid(c->low_first_pfn, npages, w->page_shift) &&
	       (c->low_first_pfn >= w->first_pfn + w->npages ||
		w->first_pfn >= c->low_first_pfn + npages);
}

size_t pkmap_dma_size(const struct pkmap_dma_config *config)
{
	const struct pkmap_dma_config *c = config;
	uint64_t bytes;

	if (!c || !c->win || !c->ops || !caches_valid(c) || !low_valid(c) ||
	    !pages_valid(c->win->first_pfn, c->win->npages,
			 c->win->page_shift) ||
	    (c->tracker_entries && !TRACKER_BUILT))
		return 0;
	bytes = sizeof(struct pkmap_dma) +
		(uint64_t)c->tracker_entries * sizeof(struct pkmap_tracked);
	return bytes <= SIZE_MAX ? (size_t)bytes : 0;
}

#define CLEAR_DMA_COUNTER(name) pkmap_along_store_relaxed(&d->name, 0)

static void init_counters(struct pkmap_dma *d)
{
	uint32_t op;

	DMA_COUNTERS(CLEAR_DMA_COUNTER)
	for (op = 0; op <= PKMAP_CACHE_CLEAN_INVAL; op++)
		pkmap_along_store_relaxed(&d->lines[op], 0);
}

int pkmap_dma_init(void *mem, const struct pkmap_dma_config *config,
		   struct pkmap_dma **dma)
{
	struct pkmap_dma *d = mem;

	if (!mem || (uintptr_t)mem % PKMAP_ALIGN || !pkmap_dma_size(config))
		return PKMAP_EINVAL;

	d->win = config->win;
	d->ops = config->ops;
	d->port = config->port;
	d->line_shift = (uint32_t)__builtin_ctzl(config->line_bytes);
	d->strict = config->strict;
	d->low_base = (uintptr_t)config->low_base;
	d->low_first_pfn = config->low_first_pfn;
	d->low_npages = config->low_bytes >> d->win->page_shift;
	d->tracked = (void *)(d + 1);
	d->ntracked = config->tracker_entries;
	init_counters(d);
	pkmap_track_init(d);
	*dma = d;
	return 0;
}

#define READ_DMA_COUNTER(name) \
	(stats->name = pkmap_along_load_relaxed(&d->name))

void pkmap_dma_read_stats(struct pkmap_dma *d, struct pkmap_dma_stats *stats)
{
	const pkmap_along *lines = d->lines;

	DMA_COUNTERS(READ_DMA_COUNTER)
	stats->cleaned = pkmap_along_load_relaxed(&lines[PKMAP_CACHE_CLEAN]);
	stats->invalidated =
		pkmap_along_load_relaxed(&lines[PKMAP_CACHE_INVAL]);
	stats->clean_invalidated =
		pkmap_along_load_relaxed(&lines[PKMAP_CACHE_CLEAN_INVAL]);
}
