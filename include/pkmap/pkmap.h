/* SPDX-License-Identifier: MIT */
/*
 * pkmap/pkmap.h - a window of slots onto more pages than can stay mapped.
 *
 * A window is a range of virtual address space, cut into slots of one page.
 * pkmap_map() makes a page visible in a slot and holds it there until
 * pkmap_unmap().  Unmapping is lazy: the slot goes on showing its page, idle,
 * until slots run out and a batch of idle ones is reclaimed, because tearing a
 * translation down costs a TLB flush on every CPU.
 *
 * pkmap_pin() is what the rest is built around.  It answers, in any context and
 * at once, "is this page mapped, where, and will it stay there until I am
 * done?".  DMA code on a cache that is not coherent with devices must know that
 * before it cleans or invalidates a page's lines.
 *
 * In a task that needs a page:
 *
 *	1. pkmap_map(win, pfn, NULL, &addr)	may sleep until a slot is idle
 *	2. use the page at addr
 *	3. pkmap_unmap(win, addr)
 *
 * In an interrupt, or wherever one must not sleep:
 *
 *	1. addr = pkmap_pin(win, pfn)
 *	2. NULL: the page is not mapped, and on a VIVT cache no line of it is
 *	   cached under an address of the window (see pkmap_pin())
 *	3. else use the page, or work on its cache lines, at addr
 *	4. pkmap_unmap(win, addr)
 *
 *	or pkmap_local_map() to reach the page whether it is mapped or not.
 *
 * Rules for all calls:
 *
 *   Contexts.  "Task" may sleep.  "Any" is task, interrupt and NMI: the call
 *   takes no lock and waits for nobody, whatever it interrupted, this library
 *   included.  (NMI only if the port's atomics do more than mask interrupts,
 *   and its wake() and report() work there.)
 *
 *   Ordering.  A successful map or pin is an acquire, and an unmap a release,
 *   on the page: what was done through an address before an unmap is seen by
 *   whoever maps or pins that page afterwards, and a slot is recycled only
 *   after all use of it.  A pin that answers "not mapped" is an acquire too: it
 *   is ordered after the cleaning of the page's lines.
 *
 *   Errors.  Negative PKMAP_E codes.  A call that fails has changed nothing.
 *   A misuse is also reported through the port (struct pkmap_report).  An
 *   excess unmap cannot be detected while another user holds the page: it then
 *   ends that user's map.
 *
 *   Fairness.  A request that can be satisfied now is satisfied, whoever else
 *   waits: its caller may hold a map that the waiter needs back, and waiting in
 *   strict order of arrival would deadlock there.  The price is that a request
 *   for several pages can be overtaken again and again.
 *
 *   One window.  A page belongs to one window at a time.  On a VIVT cache two
 *   windows would show it at two addresses with different lines; and on any
 *   cache one window knows nothing of the other's pins.
 *
 *   Saturation.  A page that is mapped and pinned 2^28 times at once stays where
 *   it is for the life of the window, which can no longer be ended.  Maps and
 *   pins of it still succeed, unmaps no longer count down, and it is reported
 *   once.
 */
#ifndef PKMAP_PKMAP_H
#define PKMAP_PKMAP_H

#include <pkmap/port.h>
#include <pkmap/types.h>

struct pkmap_window;

enum pkmap_error {
	PKMAP_EINVAL = -1,    /* an argument makes no sense */
	PKMAP_ERANGE = -2,    /* pfn or address outside the window */
	PKMAP_EBUSY = -3,     /* in use, or too much open at once */
	PKMAP_EAGAIN = -4,    /* would have to wait */
	PKMAP_ETIMEDOUT = -5, /* the deadline passed */
	PKMAP_EINTR = -6,     /* interrupted while waiting */
	PKMAP_ENOMEM = -7,    /* the port had no memory for a translation */
	PKMAP_EIO = -8,	      /* the port could not do it */
	PKMAP_ENOSPC = -9,    /* more to return than there is room for */
};

/* Alignment, in bytes, of the memory given to pkmap_init(). */
#define PKMAP_ALIGN 64

/**
 * pkmap_size() - how much memory a window needs for its bookkeeping.
 *
 * At most 20 bytes a slot (16 where a word has 32 bits) and PKMAP_WORD_BYTES
 * for its word (128 by default, see pkmap/atomic.h), 24 bytes a local slot (one
 * word if it is for DMA calls), less than 128 bytes a CPU, PKMAP_ALIGN bytes
 * for each of config.counter_copies (4 KiB by default), and less than 1 KiB for
 * the rest; nothing for each page.
 *
 * Context: any.
 * Return: bytes, or 0 if the configuration is one that pkmap_init() refuses.
 */
size_t pkmap_size(const struct pkmap_config *config);

/**
 * pkmap_init() - makes a window.
 * @mem: pkmap_size(@config) bytes, aligned to PKMAP_ALIGN, that belong to the
 *	window until pkmap_fini() succeeds.
 * @config: copied; config->ops and what it needs must outlive the window.
 * @win: where to put the window, which is at @mem.
 *
 * Calls no operation of the port: the slots are expected to show no page.
 *
 * Context: any.
 * Return: 0, or PKMAP_EINVAL: a missing operation, a size that is zero or too
 * large, a base that is not aligned or wraps around, local slots that overlap
 * the window, guard pages with more than one colour, a VIVT cache that fills
 * lines speculatively.
 */
int pkmap_init(void *mem, const struct pkmap_config *config,
	       struct pkmap_window **win);

/**
 * pkmap_fini() - ends a window.
 *
 * Idle slots are cleaned and torn down, and @mem is the caller's again.  The
 * caller makes sure that nobody else uses the window any more.
 *
 * Context: task; may sleep for the window's lock.
 * Return: 0; PKMAP_EBUSY if a page or a local slot is in use or somebody waits:
 * the window then works on as before.  Each page that is in use is reported,
 * with its address and its users; if there is none (any more), one report says
 * that the window was in use.
 */
int pkmap_fini(struct pkmap_window *win);

/* For @wait below: wait neither for a slot nor for the window's lock. */
#define PKMAP_NOWAIT (&(const struct pkmap_wait){ .flags = PKMAP_WAIT_NEVER })

/**
 * pkmap_map() - makes a page visible and holds it there.
 * @pfn: the page.
 * @wait: how long to wait for a slot when all are in use: PKMAP_NOWAIT, a
 *	struct pkmap_wait, or NULL to wait as long as it takes.  The deadline
 *	bounds the wait for a slot.  The wait for the lock comes on top (unless
 *	PKMAP_WAIT_NEVER), and takes as long as reclaiming a batch.
 * @addr: where to put the page's address.
 *
 * A map of a page that is mapped already is a hit, which takes no lock.  End
 * each map with pkmap_unmap().  When the time is over, the slots are looked at
 * once more: no map times out while there is a slot for it.
 *
 * Context: task, also while holding other maps.  May sleep, unless @wait says
 * never.
 * Return: 0; PKMAP_ERANGE (reported) if @pfn is not one of the window's;
 * PKMAP_EINVAL (reported), on a VIVT cache only, if this CPU has a local map of
 * @pfn open and no slot of the window shows it: the page would be at two
 * addresses; PKMAP_EAGAIN, PKMAP_ETIMEDOUT, PKMAP_EINTR as @wait asked for; or
 * what the port's set() returned.  *@addr is written only on success.
 */
int pkmap_map(struct pkmap_window *win, pkmap_pfn pfn,
	      const struct pkmap_wait *wait, void **addr);

/**
 * pkmap_map_pages() - maps several pages, all or none.
 * @pfns: @n pages; a page may appear more than once.
 * @addrs: @n addresses, written only on success.
 *
 * Two tasks that each hold one map and wait for another can wait for ever; so a
 * task that needs several pages together asks for them in one call.  It is
 * meant for a handful of pages, since it compares each with every other.  End
 * each with pkmap_unmap().
 *
 * Context and return: as pkmap_map(); also PKMAP_EINVAL if @n is 0, and
 * PKMAP_EINVAL (reported) if the pages can never be mapped together because a
 * colour has fewer slots than they need.
 */
int pkmap_map_pages(struct pkmap_window *win, const pkmap_pfn *pfns, uint32_t n,
		    const struct pkmap_wait *wait, void **addrs);

/**
 * pkmap_pin() - holds a page where it is mapped, if it is.
 *
 * Takes no lock and waits for nobody.  It starts over only if another CPU has
 * recycled the slot that it looked at.  End it with pkmap_unmap().
 *
 * "Not mapped" is an answer that can be relied on: there was a moment during
 * the call at which no slot showed the page.  On a VIVT cache none of its lines
 * was then cached under an address of the window, so that there is nothing to
 * clean or to invalidate.  On other caches lines are found by their physical
 * address, and may be cached all the same (use a local map to work on them).
 * Keeping the page from being mapped after the call is up to the caller's
 * protocol, for instance ownership of the buffer.
 *
 * Context: any.
 * Return: the page's address; NULL if it is not mapped, or (reported) if @pfn
 * is not one of the window's.
 */
void *pkmap_pin(struct pkmap_window *win, pkmap_pfn pfn);

/**
 * pkmap_unmap() - ends a map or a pin.
 * @addr: the address that the map or pin gave, the start of a page.
 *
 * The page stays where it is, idle, until its slot is reclaimed; it must no
 * longer be used through @addr.
 *
 * Context: any.
 * Return: 0; (all reported) PKMAP_ERANGE if @addr is not in the window,
 * PKMAP_EINVAL if it is not the start of a page, or if nobody has that slot
 * mapped.
 */
int pkmap_unmap(struct pkmap_window *win, void *addr);

/**
 * pkmap_unmap_pfn() - ends a map or a pin of a page.
 * @pfn: the page.
 *
 * The same as pkmap_unmap(), for a caller that knows the page and not its
 * address, at the cost of a look-up.
 *
 * If nobody holds the page, it can lose its slot during the call.  The misuse
 * is then reported, and the slot's new page keeps its users, with one
 * exception: if somebody else held the page when the call began and let go in
 * the middle of it, and the slot got a new page with just as many users.
 *
 * Context: any.
 * Return: 0; (all reported) PKMAP_ERANGE if @pfn is not one of the window's,
 * PKMAP_EINVAL if the page is not mapped, or if nobody has it mapped.
 */
int pkmap_unmap_pfn(struct pkmap_window *win, pkmap_pfn pfn);

/**
 * pkmap_local_map() - makes a page visible to this CPU for a short while.
 *
 * Pins the page if it is mapped; else reuses the address of a local map of it
 * that is open on this CPU; else takes one of this CPU's local slots.  Until
 * the matching pkmap_local_unmap() the caller stays on its CPU (a thread, in
 * the posix port) and must not sleep.  Local maps end in the reverse of the
 * order in which they began.
 *
 * Context: any.
 * Return: 0; PKMAP_ERANGE (reported) if @pfn is not one of the window's;
 * PKMAP_EBUSY (reported) if all local slots of this CPU are in use; or what the
 * port's local_enter() or set() returned.  *@addr is written only on success.
 */
int pkmap_local_map(struct pkmap_window *win, pkmap_pfn pfn, void **addr);

/**
 * pkmap_local_unmap() - ends this CPU's last local map.
 * @addr: the address that it gave.
 *
 * On a VIVT cache the lines of a page that had a local slot are cleaned and
 * invalidated.
 *
 * Context: any; the one that began the local map.
 * Return: 0; (reported) PKMAP_EINVAL if @addr is not what the last local map on
 * this CPU gave, or if there is none.
 */
int pkmap_local_unmap(struct pkmap_window *win, void *addr);

/**
 * pkmap_local_abandon() - ends the local maps of a CPU that no longer can.
 * @cpu: its number.
 *
 * For a port whose CPUs can go away with local maps open, or in the middle of a
 * call, as threads can.  Each local map is reported (PKMAP_MISUSE_LOCAL_LEFT)
 * and ended as by pkmap_local_unmap(), and so is each page that a DMA call
 * shows.  Then the number can become another CPU's.  If that CPU stopped in the
 * middle of a call, a page that it was pinning or letting go of may stay in use
 * for ever, and clear() may be called for a slot that is clear.
 *
 * It calls none of local_enter(), local_cpu() and local_leave(): it is up to
 * the port to forget how often that CPU entered.
 *
 * Context: any.  The port makes sure that nobody is on that CPU but the caller
 * and interrupts that leave its local maps as they found them; and, on a VIVT
 * cache, that cache_clean_inval() reaches that CPU's lines.
 */
void pkmap_local_abandon(struct pkmap_window *win, uint32_t cpu);

/**
 * pkmap_pfn_to_addr() - where a page is mapped, without holding it there.
 *
 * Unless the caller knows that the page is held, the answer may be out of date
 * by the time it is used.
 *
 * Context: any.
 * Return: an address, or NULL.  An idle page counts as mapped.
 */
void *pkmap_pfn_to_addr(struct pkmap_window *win, pkmap_pfn pfn);

/**
 * pkmap_addr_to_pfn() - which page an address shows.
 * @addr: any address, also inside a page, also of a local map.
 *
 * Reliable if the caller holds the map or pin that gave the address.
 *
 * Context: any.
 * Return: the page, or PKMAP_NO_PFN.
 */
pkmap_pfn pkmap_addr_to_pfn(struct pkmap_window *win, const void *addr);

/**
 * pkmap_flush_unused() - cleans and tears down all idle mappings.
 *
 * Context: task; may sleep for the window's lock.
 * Return: how many slots became free.
 */
uint32_t pkmap_flush_unused(struct pkmap_window *win);

/**
 * pkmap_forget() - makes sure that no page of a range is mapped.
 * @first, @npages: the pages; the range may reach beyond the window's, and is
 *	cut off after the last page that there can be.
 * @wait: how long to wait until nobody uses one of them: PKMAP_NOWAIT, a struct
 *	pkmap_wait, or NULL to wait as long as it takes, as for pkmap_map().
 *
 * When it has returned 0, none of the pages is shown by a slot, by a local map
 * of any CPU, or by a slot for DMA calls, and no translation of them remains.
 * The caller sees to it that nobody maps them again meanwhile.
 *
 * A map, a pin, a local map or a DMA call in progress uses a page.  A pin of
 * another page can also use it for an instant, if it was looking at the slot
 * when that was recycled: so PKMAP_NOWAIT may find a page in use that nobody
 * holds.  A call that waits does not fail for that.
 *
 * Which call a page needs before it is freed, ballooned, truncated, or given to
 * another machine:
 *
 *	who touches it next		what has to be called
 *	this CPU, any other, through	nothing, if it is the same window; else
 *	the same caches			pkmap_forget()
 *	nobody: its memory goes away	pkmap_forget(): truncation, hot-unplug
 *	a device, or a machine that	pkmap_dma_forget(): it also writes back
 *	does not see these caches:	and invalidates the page's lines, which
 *	a balloon, shared memory	pkmap_forget() does on VIVT only
 *
 *	A device still has it: pkmap_dma_unmap() first; the tracker tells
 *	pkmap_dma_forget() of a page that is still mapped for one.
 *
 * Context: task; may sleep, unless @wait says never.
 * Return: 0; PKMAP_EBUSY if a page is in use, with PKMAP_NOWAIT, or for good
 * (see "Saturation"); PKMAP_EAGAIN if the window's lock is taken, with
 * PKMAP_NOWAIT; PKMAP_ETIMEDOUT or PKMAP_EINTR as @wait asked for.  After an
 * error some of the pages that nobody used may be torn down.
 */
int pkmap_forget(struct pkmap_window *win, pkmap_pfn first, pkmap_pfn npages,
		 const struct pkmap_wait *wait);

/*
 * Counters since pkmap_init().  Each wraps as an unsigned long.  Those of the
 * slow paths are exact.  hits, pins and pin_misses are counted in several
 * copies without a locked instruction: where two CPUs (or a CPU and the
 * interrupt on top of it) add to one copy at once, a count may be lost.
 *
 * A local map begins with a pin, which counts as one.
 */
struct pkmap_stats {
	unsigned long hits;	   /* maps that found the page mapped */
	unsigned long misses;	   /* maps that needed a slot */
	unsigned long pins;	   /* pins that found the page mapped */
	unsigned long pin_misses;  /* pins that did not */
	unsigned long local_maps;  /* local maps that set a local slot */
	unsigned long reclaims;	   /* batches reclaimed for want of a slot */
	unsigned long reclaimed;   /* slots freed: reclaim, flush, forget */
	unsigned long tlb_flushes; /* of all CPUs, one for a batch */
	unsigned long waits;	   /* times a map slept for a slot */
	unsigned long misuses;	   /* refused and reported */
};

/**
 * pkmap_read_stats() - reads the counters; the sum is not a snapshot.
 *
 * Context: any.
 */
void pkmap_read_stats(struct pkmap_window *win, struct pkmap_stats *stats);

#endif /* PKMAP_PKMAP_H */
