/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - one set of tests that every port of pkmap must pass.
 *
 * The kit needs nothing but the headers of pkmap: no libc, no allocation, no
 * recursion, little stack.  What it needs from its surroundings, and how it
 * reports, is in struct conformance, which the port's author fills in:
 *
 *	static struct conformance conf = { .open = my_open, ... };
 *
 *	for (i = 0; i < conformance_ntests; i++)
 *		conformance_run(&conf, &conformance_tests[i]);
 *
 * posix_main.c does that for the posix port.
 *
 * Each test gets a window of its own, made by open() and ended by close().  A
 * check that fails ends its test, which may then leave pages in use; close() is
 * then refused, and the window is lost.  A test that needs something that the
 * port has left out calls skipped() and passes.
 *
 * The report operation of the port's windows calls conformance_report().
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

#define CONFORMANCE_PAGES	32 /* of each colour, at least */
#define CONFORMANCE_LOCAL_SLOTS 3  /* on each CPU, at least */
#define CONFORMANCE_DMA_SLOTS	2  /* the same, or none */

struct conformance {
	void *port; /* the runner's own */

	/*
	 * CONFORMANCE_PAGES times the number of colours pages, which belong to
	 * the tests while they run and whose contents outlive the windows.
	 */
	pkmap_pfn first_pfn;
	size_t page_size;     /* bytes */
	uint32_t colours;     /* as in struct pkmap_cache, but at least 1 */
	uint32_t local_slots; /* at least CONFORMANCE_LOCAL_SLOTS */
	/* At least CONFORMANCE_DMA_SLOTS; 0: a VIVT cache, or no DMA calls. */
	uint32_t dma_slots;
	bool strict; /* an access through a torn-down slot faults */

	/*
	 * Makes a window with @nslots slots onto the pages (and maybe others),
	 * with the default batch.  Returns NULL, having called failed(), if it
	 * cannot.
	 */
	struct pkmap_window *(*open)(struct conformance *conf, uint32_t nslots,
				     bool read_only);
	/* Ends it.  Returns what pkmap_fini() did; on failure it lives on. */
	int (*close)(struct conformance *conf, struct pkmap_window *win);

	/*
	 * A check failed.  Called again for the check that relied on it, and
	 * so on out to the test, which reads like a call trace.  Any context.
	 */
	void (*failed)(struct conformance *conf, const char *file, int line,
		       const char *text);
	/* The port has left out what the test needs. */
	void (*skipped)(struct conformance *conf, const char *why);

	/*
	 * Runs @run(@arg) in a second task; join() returns when it has
	 * returned.  There is one second task at a time.
	 */
	bool (*start)(struct conformance *conf, void (*run)(void *arg),
		      void *arg);
	void (*join)(struct conformance *conf);
	/* Lets other tasks run. */
	void (*relax)(struct conformance *conf);
	/* Runs @run(@arg) in an interrupt on this CPU, then returns. */
	void (*interrupt)(struct conformance *conf, void (*run)(void *arg),
			  void *arg);
	/*
	 * Interrupts a wait of the second task, as PKMAP_WAIT_INTERRUPTIBLE
	 * means it.  Optional.
	 */
	void (*disturb)(struct conformance *conf);
	/* @ns nanoseconds from now, on the clock of struct pkmap_wait. */
	uint64_t (*deadline)(struct conformance *conf, uint64_t ns);

	/*
	 * Reads or writes a word of a page by another route than a window,
	 * coherent with the window's as long as the page is not mapped.
	 * Optional, both or none.
	 */
	uint32_t (*peek)(struct conformance *conf, pkmap_pfn pfn,
			 size_t offset);
	void (*poke)(struct conformance *conf, pkmap_pfn pfn, size_t offset,
		     uint32_t value);
	/*
	 * The DMA layer of a window, with the port's operations.  peek() and
	 * poke() are its device: they see memory, not the cache.  Optional.
	 */
	struct pkmap_dma *(*dma)(struct conformance *conf,
				 struct pkmap_window *win);
	/*
	 * Whether a load from (or a store to) the byte at @addr faults, found
	 * out without dying of it.  Optional.
	 */
	bool (*faults)(struct conformance *conf, void *addr, bool store);

	/* The kit's own: the misuses that were reported. */
	pkmap_a32 nreports;
	struct pkmap_report report;
};

struct conformance_test {
	const char *name;
	uint32_t nslots; /* of its window, for each colour */
	bool (*run)(struct conformance *conf, struct pkmap_window *win);
};

extern const struct conformance_test conformance_tests[];
extern const unsigned int conformance_ntests;

/* Context: task; sleeps.  Returns whether all checks held. */
bool conformance_run(struct conformance *conf,
		     const struct conformance_test *test);

/* What the port's report operation calls, in whatever context it is. */
void conformance_report(struct conformance *conf,
			const struct pkmap_report *report);

#endif /* CONFORMANCE_H */
