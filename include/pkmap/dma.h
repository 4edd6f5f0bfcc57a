/* SPDX-License-Identifier: MIT */
/*
 * pkmap/dma.h - ownership of buffers between the CPU and devices that do not
 * see its caches.
 *
 * A driver gives a buffer to a device with pkmap_dma_map() and takes it back
 * with pkmap_dma_unmap(), or, to use it again and again, passes it to and fro
 * with pkmap_dma_sync_for_cpu() and pkmap_dma_sync_for_device().  These calls
 * clean and invalidate the cache lines that need it, at the address where the
 * window shows the page if it does, and a map tells the device's address.
 *
 *	struct pkmap_dma_buffer buf = { .pfn = pfn, .len = 2048 };
 *	struct pkmap_dma_segment seg;
 *
 *	if (pkmap_dma_map(dma, dev, &buf, 1, PKMAP_DMA_FROM_DEVICE, &seg, 1) < 0)
 *		...
 *	start the device at seg.addr, wait for its interrupt
 *	pkmap_dma_unmap(dma, dev, &buf, 1, PKMAP_DMA_FROM_DEVICE);
 *	map the page, read what was received
 *
 * docs/dma.md has a whole receive path.
 *
 * Rules for all calls:
 *
 *   Ownership.  A buffer belongs to the CPU at first.  It belongs to the device
 *   from a map or a sync for the device until the unmap or the next sync for
 *   the CPU.
 *
 *	The CPU's	the device does not touch it.
 *	The device's	the CPU does not write to it, through no address, and
 *			reads it only if the direction is TO_DEVICE.
 *
 *   The page may be mapped and unmapped all the while, and what else it holds
 *   may be used; but see "Shared lines".  Local maps of the buffer itself end
 *   before it goes to a device.
 *
 *   When a buffer FROM_DEVICE is given to a device, what the CPU wrote to it is
 *   lost, even if the device writes to only a part of it.  The rest is what
 *   memory held before, which may be somebody else's data although the CPU has
 *   cleared the page since.  Where that matters, use BIDIRECTIONAL.
 *
 *   A sync for the CPU and an unmap may throw away what the CPU wrote since the
 *   previous sync for the CPU.  Whoever changes a buffer that is mapped makes a
 *   sync for the device before the next of them (BIDIRECTIONAL), or changes it
 *   after the unmap.
 *
 *   Contexts.  All calls but pkmap_dma_forget() work in any context: task,
 *   interrupt and NMI, whatever they interrupted (NMI as far as the port's
 *   operations do).  They do not sleep and wait for nobody, and none allocates
 *   anything.  A pin or a local slot is held only while a page's lines are
 *   worked on, never for the length of a transfer.  Two calls for the same
 *   buffer are never made at once.
 *
 *   Time.  Besides the port's operations, a constant for each page of the
 *   buffers; for a coherent device, for each buffer.  A tracker looks at all of
 *   its entries for each buffer, and at this CPU's local maps for each page.
 *
 *   Ordering.  What the CPU wrote before a map or a sync for the device is,
 *   when the call returns, where the device reads it; and what the CPU reads
 *   after an unmap or a sync for the CPU is what the device wrote before the
 *   driver learned that it was done.  Telling the device to start, and learning
 *   that it is done, need barriers of their own, which are the driver's:
 *   writel(), readl() and dma_rmb() in Linux.  For a coherent device those are
 *   the only ordering.
 *
 *   Errors.  Negative PKMAP_E codes.  A call that fails has changed nothing,
 *   except where said.
 *
 * What is done to the lines of a buffer, and why:
 *
 *	direction	moment	whole lines		shared lines
 *	TO_DEVICE	before	clean			clean
 *	TO_DEVICE	after	nothing			nothing
 *	FROM_DEVICE	before	invalidate		clean and invalidate
 *	FROM_DEVICE	after	(invalidate)		clean and invalidate
 *	BIDIRECTIONAL	before	clean and invalidate	clean and invalidate
 *	BIDIRECTIONAL	after	(invalidate)		clean and invalidate
 *
 *	Before: map, sync for the device.  After: unmap, sync for the CPU.
 *	In brackets: if the CPU fills lines speculatively (cache.speculative).
 *
 *   TO_DEVICE	the device must find in memory what the CPU wrote.  It changes
 *		nothing, so lines stay valid.
 *   FROM_DEVICE, before: a dirty line that is evicted during the transfer
 *		would overwrite what the device has stored.
 *   BIDIRECTIONAL, before: both.
 *   after	a CPU that speculates may have filled lines with old contents
 *		during the transfer, though nobody touched the buffer.  If it
 *		does not speculate there are none: they were invalid at the
 *		start.
 *
 *   Shared lines.  A buffer that does not start, or end, on a line boundary
 *   shares its first, or last, line with other data: a neighbour.  Invalidating
 *   that line would throw away what the neighbour wrote, so it is cleaned too.
 *
 *	before	What the neighbour wrote is then in memory.  The line is also
 *		invalidated, for caches that do not allocate a line on a write:
 *		if the neighbour only writes during the transfer, its stores go
 *		to memory there, and harm nobody.
 *	after	On every CPU: if the neighbour read during the transfer, its
 *		line is valid, old and clean.
 *
 *   If the neighbour wrote during the transfer, and the line was filled for
 *   that or before, the line is dirty, and holds what the neighbour wrote next
 *   to old contents of the buffer.  No cache operation can save both.  What the
 *   device wrote to that line is lost, never what the neighbour wrote.  To be
 *   safe, a buffer that a device writes to starts and ends on multiples of
 *   line_bytes, as it does if its allocator rounds sizes up to them;
 *   config.strict refuses others, and the statistics count their shared lines.
 *   Each buffer of a list counts by itself.
 *
 *   Which address.  Lines of low memory are worked on at its own address.  For
 *   others, a page that is mapped in the window is pinned, and worked on there.
 *   If it is not:
 *
 *	VIVT	there is nothing to do: no line of it is cached under an address
 *		of the window (invariant I8).  But if a local map of it is open
 *		on this CPU, its lines may be there, and that address is used.
 *	others	lines are found by physical address, and may be there: a local
 *		slot is used, of the page's colour if the cache aliases.  One is
 *		reserved for each level of interrupts (config.dma_slots of the
 *		window), whatever local maps are open.
 *
 *   Where the port has operations by physical address, no page is looked up.
 *
 *   To the window, a look-up is a pin: its statistics count it, and while the
 *   lines are worked on the page is in use for pkmap_forget() and for a map
 *   that looks for a slot.
 *
 *   Outer cache.  Before a transfer it follows the inner cache, whose dirty
 *   lines go into it.  After one it precedes the inner cache, which could
 *   otherwise fill lines from it again.  It may not be an exclusive one, which
 *   also gets clean lines that the inner cache evicts.
 */
#ifndef PKMAP_DMA_H
#define PKMAP_DMA_H

#include <pkmap/pkmap.h>
#include <pkmap/types.h>

struct pkmap_dma;

/* Which way the data go. */
enum pkmap_dma_dir {
	PKMAP_DMA_TO_DEVICE = 1,
	PKMAP_DMA_FROM_DEVICE = 2,
	PKMAP_DMA_BIDIRECTIONAL = 3,
};

/*
 * What a device can do.  It belongs to the caller, and must be the same object,
 * unchanged, from a buffer's map to its unmap.
 */
struct pkmap_dma_device {
	/*
	 * The highest address that it can reach: 2^n - 1.  A buffer that
	 * reaches beyond it is refused.
	 */
	uint64_t addr_mask;
	/*
	 * It sees a physical address at physical - phys_base + bus_base; it
	 * does not see what lies below @phys_base.
	 */
	uint64_t phys_base;
	uint64_t bus_base;
	/* The most bytes that a segment may have; 0: no limit. */
	uint64_t max_segment;
	/*
	 * No segment crosses a multiple of this, a power of two; 0: it may
	 * cross any.
	 */
	uint64_t boundary;
	/* It sees the CPU's caches: nothing is done to them. */
	bool coherent;
};

/*
 * A buffer, or a piece of one: @len bytes from byte @offset of page @pfn on,
 * where the pages from @pfn on follow each other in memory.  It lies in the
 * window's pages or in low memory, not partly in each.
 */
struct pkmap_dma_buffer {
	pkmap_pfn pfn;
	size_t offset; /* less than the page size */
	size_t len;    /* at least 1 */
};

/* What a device is told: @len bytes at its address @addr. */
struct pkmap_dma_segment {
	uint64_t addr;
	uint64_t len;
};

enum pkmap_cache_op {
	PKMAP_CACHE_CLEAN = 1, /* write back what is dirty */
	PKMAP_CACHE_INVAL,     /* forget, dirty or not */
	PKMAP_CACHE_CLEAN_INVAL,
};

/*
 * What the tracker finds, see struct pkmap_dma_config.  A local map is of a
 * whole page: it is reported even if it was opened for other bytes.
 */
enum pkmap_dma_misuse {
	PKMAP_DMA_UNMAP_UNMAPPED,  /* unmap of what is not mapped */
	PKMAP_DMA_UNMAP_LENGTH,	   /* unmap with another length than the map */
	PKMAP_DMA_UNMAP_DIRECTION, /* with another direction */
	PKMAP_DMA_UNMAP_DEVICE,	   /* for another device */
	PKMAP_DMA_SYNC_UNMAPPED,   /* sync of what is not mapped */
	PKMAP_DMA_SYNC_DIRECTION,  /* with another direction than the map */
	PKMAP_DMA_SYNC_DEVICE,	   /* for another device */
	PKMAP_DMA_OVERLAP,	   /* devices write to the same bytes */
	PKMAP_DMA_LOCAL_MAP,	   /* a local map of its page is open here */
	PKMAP_DMA_NEVER_UNMAPPED,  /* see pkmap_dma_leaks() */
	PKMAP_DMA_FORGOTTEN,	   /* a device has a page to be forgotten */
	PKMAP_DMA_TRACKER_FULL,	   /* it tracks nothing from here on */
};

struct pkmap_dma_report {
	enum pkmap_dma_misuse what;
	const char *call; /* the function, "pkmap_dma_unmap" */
	const struct pkmap_dma_device *dev;
	struct pkmap_dma_buffer buf; /* what it was given */
	enum pkmap_dma_dir dir;
	/*
	 * The mapping that this contradicts, as it was mapped: with _LENGTH,
	 * _DIRECTION, _DEVICE, _OVERLAP and _FORGOTTEN (of which @dev is NULL,
	 * and @buf the first page).  Else known.len is 0.
	 */
	struct pkmap_dma_buffer known;
	enum pkmap_dma_dir known_dir;
	const struct pkmap_dma_device *known_dev;
};

/*
 * The operations.  @port is config.port in all of them.  They work in every
 * context in which the DMA calls are made, and return when the operation is
 * complete as far as devices can tell: on ARM, with a dsb behind it (and for an
 * outer cache with its sync).  Addresses and lengths are multiples of
 * config.line_bytes, within a page where they are virtual.
 *
 * PKMAP_CACHE_CLEAN_INVAL is one step for each line: no store of a neighbour
 * may come in between.  Where hardware takes two (PL310, errata 588369 and
 * 727915), the port keeps everybody from writing meanwhile.
 *
 * In a read_only window the addresses are read-only too.  Where invalidating
 * needs write permission (dc ivac of ARMv8), the port cleans and invalidates
 * there.
 */
struct pkmap_dma_ops {
	/*
	 * The inner caches of all CPUs, by virtual address: of low memory, of a
	 * window's slot, or of a local slot.  Not needed where cache_phys is.
	 */
	void (*cache)(void *port, enum pkmap_cache_op op, void *addr,
		      size_t bytes);
	/* The same by physical address, for all colours.  Not with VIVT. */
	void (*cache_phys)(void *port, enum pkmap_cache_op op, uint64_t phys,
			   uint64_t bytes);
	/* The outer cache, by physical address.  NULL if there is none. */
	void (*outer)(void *port, enum pkmap_cache_op op, uint64_t phys,
		      uint64_t bytes);
	/* Tells the owner of the system what the tracker found.  Optional. */
	void (*report)(void *port, const struct pkmap_dma_report *report);
};

/* What pkmap_dma_init() is told.  Zero is the default where possible. */
struct pkmap_dma_config {
	/* Its config.cache says what cache there is. */
	struct pkmap_window *win;
	const struct pkmap_dma_ops *ops; /* must outlive the layer */
	void *port;

	/*
	 * The longest line of all caches, the outer one included (on ARM, the
	 * cache writeback granule): a power of two, up to the page size.
	 */
	size_t line_bytes;
	/*
	 * Refuse buffers that share lines if a device that is not coherent
	 * writes to them.
	 */
	bool strict;

	/*
	 * Low memory: @low_bytes, whole pages, from @low_base on are mapped for
	 * good, one page after the other, onto the pages from @low_first_pfn
	 * on.  None of these is one of the window's.  0: there is none.
	 */
	void *low_base;
	size_t low_bytes;
	pkmap_pfn low_first_pfn;

	/*
	 * A debugging aid, the tracker: how many buffers that are mapped at the
	 * same time it remembers, to find unmaps and syncs that do not match,
	 * and more (enum pkmap_dma_misuse).  When one more is mapped, it says
	 * so and tracks nothing any more.  0: there is no tracker.  Needs a
	 * library that was built with it (PKMAP_DMA_TRACKER).
	 */
	uint32_t tracker_entries;
};

/**
 * pkmap_dma_size() - how much memory the layer needs for its bookkeeping.
 *
 * A constant, and at most 40 bytes for each entry of the tracker.
 *
 * Context: any.
 * Return: bytes, or 0 if the configuration is one that pkmap_dma_init()
 * refuses.
 */
size_t pkmap_dma_size(const struct pkmap_dma_config *config);

/**
 * pkmap_dma_init() - makes the DMA layer of a window.
 * @mem: pkmap_dma_size(@config) bytes, aligned to PKMAP_ALIGN, that belong to
 *	the layer for as long as it is used.
 * @config: copied.
 * @dma: where to put it.
 *
 * It holds nothing of the window: at the end, nothing has to be undone but the
 * maps of buffers (pkmap_dma_leaks()).  A window can have several.
 *
 * Context: any.
 * Return: 0, or PKMAP_EINVAL: no window, no operation for the inner caches; a
 * line that is no power of two or longer than a page; a cache other than VIVT,
 * no cache_phys, and a window without dma_slots; cache_phys with VIVT; low
 * memory that is not whole pages, wraps around or overlaps the window's pages;
 * pages whose physical addresses take more than 64 bits; a tracker in a library
 * built without.
 */
int pkmap_dma_init(void *mem, const struct pkmap_dma_config *config,
		   struct pkmap_dma **dma);

/**
 * pkmap_dma_low_buffer() - the buffer at an address of low memory.
 * @addr, @len: the bytes.
 * @buf: written only on success.
 *
 * Context: any.
 * Return: 0; PKMAP_EINVAL if @len is 0; PKMAP_ERANGE if not all of it is low
 * memory.
 */
int pkmap_dma_low_buffer(struct pkmap_dma *dma, const void *addr, size_t len,
			 struct pkmap_dma_buffer *buf);

/**
 * pkmap_dma_map() - gives buffers to a device.
 * @bufs: @nbufs of them, in the order in which the device sees them: one, or a
 *	scatterlist.
 * @dir: which way the data will go.
 * @segs: room for @max_segs segments; written only on success.
 *
 * Buffers that follow each other in memory become one segment where the
 * device's limits allow that.  A buffer is cut where no segment could hold all
 * of it, and only there.
 *
 * Context: any.
 * Return: the number of segments, all or none:
 * PKMAP_EINVAL	no buffers; an unknown direction; a length of zero, or that
 *		wraps around; an offset beyond the page; a device's mask or
 *		boundary that is none; in strict mode, a shared line;
 * PKMAP_ERANGE	a page that is neither the window's nor low memory, or an
 *		address that the device cannot reach;
 * PKMAP_ENOSPC	more than @max_segs segments;
 * or, where a local slot is needed (see "Which address"), what the port's
 * local_enter() or set() returned, or PKMAP_EBUSY (reported by the window) if
 * interrupts nest deeper than the window has dma_slots.  In these cases lines
 * of some of the buffers have been worked on, which loses what the CPU wrote to
 * buffers FROM_DEVICE, and nothing else.
 */
int pkmap_dma_map(struct pkmap_dma *dma, const struct pkmap_dma_device *dev,
		  const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
		  enum pkmap_dma_dir dir, struct pkmap_dma_segment *segs,
		  uint32_t max_segs);

/**
 * pkmap_dma_unmap() - takes buffers back from a device, for good.
 * @bufs, @nbufs, @dir: as they were mapped; not the segments.
 *
 * Context: any.
 * Return: 0; PKMAP_EINVAL or PKMAP_ERANGE for @bufs or a @dir that could not
 * have been mapped (the device's limits are not looked at); PKMAP_EINVAL
 * (reported) for a buffer that the tracker knows was not mapped; or an error of
 * the port as in pkmap_dma_map(): the buffers are then still the device's, and
 * the call can be made again.
 */
int pkmap_dma_unmap(struct pkmap_dma *dma, const struct pkmap_dma_device *dev,
		    const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
		    enum pkmap_dma_dir dir);

/**
 * pkmap_dma_sync_for_cpu() - takes buffers back from a device, for a while.
 * pkmap_dma_sync_for_device() - gives them to it again.
 * @bufs, @nbufs: parts of what was mapped, each within one of its buffers.
 * @dir: as it was mapped.
 *
 * A part that does not start and end on line boundaries shares lines with
 * the rest of its buffer: strict mode refuses it.
 *
 * Context and return: as pkmap_dma_unmap().  After an error of the port the
 * buffers belong to the same side as before: if a sync for the device failed,
 * the device must not start.  Lines of some of them have been worked on, as
 * with a map that failed.
 */
int pkmap_dma_sync_for_cpu(struct pkmap_dma *dma,
			   const struct pkmap_dma_device *dev,
			   const struct pkmap_dma_buffer *bufs, uint32_t nbufs,
			   enum pkmap_dma_dir dir);
int pkmap_dma_sync_for_device(struct pkmap_dma *dma,
			      const struct pkmap_dma_device *dev,
			      const struct pkmap_dma_buffer *bufs,
			      uint32_t nbufs, enum pkmap_dma_dir dir);

/**
 * pkmap_dma_forget() - leaves no trace of pages, so that they can be given up.
 * @first, @npages: pages of the window.
 * @wait: how long to wait until nobody uses one of them; see pkmap_forget().
 *
 * Does what pkmap_forget() does, and then writes back and invalidates all cache
 * lines of the pages, whatever kind the caches are, the outer one included.  So
 * what was stored is in memory, and nothing is written back later over what the
 * next owner puts there without using these caches.  (A CPU that speculates can
 * fill lines of a page only while it has a translation of it; the last
 * translation is removed last.)
 *
 * Context: task; may sleep, unless @wait says never.
 * Return: 0; PKMAP_ERANGE if not all are the window's pages; PKMAP_EBUSY
 * (reported) if the tracker knows that a device has one of them: nothing has
 * changed; what pkmap_forget() returns; or an error of the port as in
 * pkmap_dma_map().  After an error other than those two the call can be made
 * again, and pages that nobody used may be torn down.
 */
int pkmap_dma_forget(struct pkmap_dma *dma, pkmap_pfn first, pkmap_pfn npages,
		     const struct pkmap_wait *wait);

/**
 * pkmap_dma_leaks() - which buffers have not been unmapped.
 * @dev: the device that is to go, or NULL for all.
 *
 * Each that the tracker knows of is reported, once.
 *
 * Context: any.
 * Return: how many there are, reported before or not; 0 without a tracker, and
 * once it was full.
 */
uint32_t pkmap_dma_leaks(struct pkmap_dma *dma,
			 const struct pkmap_dma_device *dev);

/* Counters since pkmap_dma_init().  Each is an unsigned long and wraps as one. */
struct pkmap_dma_stats {
	unsigned long maps;   /* buffers given to a device by a map */
	unsigned long unmaps; /* and taken back by an unmap */
	unsigned long syncs;
	unsigned long refused; /* calls that returned an error */
	/*
	 * Pages whose lines were to be worked on, as they were found: mapped
	 * and used by somebody, mapped and idle, not mapped.
	 */
	unsigned long in_use;
	unsigned long idle;
	unsigned long not_mapped;
	/* Lines (of line_bytes) of the inner cache that were worked on. */
	unsigned long cleaned;
	unsigned long invalidated;
	unsigned long clean_invalidated;
	/* Lines that mapped buffers share and a device writes to. */
	unsigned long shared_lines;
	unsigned long misuses; /* that the tracker reported */
};

/**
 * pkmap_dma_read_stats() - reads the counters; the sum is not a snapshot.
 *
 * Context: any.
 */
void pkmap_dma_read_stats(struct pkmap_dma *dma, struct pkmap_dma_stats *stats);

#endif /* PKMAP_DMA_H */
