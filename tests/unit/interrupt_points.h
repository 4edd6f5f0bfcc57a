/* SPDX-License-Identifier: MIT */
/*
 * interrupt_points.h - an interrupt before one of the atomic operations of
 * src/, for programs that are built with interrupted/pkmap/atomic.h.  Each
 * includes it in one file.
 */
#ifndef INTERRUPT_POINTS_H
#define INTERRUPT_POINTS_H

#include <stdbool.h>

static void (*handler)(void);
static bool armed;		 /* the interrupt is still to come ... */
static unsigned int points_left; /* ... after this many operations */

void interrupt_point(void)
{
	if (!armed || points_left-- > 0)
		return;
	armed = false;
	handler();
}

#endif /* INTERRUPT_POINTS_H */
