// SPDX-License-Identifier: MIT
/*
 * Without a trap flag, a one-shot timer interrupts the code wherever it is by
 * then.  Outside the library nothing happens.
 */
#include "text.h"
#include "trap.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <ucontext.h>

#define STEP_NS 100
#define MIN_NS	1000

#if defined(__arm__)
#define REG_PC arm_pc
#elif defined(__aarch64__)
#define REG_PC pc
#else
#error "where does the signal context keep the program counter?"
#endif

const bool trap_every = false;

static bool (*handle)(uintptr_t pc);
static volatile sig_atomic_t armed;
static timer_t timer;

static void expired(int sig, siginfo_t *info, void *context)
{
	uintptr_t pc = ((ucontext_t *)context)->uc_mcontext.REG_PC;

	(void)sig;
	(void)info;
	if (armed && text_contains(pc))
		armed = handle(pc);
}

bool trap_open(bool (*handler)(uintptr_t pc))
{
	struct sigaction action = {
		.sa_sigaction = expired,
		.sa_flags = SA_SIGINFO,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};

	handle = handler;
	return !sigaction(SIGUSR1, &action, NULL) &&
	       !timer_create(CLOCK_MONOTONIC, &event, &timer);
}

void trap_arm(unsigned long offset)
{
	struct itimerspec at = {
		.it_value.tv_nsec = MIN_NS + (long)offset * STEP_NS,
	};

	armed = 1;
	timer_settime(timer, 0, &at, NULL);
}

void trap_disarm(void)
{
	struct itimerspec never = { 0 };

	armed = 0;
	timer_settime(timer, 0, &never, NULL);
}
