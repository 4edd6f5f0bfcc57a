/* SPDX-License-Identifier: MIT */
/*
 * wait.pml - more tasks than slots.
 *
 * One slot and three tasks, each of which wants its own page, as often as it
 * likes.  The third one's deadline may pass at any moment, even as it is woken.
 * With PINS, a process takes the third one's place that pins and unpins the
 * first one's page, as often as it likes.  It takes no lock and waits for
 * nobody: reclaim may find the slot used again.
 *
 * With CARELESS there is one task, which wants either of two pages, a process
 * that pins the first one, and two that unmap the slot once too often.
 *
 * With PAIRS there are two slots and two tasks.  One wants two pages at once,
 * all or none (pkmap_map_pages()).  The other maps one page, and perhaps
 * another while it holds the first, as everyday code does.
 *
 * There is no cache here: pin.pml has that.  A task that sleeps for ever
 * although it could have a slot is an invalid end state: the others come to
 * their ends, and it does not (I7, I9).
 */
#ifdef PAIRS
#define NSLOTS 2
#define NTASKS 2
#else
#define NSLOTS 1
#if defined(CARELESS)
#define NTASKS 3
#elif defined(PINS)
#define NTASKS 2
#else
#define NTASKS 3
#define DEADLINES
#endif
#endif
#define BATCH 1

#include "protocol.inc"

byte done;

active proctype Pinner()
{
	REGISTERS;

	setup(k);
	k = 0;
#ifdef PAIRS
	run Pair(1);
	run Nested(2);
#elif defined(CARELESS)
	run Task(1, 0, false);
	run Careless();
	run Careless();
#else
	run Task(1, 0, false);
	run Task(2, 1, false);
#ifndef PINS
	run Task(4, 2, true);
#endif
#endif
#ifdef PINS
	do
	:: pin(0);
	   if
	   :: at != NO_SLOT ->
		check(I3, pfn[at] == 0);
		put(at)
	   :: else
	   fi;
progress:  at = 0;
	   forget_registers()
	:: break
	od;
#endif
	done == NTASKS;
	check_end(k)
}

#ifndef PAIRS
proctype Task(byte me; byte p; bool deadline)
{
	REGISTERS;

	do
	::
#ifdef CARELESS
	   if
	   :: p = 0
	   :: p = 1
	   fi;
#endif
	   pin(p);
	   if
	   :: at == NO_SLOT -> map_under_lock(p, NO_PAGE, me, deadline)
	   :: else -> taken = 1
	   fi;
	   if
	   :: taken ->
		check(I3, pfn[at] == p);
		put(at)
	   :: else
	   fi;
progress:  at = 0;
	   forget_registers()
	:: break
	od;
	done++
}
#else
proctype Pair(byte me)
{
	REGISTERS;

	do
	:: get(0);
	   if
	   :: at != NO_SLOT ->
		first = at;
		get(1);
		if
		:: at != NO_SLOT -> taken = 2
		:: else -> put(first)
		fi
	   :: else
	   fi;
	   if
	   :: !taken -> map_under_lock(0, 1, me, false)
	   :: else
	   fi;
	   check(I3, pfn[first] == 0 && pfn[at] == 1);
	   put(first);
	   put(at);
progress:  at = 0;
	   forget_registers()
	:: break
	od;
	done++
}

proctype Nested(byte me)
{
	REGISTERS;
	byte outer;

	do
	:: pin(2);
	   if
	   :: at == NO_SLOT -> map_under_lock(2, NO_PAGE, me, false)
	   :: else
	   fi;
	   outer = at;
	   at = 0;
	   forget_registers();
	   if
	   :: pin(0);
	      if
	      :: at == NO_SLOT -> map_under_lock(0, NO_PAGE, me, false)
	      :: else
	      fi;
	      check(I3, pfn[outer] == 2 && pfn[at] == 0);
	      put(at)
	   :: skip
	   fi;
	   put(outer);
progress:  outer = 0;
	   at = 0;
	   forget_registers()
	:: break
	od;
	done++
}
#endif

#ifdef CARELESS
proctype Careless()
{
	byte old;

	if
	:: excess_put(0)
	:: skip
	fi;
	done++
}
#endif
