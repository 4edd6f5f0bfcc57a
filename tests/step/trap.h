/* SPDX-License-Identifier: MIT */
/*
 * Interrupts the code inside the library.  trap_flag.c makes the CPU trap after
 * each instruction; on CPUs that cannot do that, trap_timer.c lets a timer
 * expire once.
 */
#ifndef STEP_TRAP_H
#define STEP_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* Whether every instruction is interrupted, or only one, by a timer. */
extern const bool trap_every;

/*
 * @handler is called at @pc in the library, in an interrupt.  It returns
 * whether the next instruction shall be interrupted too.
 */
bool trap_open(bool (*handler)(uintptr_t pc));

/* Starts interrupting; with a timer, after @offset steps of time. */
void trap_arm(unsigned long offset);

/* Stops interrupting. */
void trap_disarm(void);

#endif /* STEP_TRAP_H */
