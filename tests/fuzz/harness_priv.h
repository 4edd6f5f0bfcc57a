/* SPDX-License-Identifier: MIT */
/*
 * harness_priv.h - what the files of the harness share: the state of a run, and
 * the input.
 */
#ifndef HARNESS_PRIV_H
#define HARNESS_PRIV_H

#include "tests/fake/fake_dma.h"

#define FIRST_PFN   100u
#define MAX_PAGES   32
#define MAX_SLOTS   8
#define LOCAL_SLOTS 4
#define DMA_SLOTS   2 /* a task and one interrupt */
#define MAX_REQUEST 4u

struct local_map {
	pkmap_pfn pfn;
	void *addr;
	bool pins;    /* a slot of the window */
	bool borrows; /* the address of one that is open already */
};

struct harness {
	const uint8_t *data;
	size_t left;

	struct fake f;
	struct fake_dma dma;

	void *addr[MAX_PAGES];	      /* where a held page is */
	unsigned int held[MAX_PAGES]; /* by this task, others, interrupts */
	struct local_map local[LOCAL_SLOTS]; /* open, by this task */
	uint32_t nlocal;

	uint32_t tracker_entries;

	pkmap_pfn local_busy; /* the page whose local map is opened or closed */

	pkmap_pfn request[MAX_REQUEST]; /* the map that is going on */
	uint32_t nrequest;
	bool forgets; /* or the forget, of these pages */
	pkmap_pfn first;
	pkmap_pfn npages;

	bool interrupts; /* interrupts do something in this run */
	bool disturbed;	 /* ... and held or let go a page in this call */
	bool set_fails;	 /* the next one in this interrupt */
	int set_error;	 /* what set() failed with in this call ... */
	unsigned int set_failures; /* ... so many times */
	int interrupt_error;	   /* ... and in an interrupt */
	int wait_error;

	/* What the library did, to compare with its own statistics. */
	struct {
		unsigned long sets;
		unsigned long local_sets;
		unsigned long dma_sets;
		unsigned long cleared;
		unsigned long flushes;
	} did;

	/* What the statistics should say. */
	unsigned long mapped;
	unsigned long pins;
	unsigned long pin_misses;
};

extern struct harness h;

uint8_t next_byte(void);

/* A page that exists. */
pkmap_pfn some_page(void);

/* Where an open local map shows a page, or NULL. */
void *find_local(pkmap_pfn pfn);

#endif /* HARNESS_PRIV_H */
