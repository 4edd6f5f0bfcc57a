/* SPDX-License-Identifier: MIT */
/*
 * Interrupting a piece of code inside the library: trap_flag.c has the CPU
 * trap after each instruction; trap_timer.c, where there is no such thing, has
 * a timer go off once.
 */
#ifndef STEP_TRAP_H
#define STEP_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* Whether every instruction is interrupted, or one that a timer chooses. */
extern const bool trap_every;

/*
 * @handler is called at @pc in the library, in an interrupt.  It returns
 * whether the next instruction shall be interrupted too.
 */
bool trap_open(bool (*handler)(uintptr_t pc));

/* From now on; with a timer, at its @offset-th step of time. */
void trap_arm(unsigned long offset);

/* No longer. */
void trap_disarm(void);

#endif /* STEP_TRAP_H */
