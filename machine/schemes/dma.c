// SPDX-License-Identifier: MIT
/*
 * dma.c - cache maintenance of a buffer before and after a transfer: the table
 * of pkmap/dma.h, at the address at which the scheme pins the page.
 */
#include "slots.h"

#define NOTHING ((enum pkmap_cache_op)0)

struct transfer {
	/* Physical addresses; @end is the first behind the buffer. */
	uint64_t start;
	uint64_t end;
	/* The operations on the buffer's own lines, and on shared ones. */
	enum pkmap_cache_op whole;
	enum pkmap_cache_op shared;
};

static struct transfer transfer_of(const struct slots *s,
				   const struct pkmap_dma_buffer *buf)
{
	const uint64_t start =
		((uint64_t)buf->pfn << s->config.page_shift) + buf->offset;

	return (struct transfer){
		.start = start,
		.end = start + buf->len,
	};
}

/*
 * *addr is where a page's lines can be maintained until release_page(), or NULL
 * if a VIVT cache has none of them at a window address.
 */
static int hold_page(struct slots *s, pkmap_pfn pfn, void **addr)
{
	*addr = s->scheme->pin(s, pfn);
	if (*addr || s->config.cache.kind == PKMAP_CACHE_VIVT)
		return 0;
	return slots_local_open(s, FOR_DMA, pfn, addr);
}

static void release_page(struct slots *s, void *addr)
{
	if (slots_of(s, addr) < s->config.nslots)
		s->scheme->unpin(s, addr);
	else
		slots_local_close(s, FOR_DMA, addr);
}

static enum pkmap_cache_op line_op(const struct transfer *t, uint64_t line,
				   uint64_t line_end)
{
	return line < t->start || line_end > t->end ? t->shared : t->whole;
}

/* Maintains the lines from @line to @end, all of page @pfn. */
static int maintain_page(struct slots *s, const struct transfer *t,
			 pkmap_pfn pfn, uint64_t line, uint64_t end)
{
	const uint64_t page = (uint64_t)pfn << s->config.page_shift;
	const uint32_t bytes = machine_line_bytes();
	enum pkmap_cache_op op;
	void *addr = NULL;
	int err;

	for (; line < end; line += bytes) {
		op = line_op(t, line, line + bytes);
		if (op == NOTHING)
			continue;
		if (!addr) {
			err = hold_page(s, pfn, &addr);
			if (err || !addr)
				return err;
		}
		machine_dma_ops.cache(s->config.port, op,
				      (char *)addr + (line - page), bytes);
	}
	if (addr)
		release_page(s, addr);
	return 0;
}

static int maintain_lines(struct slots *s, const struct transfer *t)
{
	uint64_t line = t->start & ~((uint64_t)machine_line_bytes() - 1);
	pkmap_pfn pfn;
	uint64_t end;
	int err;

	for (; line < t->end; line = end) {
		pfn = (pkmap_pfn)(line >> s->config.page_shift);
		end = (uint64_t)(pfn + 1) << s->config.page_shift;
		if (end > t->end)
			end = t->end;
		err = maintain_page(s, t, pfn, line, end);
		if (err)
			return err;
	}
	return 0;
}

int slots_dma_map(void *mem, const struct pkmap_dma_buffer *buf,
		  enum pkmap_dma_dir dir)
{
	struct transfer t = transfer_of(mem, buf);

	switch (dir) {
	case PKMAP_DMA_TO_DEVICE:
		t.whole = PKMAP_CACHE_CLEAN;
		t.shared = PKMAP_CACHE_CLEAN;
		break;
	case PKMAP_DMA_FROM_DEVICE:
		t.whole = PKMAP_CACHE_INVAL;
		t.shared = PKMAP_CACHE_CLEAN_INVAL;
		break;
	case PKMAP_DMA_BIDIRECTIONAL:
		t.whole = PKMAP_CACHE_CLEAN_INVAL;
		t.shared = PKMAP_CACHE_CLEAN_INVAL;
		break;
	}
	return maintain_lines(mem, &t);
}

int slots_dma_unmap(void *mem, const struct pkmap_dma_buffer *buf,
		    enum pkmap_dma_dir dir)
{
	struct slots *s = mem;
	struct transfer t = transfer_of(s, buf);

	if (dir == PKMAP_DMA_TO_DEVICE)
		return 0;
	if (s->config.cache.speculative)
		t.whole = PKMAP_CACHE_INVAL;
	t.shared = PKMAP_CACHE_CLEAN_INVAL;
	return maintain_lines(s, &t);
}
