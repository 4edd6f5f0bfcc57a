/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the model machine, as the code that runs on it sees it.
 *
 * There is one machine.  The code that runs on it (src/, the schemes, the
 * scenarios) runs in contexts: tasks and interrupt handlers.  These are
 * coroutines that give way before every atomic operation and before most of the
 * calls below, where the checker decides who continues.  Between two such
 * points nothing else runs.
 *
 * A window address is only a number: pages are read and written with
 * machine_load() and machine_store(), not through pointers.
 *
 * The checker saves and restores the contexts' stacks and the memory from
 * machine_alloc().  A program must not keep its state anywhere else.  Variables
 * that several contexts change must be pkmap_a32 or pkmap_along.
 */
#ifndef MACHINE_MODEL_MACHINE_H
#define MACHINE_MODEL_MACHINE_H

#include "machine/timeline/timeline.h"

#include <pkmap/dma.h>
#include <pkmap/port.h>

/* The port's operations for the window, and for its DMA layer. */
extern const struct pkmap_ops machine_ops;
extern const struct pkmap_dma_ops machine_dma_ops;

/*
 * Adds a context, before the run starts.  The name is copied.  Returns the
 * context's number.
 */
#define MACHINE_NMI 255 /* the level of an interrupt that cannot be masked */
int machine_context(enum lane_kind kind, const char *name, int cpu, int level,
		    void (*run)(void));
#define machine_task(name, cpu, run) \
	machine_context(LANE_TASK, name, cpu, 0, run)
/* An interrupt interrupts handlers of a lower level. */
#define machine_interrupt(name, cpu, level, run) \
	machine_context(LANE_INTERRUPT, name, cpu, level, run)

/*
 * Zeroed memory for the program, aligned to PKMAP_ALIGN; NULL if there is not
 * enough.  For use before the run starts.
 */
void *machine_alloc(size_t bytes);

/*
 * These say how memory is used, which saves states; for use before the run
 * starts.  Counters are not kept (at most two ranges).  Only the owner of the
 * window's lock changes locked variables.  In private variables, each CPU looks
 * at its own only.
 */
void machine_has_counters(const void *begin, const void *end);
void machine_has_locked(const void *begin, const void *end);
void machine_has_private(const void *begin, const void *end);
/* In this scenario, other CPUs look at the private variables, too. */
void machine_has_no_private(void);

/* One byte of a page, through the MMU and the cache. */
uint8_t machine_load(const void *addr);
void machine_store(void *addr, uint8_t value);

/* The size of a cache line. */
uint32_t machine_line_bytes(void);

/*
 * Masks this CPU's interrupts, except those that cannot be masked.  Calls nest:
 * machine_irq_restore() takes what machine_irq_save() returned.
 */
bool machine_irq_save(void);
void machine_irq_restore(bool were_on);

/*
 * A spinlock: a waiter keeps its CPU busy.  A task that holds or waits for one
 * is not preempted, but can be interrupted if interrupts are on.
 */
struct machine_spinlock {
	uint32_t owner; /* 0: free */
};

void machine_spin_lock(struct machine_spinlock *lock);
bool machine_spin_trylock(struct machine_spinlock *lock);
void machine_spin_unlock(struct machine_spinlock *lock);

/*
 * Gives a buffer to the device, which reads all of it, or writes @value to all
 * of it, or, if @dir is BIDIRECTIONAL, reads and then writes each byte.  It
 * transfers one line at a time, at any moment, and then raises interrupt @irq.
 */
void machine_device_start(const struct pkmap_dma_buffer *buf,
			  enum pkmap_dma_dir dir, uint8_t value, int irq);

/* Raises an interrupt; @irq is what machine_interrupt() returned. */
void machine_raise(int irq);

#endif /* MACHINE_MODEL_MACHINE_H */
