/* SPDX-License-Identifier: MIT */
/*
 * pkmap/port.h - what a port provides.
 *
 * A port is what pkmap needs from the system around it: a way to point a
 * virtual slot at a page, a sleeping lock, and a way to wait.  It fills in a
 * struct pkmap_ops and a struct pkmap_config and hands both to pkmap_init().
 *
 * What is called from where:
 *
 *	pkmap_pin(), pkmap_unmap(), the look-ups and a pkmap_map() that hits
 *	call nothing of the port, except wake() when somebody waits and
 *	report() on a misuse.  So wake() and report() must work in every
 *	context in which the port allows those calls.
 *
 *	Local maps and DMA calls call local_enter(), local_cpu(),
 *	local_leave() and, if the page is not mapped, set(),
 *	cache_clean_inval(), clear() and flush_tlb() in the caller's context,
 *	interrupts included; and wake() if somebody waits.  So does
 *	pkmap_local_abandon(), except for the first three.
 *
 *	Everything else is called in task context only, the operations on
 *	translations and caches with the window's lock held and interrupts on.
 */
#ifndef PKMAP_PORT_H
#define PKMAP_PORT_H

#include <pkmap/atomic.h>
#include <pkmap/types.h>

/* How a data cache finds its lines. */
enum pkmap_cache_kind {
	/* By physical address: nothing to do before a slot is recycled. */
	PKMAP_CACHE_PIPT,
	/*
	 * Virtually indexed, physically tagged.  With more than one colour it
	 * aliases: a page must only be mapped at addresses of its own colour.
	 */
	PKMAP_CACHE_VIPT,
	/*
	 * Virtually indexed, virtually tagged.  A slot's lines are cleaned and
	 * invalidated before it is recycled.
	 */
	PKMAP_CACHE_VIVT,
};

struct pkmap_cache {
	enum pkmap_cache_kind kind;
	/*
	 * Pages of one cache way, a power of two; 0 and 1 mean that the cache
	 * does not alias.  An address's colour is (address / page size) modulo
	 * this, a page's colour is pfn modulo this.  VIPT only.
	 */
	uint32_t colours;
	/*
	 * The CPU fills lines from any mapped address without being asked.
	 * Together with VIVT this is refused: an idle slot could get its lines
	 * back after they were cleaned (invariant I8).  On the others, lines
	 * are invalidated after a device has written to memory (pkmap/dma.h).
	 */
	bool speculative;
	/*
	 * From this many bytes on, cleaning the whole cache is cheaper than
	 * cleaning a range; 0: never.  VIVT only.
	 */
	size_t whole_bytes;
};

/* What went wrong in a misuse; see struct pkmap_report. */
enum pkmap_misuse {
	PKMAP_MISUSE_IDLE,	  /* unmap of a page that nobody has mapped */
	PKMAP_MISUSE_FREE,	  /* unmap of a slot that holds no page */
	PKMAP_MISUSE_FOREIGN,	  /* address outside of the window */
	PKMAP_MISUSE_UNALIGNED,	  /* address inside a page, not at its start */
	PKMAP_MISUSE_PFN,	  /* pfn out of range */
	PKMAP_MISUSE_IMPOSSIBLE,  /* more pages at once than there are slots */
	PKMAP_MISUSE_LOCAL_ORDER, /* local unmap, but not of the last map */
	PKMAP_MISUSE_LOCAL_DEPTH, /* more local maps, or DMA calls, than slots */
	PKMAP_MISUSE_IN_USE,	  /* pkmap_fini() of a window in use */
	PKMAP_MISUSE_SATURATED, /* a count reached its limit and stays there */
	/* VIVT: map of a page that has a local map open on this CPU */
	PKMAP_MISUSE_LOCAL_OPEN,
	PKMAP_MISUSE_LOCAL_LEFT, /* its CPU is gone: pkmap_local_abandon() */
	PKMAP_MISUSE_CPU,	 /* the port named a CPU beyond config.ncpus */
};

struct pkmap_report {
	enum pkmap_misuse what;
	/*
	 * The function that refused, "pkmap_unmap"; "pkmap_dma" for dma.h's;
	 * for _SATURATED "a map or pin".
	 */
	const char *call;
	void *addr;    /* the address it was given or found, or NULL */
	pkmap_pfn pfn; /* the page, or PKMAP_NO_PFN */
	uint32_t slot; /* the slot, or PKMAP_NO_SLOT */
	/* With _IN_USE: how many maps and pins hold it; 0: somebody waits. */
	uint32_t users;
};

#define PKMAP_NO_SLOT UINT32_MAX

/* How long a map may wait; see pkmap_map(). */
struct pkmap_wait {
	/*
	 * When to give up: a point in time of the port's clock (the posix
	 * port's is CLOCK_MONOTONIC in nanoseconds), or PKMAP_NO_DEADLINE.
	 * Ignored with PKMAP_WAIT_NEVER.
	 */
	uint64_t deadline;
	uint32_t flags; /* PKMAP_WAIT_ flags */
};

#define PKMAP_NO_DEADLINE	 UINT64_MAX

/* Wait neither for a slot nor for the window's lock. */
#define PKMAP_WAIT_NEVER	 (1u << 0)
/* Give up when the port says that the task has been interrupted. */
#define PKMAP_WAIT_INTERRUPTIBLE (1u << 1)

/*
 * The operations.  @port is config.port in all of them.  Those marked optional
 * may be NULL.
 */
struct pkmap_ops {
	/*
	 * Makes the page-sized slot at @addr show page @pfn (read-only if the
	 * window is).  Returns only when the page-table walkers of every CPU
	 * see it: on ARM that takes a barrier of its own (dsb ishst; isb),
	 * which releasing a mutex does not give.  The slot's former
	 * translation is gone from every TLB by then (I4).
	 *
	 * Returns 0, or a negative PKMAP_E code, which the failing map returns
	 * to its caller; the slot then shows no page that anybody uses.  After
	 * PKMAP_ENOMEM, a map (not a local one) tears all idle mappings down
	 * and tries once more.
	 */
	int (*set)(void *port, void *addr, pkmap_pfn pfn, bool read_only);

	/*
	 * Removes the translations of @npages adjacent slots from @addr on.
	 * TLBs may keep them until flush_tlb().  Cannot fail.  A slot that
	 * pkmap_local_abandon() clears may show no page yet, or none any more.
	 *
	 * A port where that is expensive may put it off until the slot is set
	 * to another page; nobody uses what the slot shows until then.  Such a
	 * port has clear_now(), which removes all that has been put off, for
	 * local slots too.  It is called with the lock held, at the end of
	 * pkmap_flush_unused(), pkmap_forget() and pkmap_fini(), and after
	 * set() has returned PKMAP_ENOMEM in a map.  Optional.
	 */
	void (*clear)(void *port, void *addr, size_t npages);
	void (*clear_now)(void *port);

	/*
	 * Returns when no CPU's TLB holds a translation any more that clear()
	 * removed from the @npages pages of address space from @addr on; with
	 * @this_cpu, when this CPU's TLB holds none.  Called once for a batch;
	 * the range may hold slots that are in use and keep theirs, and the
	 * empty pages of config.guard.  Optional.
	 */
	void (*flush_tlb)(void *port, void *addr, size_t npages, bool this_cpu);

	/*
	 * Writes back and invalidates the data cache lines of @bytes from
	 * @addr on (a multiple of the page size), or the whole data cache, and
	 * returns when the lines have left the CPU and its write buffers.
	 * The first is required for VIVT, the second if cache.whole_bytes is
	 * set.
	 *
	 * That means all of @bytes, whatever the system's own call makes of a
	 * range: Linux's for Marvell's Feroceon does one page.  And it must
	 * lose no store: the slots may be got and written to meanwhile, also by
	 * interrupts, so a store between the write-back of a line and its
	 * invalidation must not be thrown away.  Where the hardware takes two
	 * steps, nobody may come in between (or the whole cache is pushed out
	 * by other lines, as Linux does on XScale).
	 */
	void (*cache_clean_inval)(void *port, void *addr, size_t bytes);
	void (*cache_clean_inval_all)(void *port);

	/*
	 * The window's lock: a sleeping lock, one owner, task context.
	 * trylock() returns whether it took it, and never waits.
	 */
	void (*lock)(void *port);
	bool (*trylock)(void *port);
	void (*unlock)(void *port);

	/*
	 * Sleeps while *@event == @seen.  May return early for any reason.
	 * @wait is not NULL, and does not have PKMAP_WAIT_NEVER.
	 * Returns 0; PKMAP_ETIMEDOUT when wait->deadline has passed;
	 * PKMAP_EINTR when the task was interrupted and wait->flags has
	 * PKMAP_WAIT_INTERRUPTIBLE.  Task context, without the lock.
	 */
	int (*wait)(void *port, pkmap_a32 *event, uint32_t seen,
		    const struct pkmap_wait *wait);

	/*
	 * Wakes everyone in wait() on @event, which has changed.  Called in
	 * any context in which the port allows pkmap_unmap(), local maps or
	 * DMA calls.
	 */
	void (*wake)(void *port, pkmap_a32 *event);

	/*
	 * local_enter() keeps the caller on its CPU, unpreempted, until the
	 * matching local_leave(), and returns that CPU's number, less than
	 * config.ncpus, or a negative PKMAP_E code.  They nest, as interrupts
	 * do.  local_cpu() returns the number of the CPU that the caller is
	 * kept on, or a negative value if it is not.  Required if there are
	 * local slots.
	 */
	int (*local_enter)(void *port);
	int (*local_cpu)(void *port);
	void (*local_leave)(void *port);

	/* Tells the owner of the system about a misuse.  Optional. */
	void (*report)(void *port, const struct pkmap_report *report);
};

/* What pkmap_init() makes a window of.  Zero is the default where possible. */
struct pkmap_config {
	const struct pkmap_ops *ops; /* must outlive the window */
	void *port;		     /* first argument of each operation */

	/*
	 * The slots: @nslots pages of virtual address space from @base on.
	 * @base is aligned to the page size times the number of colours, and
	 * @nslots a multiple of that number.  At least 1, less than 2^30.
	 */
	void *base;
	uint32_t nslots;
	uint32_t page_shift; /* log2 of the page size: 1 to 30 */
	/*
	 * Behind each slot, local ones included, a page of address space stays
	 * empty, so that an access beyond a page's end faults and does not
	 * reach another page.  Everything takes twice the address space then:
	 * slot n is at @base + n * 2 pages.  Not with more than one colour.
	 */
	bool guard;

	/* The pages that may be mapped: @npages from @first_pfn on. */
	pkmap_pfn first_pfn;
	pkmap_pfn npages;

	struct pkmap_cache cache;
	uint32_t batch; /* slots in a reclaim; 0: half the window */
	bool read_only;
	/*
	 * How many copies of the counters of hits and pins there are: a power
	 * of two up to PKMAP_CPU_HINTS; 0: that many.  Each takes PKMAP_ALIGN
	 * bytes, so a system with few CPUs wants few.
	 */
	uint32_t counter_copies;

	/*
	 * Local slots for each of @ncpus CPUs: @local_slots for local maps, and
	 * @dma_slots that only the calls of <pkmap/dma.h> use, each a slot of
	 * every colour: (local_slots + dma_slots) * ncpus * colours pages of
	 * address space (twice that with @guard) from @local_base on, aligned
	 * like @base, and none of them the window's.
	 *
	 * @local_slots is how many local maps a task and the interrupts on top
	 * of it can have open on a CPU together; 0: no local maps.  @dma_slots
	 * is how many of them can make DMA calls: one, and one for each level
	 * at which interrupts nest.  0: no DMA calls, or a cache that needs no
	 * slot for them: VIVT, or one with operations by physical address.
	 */
	void *local_base;
	uint32_t local_slots;
	uint32_t dma_slots;
	uint32_t ncpus;
};

#endif /* PKMAP_PORT_H */
