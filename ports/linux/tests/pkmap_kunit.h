/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pkmap_kunit.h - what the KUnit tests of pkmap share.
 */
#ifndef PKMAP_KUNIT_H
#define PKMAP_KUNIT_H

/*
 * Runs @run(@arg) in a hard interrupt on the caller's CPU, and returns when the
 * interrupt has ended.
 *
 * Context: task, interrupts on; preemption may be off.
 */
void pkmap_kunit_interrupt(void (*run)(void *arg), void *arg);

/* Lets other tasks run, whatever their priorities are. */
void pkmap_kunit_relax(void);

#endif /* PKMAP_KUNIT_H */
