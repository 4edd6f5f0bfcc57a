/* SPDX-License-Identifier: MIT */
/*
 * The pump's interrupts.  Each CPU thread has a timer, whose signal may
 * interrupt it anywhere.  The handler pins the frame that the thread works on,
 * or a random one, and checks that
 *
 *   - a frame that a CPU has mapped throughout is found mapped;
 *   - the address belongs to the frame;
 *   - the contents are those of the frame's file, unless somebody changed them
 *     meanwhile.
 */
#ifndef TOOLS_PUMP_IRQ_H
#define TOOLS_PUMP_IRQ_H

#include "pool.h"

#include <pkmap/posix.h>
#include <time.h>

/* How much of a frame a check compares. */
#define IRQ_CHECK_BYTES 4096

struct irq_counts {
	unsigned long taken;	  /* interrupts */
	unsigned long pins;	  /* found the frame mapped */
	unsigned long pin_misses; /* found it not mapped */
	unsigned long compared;	  /* contents with the frame's file */
};

/* A check that failed. */
struct irq_fault {
	const char *what;
	pkmap_pfn pfn;
	void *addr;
};

struct irq {
	struct pkmap_posix *hm;
	struct pool *pool;
	uint64_t period_ns; /* of each CPU's timer; 0: no interrupts */
	_Atomic uint32_t faults;
	_Atomic bool fault_noted;
	struct irq_fault fault; /* the first one, once it is noted */
};

/* A CPU thread's interrupts.  Only its own handler writes the counters. */
struct irq_cpu {
	struct irq *irq;
	timer_t timer;
	uint64_t random;
	_Atomic pkmap_pfn current; /* what the thread works on */
	_Atomic unsigned long taken;
	_Atomic unsigned long pins;
	_Atomic unsigned long pin_misses;
	_Atomic unsigned long compared;
	uint64_t contents[IRQ_CHECK_BYTES / sizeof(uint64_t)];
};

/* Call these before the CPU threads start. */
void irq_init(struct irq *irq, struct pkmap_posix *hm, struct pool *pool,
	      uint64_t period_ns);
void irq_cpu_init(struct irq_cpu *cpu, struct irq *irq, uint32_t number);

/*
 * Call these on the CPU's thread.  A signal may still come after
 * irq_cpu_stop().
 */
int irq_cpu_start(struct irq_cpu *cpu);
void irq_cpu_work_on(struct irq_cpu *cpu, pkmap_pfn pfn);
void irq_cpu_stop(struct irq_cpu *cpu);

/* Adds a CPU's counters to @counts. */
void irq_cpu_count(struct irq_cpu *cpu, struct irq_counts *counts);

/* The first fault, or NULL. */
const struct irq_fault *irq_fault(struct irq *irq);

#endif /* TOOLS_PUMP_IRQ_H */
