/* SPDX-License-Identifier: MIT */
/*
 * run.h - a run of a scenario on the machine, as the checker sees it: a state,
 * and what can happen next in it.
 */
#ifndef MACHINE_RUN_H
#define MACHINE_RUN_H

#include <pkmap/port.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario;
struct scheme;
struct timeline;

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

/* All contexts' choices, and every line of every cache. */
#define MAX_ACTIONS 544

/* Makes the machine, prepares it, and stops where it can first branch. */
void run_begin(const struct scenario *scenario, const struct scheme *scheme,
	       const struct machine_config *config);

/* What can happen next.  Returns how many, 0 at the end or in a deadlock. */
uint32_t run_actions(struct action actions[MAX_ACTIONS]);

/* Makes a step.  False if an invariant is broken by it. */
bool run_step(struct action action);

/* To be called where nothing can happen any more.  False as run_step(). */
bool run_end(void);

const struct broken *run_broken(void);

/*
 * The state: parts that are saved and restored one by one.  A context's step
 * changes its own stack, the memory and the hardware; others the hardware only.
 */
#define PART_HARDWARE 0
#define PART_MEMORY   1
#define PART_WEAK     2 /* what weak memory has besides */
#define PART_STACKS   3 /* + the context's number */

uint32_t run_parts(void);
/* Where a part is now, and its length. */
const void *run_part(uint32_t part, size_t *bytes);
void run_restore(uint32_t part, const void *data, size_t bytes);

/* Whether weak memory had too many values to keep them all. */
bool run_was_cut(void);

/* Whether it is an interrupt's step. */
bool run_is_interrupt(struct action action);

const char *verdict_name(enum verdict verdict);

#endif /* MACHINE_RUN_H */
