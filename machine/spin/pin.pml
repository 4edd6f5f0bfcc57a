/* SPDX-License-Identifier: MIT */
/*
 * pin.pml - pins against maps and reclaim, on a VIVT cache.
 *
 * A task maps any of three pages in a window of two slots, stores to a line and
 * unmaps, as often as it likes.  A device's driver takes page DMA_PAGE away
 * from the CPU, as often as it likes: it pins the page, invalidates its lines
 * one by one if it is mapped, unpins, lets the device store to it behind the
 * cache, and gives it back.  Meanwhile the others may map the page but not
 * store to it; that is their side of DMA's rules.  Pages 0 and 2 share a
 * bucket.
 *
 * With PINNER another task stores to DMA_PAGE whenever a pin finds it mapped:
 * also while the first one cleans its lines, or recycles its slot.
 *
 * With INTERRUPT there is one CPU, and the driver is an interrupt on it: it
 * lands between any two steps of the tasks, and they stop until it is through.
 * All three at once are only explored like this, not each on a CPU of its own:
 * that has more than 38 million states.
 */
#define NSLOTS 2
#define HARDWARE
#ifndef LINES
#define LINES 1
#endif
#define DMA_PAGE 0

#include "protocol.inc"

bool device_owns;
byte done;

inline invalidate(s)
{
	line = 0;
	do
	:: d_step {
		line < LINES ->
		check(I1, !lines[s * LINES + line] ||
			  lines[s * LINES + line] == DMA_PAGE + 1);
		lines[s * LINES + line] = 0;
		line++
	   }
	:: else -> break
	od;
	line = 0
}

/* A line that is dirty now may later overwrite what the device stores. */
inline transfer()
{
	atomic {
		k = 0;
		do
		:: k < NLINES -> check(I8, lines[k] != DMA_PAGE + 1); k++
		:: else -> break
		od;
		k = 0
	}
}

inline take_for_device()
{
	pin(DMA_PAGE);
	if
	:: at != NO_SLOT ->
#ifdef UNPINNED
		put(at);
		invalidate(at);
#else
		check(I3, pfn[at] == DMA_PAGE);
		check(I4, TRANSLATES(at, DMA_PAGE));
		invalidate(at);
		check(I3, pfn[at] == DMA_PAGE);
		put(at)
#endif
	:: else
	fi;
	at = 0;
	old = 0;
	transfer()
}

/* Stores to page p, in slot at, unless the driver's device has it. */
inline use(p)
{
	atomic {
		forget_registers();
		line = LINES - 1;
		if
		:: p != DMA_PAGE || !device_owns -> store(at, p)
		:: else
		fi;
		forget_registers()
	};
	check(I3, pfn[at] == p);
	check(I4, TRANSLATES(at, p));
	put(at);
	at = 0
}

active proctype Driver()
{
	REGISTERS;

	setup(k);
	k = 0;
	run Task(1);
#ifdef PINNER
	run Pinner();
#else
	done++;
#endif
	do
	:: device_owns = true;
#ifdef INTERRUPT
	   atomic { interrupt = true; take_for_device(); interrupt = false };
#else
	   take_for_device();
#endif
progress:  device_owns = false
	:: break
	od;
	done == 2;
	check_end(k)
}

proctype Task(byte me)
{
	REGISTERS;
	byte p;

	do
	:: if
	   :: p = 0
	   :: p = 1
	   :: p = 2
	   fi;
	   pin(p);
	   if
	   :: at == NO_SLOT -> map_under_lock(p, NO_PAGE, me, false)
	   :: else
	   fi;
	   use(p);
progress:  p = 0
	:: break
	od;
	done++
}

#ifdef PINNER
proctype Pinner()
{
	REGISTERS;

	do
	:: pin(DMA_PAGE);
	   if
	   :: at != NO_SLOT -> use(DMA_PAGE)
	   :: else
	   fi;
progress:  at = 0;
	   forget_registers()
	:: break
	od;
	done++
}
#endif
