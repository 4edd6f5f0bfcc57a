/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - writing a scenario: who runs on the machine, and what they do.
 *
 *	static void writer(void)
 *	{
 *		char *page = map(1);
 *
 *		store(page, 0x21);
 *		unmap(page);
 *	}
 *
 *	static void prepare(void)
 *	{
 *		leave_mapped(0, 0x11);
 *		machine_task("writer", 0, writer);
 *		machine_raise(machine_interrupt("interrupt", 0, 1, handler));
 *	}
 *
 *	const struct scenario scenario_example = {
 *		.name = "example",
 *		.about = "what it shows",
 *		.prepare = prepare,
 *	};
 *
 * docs/checker.md says what else there is to do.  The calls below call the
 * scheme under test, and tell the checker who holds which page (I3, I8).
 */
#ifndef MACHINE_SCENARIOS_SCENARIO_H
#define MACHINE_SCENARIOS_SCENARIO_H

#include "machine/model/machine.h"
#include "machine/model/types.h"
#include "machine/schemes/scheme.h"

struct scenario {
	const char *name;
	const char *about;
	/* Changes the defaults of --cpus and other options, or NULL. */
	void (*configure)(struct machine_config *config);
	/* Whether it shows anything on such a machine; NULL: on all. */
	bool (*makes_sense)(const struct machine_config *config);
	/* Runs before the tasks, alone, and makes them. */
	void (*prepare)(void);
	/* The default schedule of a replay (schedule.h), or NULL. */
	const char *schedule;
};

/* All scenarios and all schemes; a NULL ends each list. */
extern const struct scenario *const scenarios[];
extern const struct scheme *const schemes[];

/* @cpu, or the last CPU if there are not so many. */
int cpu_or_last(int cpu);

/*
 * For makes_sense: whether there is more than one slot of each colour.
 * Scenarios whose pages compete for slots, whatever their colours, need that.
 */
bool several_slots(const struct machine_config *config);

/* How often a task is to repeat its work. */
uint32_t rounds(void);
struct pkmap_dma_buffer whole_page(pkmap_pfn pfn);

/*
 * Maps a page, writes to all of it, and unmaps it, so that its lines are dirty.
 * Returns the address, where it still is mapped, but unused.
 */
void *leave_mapped(pkmap_pfn pfn, uint8_t value);

/* These wait as long as it takes.  A failure breaks I10. */
char *map(pkmap_pfn pfn);
int map_two(pkmap_pfn first, pkmap_pfn second, void *addrs[2]);
/* Returns NULL if its deadline passes, which can be at any moment. */
char *map_in_time(pkmap_pfn pfn);
void unmap(void *addr);
/* Unmaps a page that nobody has mapped, which must be refused (I10). */
void unmap_once_too_often(void *addr);

/* Returns NULL if the page is not mapped. */
char *pin(pkmap_pfn pfn);
void unpin(void *addr);

char *local_map(pkmap_pfn pfn);
void local_unmap(void *addr);
/* Ends a local map other than the last, which must be refused (I10). */
void local_unmap_out_of_order(void *addr);

void flush_unused(void);

/*
 * Unmap a page by its number; the second unmaps one that nobody has mapped,
 * which must be refused (I10).  Without such a call in the scheme, the first
 * unmaps @addr, and the second does nothing.
 */
void unmap_pfn(pkmap_pfn pfn, void *addr);
void unmap_pfn_once_too_often(pkmap_pfn pfn);

/*
 * Waits until nobody uses the page; after that, no slot may show it (I3).
 * Without such a call in the scheme, flushes.  A scenario that uses this calls
 * share_local_maps() in prepare(), since forget() looks at other CPUs' local
 * maps.
 */
void forget(pkmap_pfn pfn);
void share_local_maps(void);

/* A note from one task to the others, written once; made in prepare(). */
struct note;
struct note *make_note(void);
void write_note(struct note *note);
bool note_is_written(const struct note *note);

/* Maps, writes to and unmaps a page, rounds() times. */
void use_page(pkmap_pfn pfn, uint8_t value);

/* One byte.  load() checks that it is what was written last (I2). */
void store(char *addr, uint8_t value);
uint8_t load(const char *addr);

/* Gives a buffer to the device, which transfers it and raises @irq. */
void dma_start(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir,
	       uint8_t value, int irq);
/* To be called when the device is done. */
void dma_finish(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir);

/* For the checker. */
void scenario_prepare(const struct scenario *scenario,
		      const struct scheme *scheme);
const char *scenario_check_end(void);

#endif /* MACHINE_SCENARIOS_SCENARIO_H */
