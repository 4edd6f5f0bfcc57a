/* SPDX-License-Identifier: MIT */
/*
 * conformance.h - one set of tests that every port of pkmap must pass.
 *
 * The kit needs only the headers of pkmap.  It uses no libc, allocates nothing,
 * does not recurse, and takes little stack.  The port's author fills in a
 * struct conformance, which has what the tests need and how they report:
 *
 *	static struct conformance conf = { .open = my_open, ... };
 *
 *	for (i = 0; i < conformance_ntests; i++)
 *		conformance_run(&conf, &conformance_tests[i]);
 *
 * posix_main.c does that for the posix port.
 *
 * Each test gets a window of its own, made by open() and ended by close().  A
 * check that fails ends its test.  If that leaves pages in use, the window is
 * not closed, and is lost.  A test that needs an operation that the port has
 * left out calls skipped() and passes.
 *
 * The report operation of the port's windows calls conformance_report().
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <pkmap/dma.h>
#include <pkmap/pkmap.h>

#define CONFORMANCE_PAGES	32 /* of each colour, at least */
#define CONFORMANCE_LOCAL_SLOTS 3  /* on each CPU, at least */
#define CONFORMANCE_DMA_SLOTS	2  /* on each CPU, at least, or none */

struct conformance {
	void *port; /* for the runner; the kit does not use it */

	/*
	 * The first page of the tests.  There are CONFORMANCE_PAGES pages of
	 * each colour from there on.  They belong to the tests while these run,
	 * and keep their contents when a window ends.
	 */
	pkmap_pfn first_pfn;
	size_t page_size;     /* bytes */
	uint32_t colours;     /* as in struct pkmap_cache, but at least 1 */
	uint32_t local_slots; /* at least CONFORMANCE_LOCAL_SLOTS */
	/* At least CONFORMANCE_DMA_SLOTS; 0 if VIVT, or without DMA calls. */
	uint32_t dma_slots;
	bool strict; /* an access through a torn-down slot faults */

	/*
	 * Makes a window with @nslots slots onto the pages (and maybe others),
	 * with the default batch.  If it cannot, calls failed() and returns
	 * NULL.
	 */
	struct pkmap_window *(*open)(struct conformance *conf, uint32_t nslots,
				     bool read_only);
	/* Ends a window, unless pkmap_fini() fails; returns its error. */
	int (*close)(struct conformance *conf, struct pkmap_window *win);

	/*
	 * A check failed.  Called again for each check that relied on it, out
	 * to that of the test, so that the output reads like a call trace.
	 * Context: any.
	 */
	void (*failed)(struct conformance *conf, const char *file, int line,
		       const char *text);
	/* The port has left out what the test that runs needs. */
	void (*skipped)(struct conformance *conf, const char *why);

	/*
	 * Runs @run(@arg) in a second task, of which there is one at a time;
	 * join() waits until it has returned.
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
	 * Interrupts a wait of the second task, in the sense of
	 * PKMAP_WAIT_INTERRUPTIBLE.  Optional.
	 */
	void (*disturb)(struct conformance *conf);
	/* @ns nanoseconds from now, on the clock of struct pkmap_wait. */
	uint64_t (*deadline)(struct conformance *conf, uint64_t ns);

	/*
	 * Read and write a word of a page by another route than a window, which
	 * is coherent with the window while the page is not mapped.  Optional;
	 * both or none.
	 */
	uint32_t (*peek)(struct conformance *conf, pkmap_pfn pfn,
			 size_t offset);
	void (*poke)(struct conformance *conf, pkmap_pfn pfn, size_t offset,
		     uint32_t value);
	/*
	 * Returns the DMA layer of a window, with the port's operations.  The
	 * tests use peek() and poke() as its device: these see memory, not the
	 * cache.  Optional.
	 */
	struct pkmap_dma *(*dma)(struct conformance *conf,
				 struct pkmap_window *win);
	/*
	 * Whether a load from the byte at @addr faults, or if @store a store to
	 * it.  Survives the fault.  Optional.
	 */
	bool (*faults)(struct conformance *conf, void *addr, bool store);

	/* For the kit only: how many misuses were reported, and the last. */
	pkmap_a32 nreports;
	struct pkmap_report report;
};

struct conformance_test {
	const char *name;
	uint32_t nslots; /* of its window, of each colour */
	bool (*run)(struct conformance *conf, struct pkmap_window *win);
};

extern const struct conformance_test conformance_tests[];
extern const unsigned int conformance_ntests;

/* Context: task; sleeps.  Returns whether all checks held. */
bool conformance_run(struct conformance *conf,
		     const struct conformance_test *test);

/* The port's report operation calls it.  Context: any. */
void conformance_report(struct conformance *conf,
			const struct pkmap_report *report);

#endif /* CONFORMANCE_H */
