// SPDX-License-Identifier: MIT
/*
 * On x86 the CPU traps after each instruction while the trap flag is set.  The
 * kernel clears the flag when it enters a signal handler, and restores it from
 * the saved context at the end, where the handler sets or clears it.
 */
#include "text.h"
#include "trap.h"

#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

#ifdef __x86_64__
#define REG_PC REG_RIP
#else
#define REG_PC REG_EIP
#endif

const bool trap_every = true;

static bool (*handle)(uintptr_t pc);
static volatile sig_atomic_t armed;

static void trapped(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t pc = (uintptr_t)regs[REG_PC];

	(void)sig;
	(void)info;
	if (armed && text_contains(pc))
		armed = handle(pc);
	if (armed)
		regs[REG_EFL] |= TRAP_FLAG;
	else
		regs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

bool trap_open(bool (*handler)(uintptr_t pc))
{
	struct sigaction action = {
		.sa_sigaction = trapped,
		.sa_flags = SA_SIGINFO,
	};

	handle = handler;
	return !sigaction(SIGTRAP, &action, NULL);
}

void trap_arm(unsigned long offset)
{
	(void)offset;
	armed = 1;
	raise(SIGTRAP);
}

void trap_disarm(void)
{
	armed = 0;
}
