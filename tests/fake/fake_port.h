/* SPDX-License-Identifier: MIT */
/*
 * fake_port.h - a port without a machine under it, for tests of src/.
 *
 * One thread, no real mappings: a table says which page each slot shows, a page
 * holds one word, and a VIVT cache holds one line for each slot.  Tests reach a
 * page through fake_read() and fake_write(), or through fake_load() and
 * fake_store(), which know what the page has to hold.  Nothing is mapped at the
 * addresses, so a library that touched a page itself would crash.
 *
 * Each operation is logged, and checked against the rules of port.h and the
 * invariants of docs/design.md:
 *
 *	I1, I2	the CPU and devices find in a page what was stored there last
 *	I3, I4	set() works only on a slot that shows nothing and is in no TLB;
 *		accesses go only through slots that show a page
 *	I5	a slot shows only pages of its colour, a page is in at most one
 *		slot of the window, and on VIVT it is cached under at most one
 *		address (so the slots for DMA calls are not used there)
 *	I7	the lock is not taken twice, nor where the library must not
 *		sleep, nor held while a task sleeps
 *	I8	on VIVT a slot is cleared only after its lines were cleaned, and
 *		a page that a pin misses has no line in the cache
 *	I9	at the end nothing is mapped and nothing is locked
 *
 *	locks	slots of the window change only under the lock, and no task
 *		sleeps in a local map
 *
 *	ranges	operations start at the start of a slot, cover whole pages of
 *		the window, and leave guard pages alone
 *
 * A hook runs before an operation takes effect.  It stands for an interrupt,
 * for another CPU, or, in wait(), for the other tasks.
 */
#ifndef FAKE_PORT_H
#define FAKE_PORT_H

#include <pkmap/pkmap.h>

#include "tests/check.h"

#define FAKE_PAGE_SHIFT 12 /* config.page_shift may be another */
#define FAKE_PAGE	((size_t)1 << FAKE_PAGE_SHIFT)
#define FAKE_BASE	((uintptr_t)0x10000000)
#define FAKE_LOCAL_BASE ((uintptr_t)0x20000000)
#define FAKE_NSLOTS	64 /* at most, of the window and local together */
#define FAKE_NPAGES	256
#define FAKE_NCPUS	3 /* at most; the window does not know the last */
#define FAKE_LOG	512

enum fake_op {
	FAKE_SET,
	FAKE_CLEAR,
	FAKE_CLEAR_NOW,
	FAKE_FLUSH_TLB,
	FAKE_CLEAN,
	FAKE_CLEAN_ALL,
	FAKE_LOCK,
	FAKE_TRYLOCK,
	FAKE_UNLOCK,
	FAKE_WAIT,
	FAKE_WAKE,
	FAKE_LOCAL_ENTER,
	FAKE_LOCAL_CPU,
	FAKE_LOCAL_LEAVE,
	FAKE_REPORT,
	FAKE_NOPS,
	/* For hooks only, not logged. */
	FAKE_CLEANED,  /* the end of FAKE_CLEAN and FAKE_CLEAN_ALL */
	FAKE_CACHE_OP, /* fake_cache_op() */
	FAKE_ANY,      /* what a hook waits for: all of these */
};

struct fake_event {
	enum fake_op op;
	void *addr; /* a slot's, or an event counter's */
	size_t n;   /* pages or bytes, as the operation counts */
	pkmap_pfn pfn;
	bool this_cpu;
};

enum fake_state {
	FAKE_EMPTY,
	FAKE_SHOWN,
	FAKE_STALE, /* cleared, but still in the TLBs */
};

struct fake_slot {
	enum fake_state state;
	pkmap_pfn pfn;
	bool cleaned; /* since it was set */
	bool cached;
	uint32_t line;
};

struct fake {
	/* For the test to change between fake_init() and fake_open(). */
	struct pkmap_config config;

	struct pkmap_window *win;
	void *mem;

	struct fake_slot slot[FAKE_NSLOTS]; /* the window's, then local */
	uint32_t memory[FAKE_NPAGES];
	uint32_t stored[FAKE_NPAGES]; /* by fake_store() and devices */

	bool locked;
	bool any_context;	 /* the library must not sleep now */
	int cpu;		 /* on which the test runs */
	int entered[FAKE_NCPUS]; /* depth of local_enter() on each CPU */
	bool cpu_gone; /* local slots may be cleared that show nothing */

	struct fake_event log[FAKE_LOG];
	unsigned int nlog;
	unsigned int count[FAKE_NOPS];
	struct pkmap_report report; /* the last */

	/* Runs before each @hook_op, not within itself. */
	void (*hook)(struct fake *f, const struct fake_event *e);
	enum fake_op hook_op;
	void *hook_arg;

	bool lock_is_taken;	 /* by somebody else: trylock() fails */
	int set_error;		 /* what the next set() returns */
	int enter_error;	 /* what local_enter() returns, if not 0 */
	unsigned int wait_early; /* how often wait() returns for no reason */

	/*
	 * What happens while a task sleeps, until @woken is true.  Returns what
	 * wait() does.  NULL: nothing happens.
	 */
	int (*sleep)(struct fake *f, const struct pkmap_wait *wait);
	const pkmap_a32 *event; /* that the task sleeps on, or NULL */
	bool woken;
};

/* A window of 4 slots, PIPT, 4 local slots on each of 2 CPUs. */
void fake_init(struct fake *f);
void fake_open(struct fake *f);
/* Ends the window; everything must have been let go. */
void fake_close(struct fake *f);

/* As the call of the same name, checked: they succeed, or find the page. */
void *fake_map(struct fake *f, pkmap_pfn pfn);
void fake_unmap(struct fake *f, void *addr);
/* Also checks that nothing of the port but wake() and report() is called. */
void *fake_pin(struct fake *f, pkmap_pfn pfn);
void *fake_local_map(struct fake *f, pkmap_pfn pfn);
void fake_local_unmap(struct fake *f, void *addr);

/* Maps and unmaps: the page is idle then. */
void fake_touch(struct fake *f, pkmap_pfn pfn);
/* The same for pages @first to @first + @n - 1. */
void fake_touch_range(struct fake *f, pkmap_pfn first, uint32_t n);

uint32_t fake_read(struct fake *f, const void *addr);
void fake_write(struct fake *f, const void *addr, uint32_t value);
/* Writes back the line that a VIVT cache holds there, forgets it, or both. */
void fake_cache_op(struct fake *f, const void *addr, bool clean, bool inval);

/*
 * The CPU loads through @addr, which must show @pfn, what was stored last; or
 * stores a new value, after such a load.
 */
void fake_load(struct fake *f, const void *addr, pkmap_pfn pfn);
void fake_store(struct fake *f, const void *addr, pkmap_pfn pfn);

/* A device reads page @pfn, and finds in memory what was stored last. */
void fake_device_reads(struct fake *f, pkmap_pfn pfn);
/*
 * A device stores a new value in page @pfn, no line of which is cached.  It
 * writes a part of the page if @part: then the rest of it must be in memory.
 */
void fake_device_writes(struct fake *f, pkmap_pfn pfn, bool part);

/* What the table says of a window's slot, or PKMAP_NO_PFN. */
pkmap_pfn fake_shows(const struct fake *f, uint32_t slot);
void *fake_addr(const struct fake *f, uint32_t slot);
/* The address in the window at which the table shows a page, or NULL. */
void *fake_find(const struct fake *f, pkmap_pfn pfn);
/* Which page an address shows, or PKMAP_NO_PFN. */
pkmap_pfn fake_page_at(struct fake *f, const void *addr);
/*
 * Which of this CPU's local slots an address lies in: from config.local_slots
 * on, those for DMA calls.  PKMAP_NO_SLOT: in none.
 */
uint32_t fake_local_place(const struct fake *f, const void *addr);

/* Whether the look-ups agree with the table for each page. */
void fake_check_index(struct fake *f);
/* What has to hold whenever the library is not at work. */
void fake_check_quiet(const struct fake *f);
/* Memory holds what was stored last (I1). */
void fake_check_memory(const struct fake *f);

struct pkmap_stats fake_stats(struct fake *f);
void fake_clear_log(struct fake *f);

#endif /* FAKE_PORT_H */
