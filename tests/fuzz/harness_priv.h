/* SPDX-License-Identifier: MIT */
/*
 * harness_priv.h - what the parts of the harness share: the state of a run, and
 * what the input says.
 */
#ifndef HARNESS_PRIV_H
#define HARNESS_PRIV_H

#include "model_port.h"

#define MAX_REQUEST  4u
#define MEMORY_BYTES 16384

struct local_map {
	pkmap_pfn pfn;
	void *addr;
	bool pins;    /* a slot of the window */
	bool borrows; /* the address of one that is open already */
};

struct harness {
	const uint8_t *data;
	size_t left;

	_Alignas(PKMAP_ALIGN) unsigned char memory[MEMORY_BYTES];
	struct model model;
	struct pkmap_window *win;

	void *addr[MODEL_PAGES];	/* where a held page is */
	unsigned int held[MODEL_PAGES]; /* by this task, others, interrupts */
	struct local_map local[MODEL_LOCAL_SLOTS]; /* open, by this task */
	uint32_t nlocal;

	uint32_t tracker_entries;

	pkmap_pfn local_busy; /* the page whose local map is opened or closed */

	pkmap_pfn request[MAX_REQUEST]; /* the map that is going on */
	uint32_t nrequest;
	bool forgets; /* or the forget, of these pages */
	pkmap_pfn first;
	pkmap_pfn npages;

	bool interrupts; /* interrupts do something in this run */
	bool in_interrupt;
	bool disturbed; /* ... and held or let go a page in this call */
	bool set_fails; /* the next one in this interrupt */
	int set_error;	/* what set() failed with in this call ... */
	unsigned int set_failures; /* ... so many times */
	int interrupt_error;	   /* ... and in an interrupt */
	int wait_error;

	/* What the statistics should say. */
	unsigned long mapped;
	unsigned long pins;
	unsigned long pin_misses;
};

extern struct harness h;

#define expect(cond) \
	((cond) ? (void)0 : \
		  model_fail("%s:%d: not so: %s", __func__, __LINE__, #cond))

uint8_t next_byte(void);

/* One that exists. */
pkmap_pfn some_page(void);

/* Where an open local map shows a page, or NULL. */
void *find_local(pkmap_pfn pfn);

#endif /* HARNESS_PRIV_H */
