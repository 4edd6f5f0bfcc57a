/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the model machine, as the code that runs on it sees it.
 *
 * There is one machine.  What runs on it (src/, the schemes, the scenarios) are
 * tasks and interrupt handlers: coroutines that give way before every atomic
 * operation and before most of the calls below, where the checker decides who
 * goes on.  Between two such points a context is alone.
 *
 * Pages are reached through window addresses only: numbers, which nothing is
 * behind but machine_load() and machine_store().
 *
 * What a context keeps on its stack and in machine_alloc()'s memory is the
 * program's state, which the checker saves and restores; there must be no
 * other.  Variables that others change meanwhile are pkmap_a32 or pkmap_along.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "machine/timeline/timeline.h"

#include <pkmap/dma.h>
#include <pkmap/port.h>

/* The operations of the window's port, and of its DMA layer's. */
extern const struct pkmap_ops machine_ops;
extern const struct pkmap_dma_ops machine_dma_ops;

/*
 * Who runs: to be called before they do.  The name is copied.  They return the
 * number.
 */
#define MACHINE_NMI 255
int machine_context(enum lane_kind kind, const char *name, int cpu, int level,
		    void (*run)(void));
#define machine_task(name, cpu, run) \
	machine_context(LANE_TASK, name, cpu, 0, run)
/* An interrupt of a higher level interrupts one of a lower. */
#define machine_interrupt(name, cpu, level, run) \
	machine_context(LANE_INTERRUPT, name, cpu, level, run)

/* Zeroed memory of the program, aligned to PKMAP_ALIGN; before it starts. */
void *machine_alloc(size_t bytes);

/*
 * What is in this memory, for fewer states; before it starts.  Counters are not
 * kept (there are two ranges of them at most); who owns the window's lock is the
 * only one to change what is locked; and each CPU looks at its own only in what
 * is private.
 */
void machine_has_counters(const void *begin, const void *end);
void machine_has_locked(const void *begin, const void *end);
void machine_has_private(const void *begin, const void *end);
/* ... which others look at too, in this scenario. */
void machine_has_no_private(void);

/* One byte of a page, through the MMU and the cache. */
uint8_t machine_load(const void *addr);
void machine_store(void *addr, uint8_t value);

/* Of a cache line. */
uint32_t machine_line_bytes(void);

/*
 * Interrupts of this CPU, but for those that cannot be masked.  They nest:
 * machine_irq_restore() takes what machine_irq_save() returned.
 */
bool machine_irq_save(void);
void machine_irq_restore(bool were_on);

/*
 * A spinlock: whoever waits for it keeps its CPU busy.  A task that holds or
 * waits for one is not preempted; interrupts come if they are on.
 */
struct machine_spinlock {
	uint32_t owner; /* 0: free */
};

void machine_spin_lock(struct machine_spinlock *lock);
bool machine_spin_trylock(struct machine_spinlock *lock);
void machine_spin_unlock(struct machine_spinlock *lock);

/*
 * Gives a buffer to the device, which reads all of it, or writes @value to all
 * of it (BIDIRECTIONAL: reads, then writes), a line at a time and whenever it
 * pleases, and then raises interrupt @irq.
 */
void machine_device_start(const struct pkmap_dma_buffer *buf,
			  enum pkmap_dma_dir dir, uint8_t value, int irq);

/* Raises an interrupt, which machine_interrupt() has made. */
void machine_raise(int irq);

#endif /* MACHINE_MACHINE_H */
