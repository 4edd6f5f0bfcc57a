/* SPDX-License-Identifier: MIT */
/*
 * A port to a machine of a few pages that exists only in arrays: one CPU,
 * interrupts by call-back, and a cache and a TLB that remember enough to tell
 * when the library broke an invariant.
 *
 * Addresses are numbers: nothing is mapped there, so a library that touched a
 * page itself would crash.  The test loads and stores through model_load() and
 * model_store(), which see what a CPU would see at that address.
 *
 * A broken invariant ends the program through model_fail().
 */
#ifndef MODEL_PORT_H
#define MODEL_PORT_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

#define MODEL_SLOTS	  8
#define MODEL_LOCAL_SLOTS 4
#define MODEL_DMA_SLOTS	  2 /* a task and one interrupt */
#define MODEL_COLOURS	  4
#define MODEL_PAGES	  32
#define MODEL_PAGE_SHIFT  12
#define MODEL_PAGE_SIZE	  ((size_t)1 << MODEL_PAGE_SHIFT)
#define MODEL_FIRST_PFN	  100u
#define MODEL_DEVICES	  3
#define MODEL_DMA_REPORTS 16

struct model_slot {
	pkmap_pfn pte; /* what the page table says */
	pkmap_pfn tlb; /* what a TLB may still say */
	bool cached;   /* lines are in the VIVT cache ... */
	uint32_t line; /* ... with this in them */
};

/* What the library did, to compare with its own statistics. */
struct model_counts {
	unsigned long sets;
	unsigned long local_sets;
	unsigned long dma_sets;
	unsigned long cleared;
	unsigned long cleared_now;
	unsigned long flushes;
	unsigned long waits;
	unsigned long reports;
	unsigned long dma_reports;
	unsigned long dma_refused; /* of model_from_device() and the like */
};

struct model {
	struct pkmap_config config;
	struct model_slot slots[MODEL_SLOTS];
	struct model_slot
		local[(MODEL_LOCAL_SLOTS + MODEL_DMA_SLOTS) * MODEL_COLOURS];
	uint32_t memory[MODEL_PAGES];
	uint32_t stored[MODEL_PAGES]; /* what was stored last (I1, I2) */
	bool locked;
	bool lock_busy;	  /* trylock() is to fail */
	bool waiting;	  /* in wait() ... */
	bool woken;	  /* ... and was woken */
	pkmap_a32 *event; /* what it waits for */
	int depth;	  /* of local_enter() */

	_Alignas(PKMAP_ALIGN) unsigned char dma_memory[1024];
	struct pkmap_dma *dma;

	struct model_counts did;
	struct pkmap_report report; /* the last one */
	/* The tracker's, until whoever looks at them sets it back. */
	struct pkmap_dma_report dma_report[MODEL_DMA_REPORTS];
	uint32_t ndma_reports;

	/* What the test decides; see model_init(). */
	int (*on_set)(void);
	int (*on_wait)(const struct pkmap_wait *wait);
	void (*on_interrupt)(void);
};

/**
 * model_init() - a machine without translations, its config ready to be used.
 *
 * The test may set on_set (its result fails the operation), on_wait (called
 * while the task sleeps, until woken is set or it returns an error) and
 * on_interrupt (called wherever the library calls the port with interrupts on).
 */
void model_init(struct model *m, uint32_t nslots, pkmap_pfn npages);

/* Of its cache; 1 if that does not alias. */
uint32_t model_colours(const struct model *m);

/* From the start of a slot to that of the next one. */
size_t model_slot_bytes(const struct model *m);
void *model_slot_addr(const struct model *m, uint32_t slot);

/* The CPU stores a new value through @addr, which must show @pfn. */
void model_store(struct model *m, void *addr, pkmap_pfn pfn);

/* The CPU loads through @addr, which must show @pfn, what was stored last. */
void model_load(struct model *m, void *addr, pkmap_pfn pfn);

/* They see the machine's memory behind a hole.  The last one is coherent. */
extern const struct pkmap_dma_device model_devices[MODEL_DEVICES];

/*
 * Makes m->dma of a window of this machine, with so many entries of a tracker.
 * A line is as long as a page.
 */
void model_dma_init(struct model *m, struct pkmap_window *win,
		    uint32_t tracker_entries);

/* A device reads page @pfn, and finds in memory what was stored last. */
void model_device_reads(struct model *m, pkmap_pfn pfn);

/*
 * A device stores a new value in page @pfn, of which no line is cached; in a
 * part of it if @shared, whose neighbours must not have lost anything.
 */
void model_device_writes(struct model *m, pkmap_pfn pfn, bool shared);

/*
 * What a driver does, with a buffer that is a page or, if @shared, a part of
 * one: gives it to a device, which stores a new value in it, or checks that it
 * finds what was stored last; and takes it back.  Returns what the first DMA
 * call did if it failed.
 */
int model_from_device(struct model *m, pkmap_pfn pfn, bool shared);
int model_to_device(struct model *m, pkmap_pfn pfn);

/* A device overwrites page @pfn, of which no line may be cached (I8). */
void model_dma(struct model *m, pkmap_pfn pfn);

/* The window address at which the page table shows @pfn, or NULL. */
void *model_find(const struct model *m, pkmap_pfn pfn);

/* What has to hold whenever the library is not at work. */
void model_check_quiet(const struct model *m);

/* What has to hold when the window has ended. */
void model_check_end(const struct model *m);

_Noreturn void model_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif /* MODEL_PORT_H */
