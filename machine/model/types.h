/* SPDX-License-Identifier: MIT */
/*
 * types.h - which machine it is, what can happen next on it, and what is broken.
 */
#ifndef MACHINE_TYPES_H
#define MACHINE_TYPES_H

#include <pkmap/port.h>
#include <stdbool.h>
#include <stdint.h>

/* What the hardware's call to clean and invalidate a range does. */
enum range_clean {
	RANGE_WHOLE,
	RANGE_ONE_PAGE, /* up to the end of a page, however long it is */
	RANGE_IN_STEPS, /* cleans a line, and then invalidates it */
};

struct machine_config {
	uint32_t ncpus;
	uint32_t nslots;
	uint32_t npages;
	uint32_t page_shift;
	uint32_t line_shift;
	uint32_t batch;	      /* as in struct pkmap_config */
	uint32_t local_slots; /* for each CPU */
	uint32_t dma_slots;
	struct pkmap_cache cache;
	enum range_clean range_clean; /* VIVT only */
	bool own_caches;  /* a cache for each CPU, coherent with each other */
	bool ipi;	  /* TLBs are flushed by inter-processor interrupt */
	bool weak_memory; /* release/acquire, not sequentially consistent */
	/*
	 * Everything at every point, although it commutes: to show that
	 * leaving that out loses nothing (docs/checker.md).
	 */
	bool unreduced;
	uint32_t rounds; /* how often a scenario's tasks do what they do */
};

enum verdict {
	VERDICT_CLEAN,
	VERDICT_DATA_LOSS,
	VERDICT_STALE_READ,
	VERDICT_DEADLOCK,
	VERDICT_LIVELOCK,
	VERDICT_BROKEN, /* an invariant that none of those names describes */
};

/* The first invariant that was broken: I1 to I10 of docs/design.md. */
struct broken {
	int invariant; /* 0: none */
	enum verdict verdict;
	char text[160];
};

/* What can happen next: who or what, and which of the ways it can go. */
enum actor {
	ACTOR_CONTEXT,	     /* + its number: makes a step */
	ACTOR_INTERRUPT = 8, /* + its number: begins */
	ACTOR_FLUSH = 16,    /* + CPU: answers an inter-processor interrupt */
	ACTOR_DEADLINE = 20, /* + context: its deadline passes */
	ACTOR_DEVICE = 28,
	ACTOR_EVICT = 29, /* choice: the entry */
	ACTOR_FILL = 33,  /* + cache, as before */
	ACTORS = 37,
};

struct action {
	uint8_t actor;
	uint8_t choice;
};

#endif /* MACHINE_TYPES_H */
