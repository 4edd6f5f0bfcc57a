// SPDX-License-Identifier: MIT
/*
 * context.c - contexts (tasks and interrupt handlers): their stacks, how one
 * makes a step, and which of them can continue.
 */
/* A fortified longjmp() refuses to jump to another stack. */
#undef _FORTIFY_SOURCE

#include "model_priv.h"

#include <stdio.h>
#include <string.h>
#include <ucontext.h>

/* So much below a stack is zeroed before its context continues. */
#define CLEARED_BYTES 1024

/*
 * A context's stack.  makecontext() puts the context on it; from then on,
 * setjmp() and longjmp() switch contexts, without a system call.  The upper end
 * of this is kept: the registers to continue with, and the frames below them.
 */
struct stack {
	char frames[STACK_BYTES];
	jmp_buf go_on;
};

static _Alignas(64) struct stack stacks[MAX_CONTEXTS];

char *context_stack_end(uint32_t nr)
{
	return (char *)(&stacks[nr] + 1);
}

/*
 * Registers hold what the checker left in them.  A context may store one that
 * it has not set, as part of a struct that it has not filled, and equal states
 * would differ.
 */
#if __has_attribute(__zero_call_used_regs__)
__attribute__((__zero_call_used_regs__("all")))
#endif
__attribute__((__noinline__)) static void
clear_registers(void)
{
	/* Keeps calls of this function from being removed. */
	__asm__ volatile("");
}

/* The stack above the frame of this function is kept. */
__attribute__((__noinline__, __noreturn__)) static void to_checker(void)
{
	m.info[m.current].sp = __builtin_frame_address(0);
	_longjmp(m.checker, 1);
}

/* Goes back to the checker.  Returns when this context is to continue. */
static void stop(void)
{
	if (!_setjmp(stacks[m.current].go_on))
		to_checker();
	clear_registers();
}

void give_way(const struct op *op)
{
	if (m.preparing)
		return;
	context()->op = *op;
	stop();
}

void give_way_as(enum op_kind kind)
{
	const struct op op = { .kind = (uint8_t)kind };

	give_way(&op);
}

/* Whether all tasks of a CPU have ended, and it has no interrupts. */
static bool cpu_is_done(int cpu)
{
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (m.info[nr].cpu == cpu &&
		    m.hw.context[nr].state != CONTEXT_DONE)
			return false;
	}
	return true;
}

static void run_context(void)
{
	struct cpu *cpu;

	m.info[m.current].run();

	context()->op = (struct op){ 0 };
	if (m.info[m.current].kind == LANE_TASK) {
		context()->state = CONTEXT_DONE;
		if (cpu_is_done(this_cpu()))
			weak_retire(this_cpu());
	} else {
		cpu = &m.hw.cpu[this_cpu()];
		cpu->handler[--cpu->depth] = 0;
		context()->state = CONTEXT_IDLE;
		log_event(m.current, EVENT_LEAVE, "returns");
	}
}

/* The outermost function of each stack, which never returns. */
static void context_main(void)
{
	if (!_setjmp(m.info[m.current].begin))
		to_checker();
	clear_registers();
	run_context();
	_longjmp(m.checker, 1);
}

/*
 * Clears the registers that calls preserve: a context begins with them, and
 * saves them in its frames.  What the checker had in them, a bound of its search
 * for instance, must not decide which states are equal.
 */
static void clear_preserved(ucontext_t *there)
{
#ifdef __x86_64__
	greg_t *reg = there->uc_mcontext.gregs;

	reg[REG_RBP] = 0;
	reg[REG_R12] = 0;
	reg[REG_R13] = 0;
	reg[REG_R14] = 0;
	reg[REG_R15] = 0;
#else
	(void)there;
#endif
}

/* Puts a context on its stack, where it waits to be started. */
static void put_on_stack(uint32_t nr)
{
	ucontext_t there;

	m.current = (uint8_t)nr;
	memset(&stacks[nr].go_on, 0, sizeof(stacks[nr].go_on));
	getcontext(&there);
	there.uc_stack.ss_sp = stacks[nr].frames;
	there.uc_stack.ss_size = STACK_BYTES;
	there.uc_link = NULL;
	makecontext(&there, context_main, 0);
	clear_preserved(&there);
	if (!_setjmp(m.checker))
		setcontext(&there);
	m.info[nr].base = m.info[nr].sp;
	m.info[nr].sp = context_stack_end(nr);
}

int machine_context(enum lane_kind kind, const char *name, int cpu, int level,
		    void (*run)(void))
{
	const uint32_t nr = m.ncontexts++;
	struct context_info *info = &m.info[nr];

	info->kind = kind;
	info->cpu = cpu;
	info->level = level;
	info->run = run;
	snprintf(info->name, sizeof(info->name), "%s", name);
	put_on_stack(nr);
	return (int)nr;
}

/* Runs a context until it gives way or ends.  One that ends keeps nothing. */
static void run_from(uint32_t nr, jmp_buf at, char *sp)
{
	/*
	 * Leftovers of calls below the stack must not become part of the state
	 * in new frames that are only partly filled.
	 */
	memset(sp - CLEARED_BYTES, 0, CLEARED_BYTES);
	m.current = (uint8_t)nr;
	m.info[nr].sp = context_stack_end(nr);
	if (!_setjmp(m.checker))
		_longjmp(at, 1);
}

void context_resume(uint32_t nr)
{
	run_from(nr, stacks[nr].go_on, m.info[nr].sp);
}

void context_start(uint32_t nr)
{
	m.hw.context[nr].state = CONTEXT_READY;
	run_from(nr, m.info[nr].begin, m.info[nr].base);
}

/*
 * Who may continue.
 */

bool context_is_interrupt(uint32_t nr)
{
	return m.info[nr].kind == LANE_INTERRUPT;
}

bool irqs_are_off(int cpu)
{
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (m.info[nr].cpu == cpu && m.hw.context[nr].irq_off)
			return true;
	}
	return false;
}

/* Whether no other task of the CPU has preemption or interrupts off. */
static bool task_not_preempted(uint32_t nr)
{
	uint32_t other;

	for (other = 0; other < m.ncontexts; other++) {
		if (other != nr && m.info[other].cpu == m.info[nr].cpu &&
		    !context_is_interrupt(other) &&
		    (m.hw.context[other].preempt_off ||
		     m.hw.context[other].irq_off))
			return false;
	}
	return true;
}

static bool has_cpu(uint32_t nr)
{
	const struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	if (context_is_interrupt(nr))
		return cpu->depth && cpu->handler[cpu->depth - 1] == nr;
	return !cpu->depth && task_not_preempted(nr);
}

static bool acks_missing(void)
{
	uint32_t cpu;

	for (cpu = 0; cpu < m.config.ncpus; cpu++) {
		if (m.hw.cpu[cpu].flush_asked)
			return true;
	}
	return false;
}

bool context_is_blocked(const struct context *c)
{
	switch (c->op.kind) {
	case OP_LOCK:
		return m.hw.lock_owner != NOBODY;
	case OP_SPIN:
		return ((struct machine_spinlock *)(m.memory + c->op.var))
			       ->owner != 0;
	case OP_ACKS:
		return acks_missing();
	default:
		return false;
	}
}

bool context_is_ready(uint32_t nr)
{
	return m.hw.context[nr].state == CONTEXT_READY && has_cpu(nr) &&
	       !context_is_blocked(&m.hw.context[nr]);
}

bool interrupt_is_due(uint32_t nr)
{
	const struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	if (!(m.hw.raised & 1u << nr) || m.hw.context[nr].state != CONTEXT_IDLE)
		return false;
	if (m.info[nr].level == MACHINE_NMI)
		return true;
	return !irqs_are_off(m.info[nr].cpu) &&
	       (!cpu->depth ||
		m.info[cpu->handler[cpu->depth - 1]].level < m.info[nr].level);
}

void interrupt_begin(uint32_t nr)
{
	struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	m.hw.raised &= (uint8_t) ~(1u << nr);
	cpu->handler[cpu->depth++] = (uint8_t)nr;
	log_event((int)nr, EVENT_ENTER, "interrupts CPU %d", m.info[nr].cpu);
	context_start(nr);
}
