// SPDX-License-Identifier: MIT
/*
 * dma_segments.c - the segments that a device is told, within its limits.
 */
#include "dma_priv.h"

/* The segments of a list, so far. */
struct segments {
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_segment *out; /* NULL: they are only counted */
	struct pkmap_dma_segment last;
	uint32_t n;
	uint32_t max;
};

static bool device_valid(const struct pkmap_dma_device *dev)
{
	return dev->addr_mask && !(dev->addr_mask & (dev->addr_mask + 1)) &&
	       !(dev->boundary & (dev->boundary - 1));
}

/* The device's address of @r; false if it cannot reach all of it. */
static bool device_addr(const struct pkmap_dma_device *dev,
			const struct pkmap_range *r, uint64_t *addr)
{
	if (r->start < dev->phys_base || dev->bus_base > dev->addr_mask ||
	    r->end - 1 - dev->phys_base > dev->addr_mask - dev->bus_base)
		return false;
	*addr = r->start - dev->phys_base + dev->bus_base;
	return true;
}

/* How many bytes a segment that starts at @addr may have. */
static uint64_t segment_limit(const struct pkmap_dma_device *dev, uint64_t addr)
{
	const uint64_t limit = dev->max_segment ? dev->max_segment : UINT64_MAX;

	if (!dev->boundary)
		return limit;
	return min_u64(limit, dev->boundary - (addr & (dev->boundary - 1)));
}

/* Adds to the last segment, or starts a new one; false if there is no room. */
static bool put_segment(struct segments *s, uint64_t addr, uint64_t len)
{
	if (s->n && addr - s->last.addr == s->last.len &&
	    len <= segment_limit(s->dev, s->last.addr) - s->last.len) {
		s->last.len += len;
	} else {
		if (s->n == s->max)
			return false;
		s->n++;
		s->last = (struct pkmap_dma_segment){ addr, len };
	}
	if (s->out)
		s->out[s->n - 1] = s->last;
	return true;
}

/* A buffer is only cut where no segment could hold all of it. */
static int add_segments(struct segments *s, const struct pkmap_range *r)
{
	uint64_t len = r->end - r->start;
	uint64_t addr;
	uint64_t cut;

	if (!device_addr(s->dev, r, &addr))
		return PKMAP_ERANGE;
	for (; len; addr += cut, len -= cut) {
		cut = min_u64(len, segment_limit(s->dev, addr));
		if (!put_segment(s, addr, cut))
			return PKMAP_ENOSPC;
	}
	return 0;
}

/* Returns how many segments there are, or an error. */
int pkmap_cut_segments(const struct pkmap_dma *d,
		       const struct pkmap_dma_call *call,
		       struct pkmap_dma_segment *out, uint32_t max_segs)
{
	struct segments s = {
		.dev = call->dev,
		.out = out,
		.max = (uint32_t)min_u64(max_segs, INT32_MAX),
	};
	struct pkmap_range r;
	uint32_t k;
	int err;

	if (!device_valid(call->dev))
		return PKMAP_EINVAL;
	for (k = 0; k < call->nbufs; k++) {
		r = buffer_range(d, &call->bufs[k]);
		err = add_segments(&s, &r);
		if (err)
			return err;
	}
	return (int)s.n;
}
