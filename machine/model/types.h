/* SPDX-License-Identifier: MIT */
/*
 * types.h - the machine's configuration, the actions that can happen on it, and
 * the invariant that is broken.
 */
#ifndef MACHINE_MODEL_TYPES_H
#define MACHINE_MODEL_TYPES_H

#include <pkmap/port.h>
#include <stdbool.h>
#include <stdint.h>

/* How the hardware cleans and invalidates a range. */
enum range_clean {
	RANGE_WHOLE,
	RANGE_ONE_PAGE, /* only up to the end of the first page */
	RANGE_IN_STEPS, /* cleans each line, and then invalidates it */
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
	bool own_caches;  /* each CPU has a cache; these are coherent */
	bool ipi;	  /* TLBs are flushed by inter-processor interrupt */
	bool weak_memory; /* release/acquire, not sequentially consistent */
	/*
	 * Do not leave out what commutes: to show that leaving it out loses
	 * nothing (docs/checker.md, section 3).
	 */
	bool unreduced;
	uint32_t rounds; /* how often a scenario's tasks repeat their work */
};

enum verdict {
	VERDICT_CLEAN,
	VERDICT_DATA_LOSS,
	VERDICT_STALE_READ,
	VERDICT_DEADLOCK,
	VERDICT_LIVELOCK,
	VERDICT_BROKEN, /* an invariant that has no name of its own */
};

/* The first broken invariant: I1 to I10 of docs/design.md, section 11. */
struct broken {
	int invariant; /* 0: none */
	enum verdict verdict;
	char text[160];
};

/* An action that can happen next: who acts, and which result it has. */
enum actor {
	ACTOR_CONTEXT,	     /* + its number: makes a step */
	ACTOR_INTERRUPT = 8, /* + its number: begins */
	ACTOR_FLUSH = 16,    /* + CPU: answers an inter-processor interrupt */
	ACTOR_DEADLINE = 20, /* + context: its deadline passes */
	ACTOR_DEVICE = 28,
	ACTOR_EVICT = 29, /* + cache; choice: the entry */
	ACTOR_FILL = 33,  /* + cache; choice: the entry */
	ACTORS = 37,
};

struct action {
	uint8_t actor;
	uint8_t choice;
};

#endif /* MACHINE_MODEL_TYPES_H */
