/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmap_watch.h - what pkmap's tracepoints and counters tell the stress test.
 *
 * In a kernel without pkmap everything is 0; without tracepoints only the
 * number of reclaims is known.
 */
#ifndef KMAP_WATCH_H
#define KMAP_WATCH_H

/* Watches the tracepoints until kmap_watch_end().  Context: task. */
int kmap_watch_begin(void);
void kmap_watch_end(void);

/*
 * Pins by anybody on this CPU that found their page mapped.  As long as
 * interrupts are off, only the code that runs in between adds to them.
 */
unsigned long kmap_watch_pins(void);

/* Runs of adjacent slots that were cleaned by address, slot after slot. */
unsigned long kmap_watch_runs(void);

/* How often slots were reclaimed, since boot. */
unsigned long kmap_watch_reclaims(void);

#endif /* KMAP_WATCH_H */
