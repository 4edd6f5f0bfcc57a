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
 * docs/checker.md says how to go on.  The calls below are the scheme's under
 * test, with what the checker has to know about them (I3, I8).
 */
#ifndef MACHINE_SCENARIO_H
#define MACHINE_SCENARIO_H

#include "machine/model/machine.h"
#include "machine/model/types.h"
#include "machine/schemes/scheme.h"

struct scenario {
	const char *name;
	const char *about;
	/* Changes what --cpus and so on did not ask for, or NULL. */
	void (*configure)(struct machine_config *config);
	/* Whether it shows anything on such a machine; NULL: on all. */
	bool (*makes_sense)(const struct machine_config *config);
	/* Runs before the tasks, alone; makes them. */
	void (*prepare)(void);
	/* What a replay shows if it is given no other (schedule.h), or NULL. */
	const char *schedule;
};

/* All of them; a NULL ends the list. */
extern const struct scenario *const scenarios[];
extern const struct scheme *const schemes[];

/* A CPU of the scenario's: the same one if there are not that many. */
int cpu_or_last(int cpu);

/*
 * For makes_sense: there is more than one slot of each colour.  For those whose
 * pages, of different colours maybe, are to compete for slots.
 */
bool several_slots(const struct machine_config *config);

/* How often a task is to do what it does. */
uint32_t rounds(void);
struct pkmap_dma_buffer whole_page(pkmap_pfn pfn);

/*
 * Maps a page, writes to all of it, and unmaps it: its lines are dirty.
 * Returns where it was mapped, and still is.
 */
void *leave_mapped(pkmap_pfn pfn, uint8_t value);

/* Both wait as long as it takes; it is broken (I10) if they fail. */
char *map(pkmap_pfn pfn);
int map_two(pkmap_pfn first, pkmap_pfn second, void *addrs[2]);
/* Waits until a deadline, which may pass at any time: NULL. */
char *map_in_time(pkmap_pfn pfn);
void unmap(void *addr);
/* Of a page that the caller does not have mapped: must be refused (I10). */
void unmap_once_too_often(void *addr);

char *pin(pkmap_pfn pfn);
void unpin(void *addr);

char *local_map(pkmap_pfn pfn);
void local_unmap(void *addr);
/* Of another than the last one: must be refused (I10). */
void local_unmap_out_of_order(void *addr);

void flush_unused(void);

/*
 * By the page's number, and once more than the caller has it mapped.  With a
 * scheme that has no such call the one is by @addr, and the other does nothing.
 */
void unmap_pfn(pkmap_pfn pfn, void *addr);
void unmap_pfn_once_too_often(pkmap_pfn pfn);

/*
 * Waits until nobody uses the page; then nothing may show it (I3).  In prepare(),
 * scenarios with it call share_local_maps(): what a CPU has mapped locally is
 * looked at by others too.  A scheme that has no such call flushes.
 */
void forget(pkmap_pfn pfn);
void share_local_maps(void);

/* What one task tells the others, once; made in prepare(). */
struct note;
struct note *make_note(void);
void write_note(struct note *note);
bool note_is_written(const struct note *note);

/* Maps, writes to and unmaps a page, rounds() times. */
void use_page(pkmap_pfn pfn, uint8_t value);

/* The byte at an address.  load() checks that it is what was written last. */
void store(char *addr, uint8_t value);
uint8_t load(const char *addr);

/* Gives a buffer to the device, which transfers it and raises @irq. */
void dma_start(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir,
	       uint8_t value, int irq);
/* When it is done. */
void dma_finish(const struct pkmap_dma_buffer *buf, enum pkmap_dma_dir dir);

/* The machine's side. */
void scenario_prepare(const struct scenario *scenario,
		      const struct scheme *scheme);
const char *scenario_check_end(void);

#endif /* MACHINE_SCENARIO_H */
