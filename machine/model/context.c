// SPDX-License-Identifier: MIT
/*
 * machine.c - CPUs: tasks, interrupts, and who can go on.
 */
/* A fortified longjmp() takes another stack for an error. */
#undef _FORTIFY_SOURCE

#include "machine_priv.h"

#include "machine/scenarios/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

/* What is zeroed below a stack before its context goes on. */
#define RED_BYTES 1024

/*
 * A context's stack.  makecontext() puts a context on it; after that, setjmp()
 * and longjmp() switch, which make no system call.  What is kept of a context
 * is the upper end of this: how to go on, and the frames below.
 */
struct stack {
	char frames[STACK_BYTES];
	jmp_buf go_on;
};

struct machine m;

static _Alignas(64) struct stack stacks[MAX_CONTEXTS];

static char *stack_end(uint32_t nr)
{
	return (char *)(&stacks[nr] + 1);
}

void broken(int invariant, enum verdict verdict, const char *format, ...)
{
	va_list args;

	if (m.broken.invariant)
		return;
	m.broken.invariant = invariant;
	m.broken.verdict = verdict;
	va_start(args, format);
	vsnprintf(m.broken.text, sizeof(m.broken.text), format, args);
	va_end(args);
	log_event(m.current, EVENT_BROKEN, "%s", m.broken.text);
}

const struct broken *run_broken(void)
{
	return &m.broken;
}

/*
 * Registers hold what the checker left in them.  A context may store one that it
 * has not set, with a struct that it has not filled, and that would make states
 * differ that do not.
 */
#if __has_attribute(__zero_call_used_regs__)
__attribute__((__zero_call_used_regs__("all")))
#endif
__attribute__((__noinline__)) static void
clear_registers(void)
{
	/* Not removed. */
	__asm__ volatile("");
}

/* All that is above the frame of this function is kept. */
__attribute__((__noinline__, __noreturn__)) static void to_checker(void)
{
	m.info[m.current].sp = __builtin_frame_address(0);
	_longjmp(m.checker, 1);
}

/* Goes back to the checker, which lets this context go on some time. */
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

/* Whether the last task has ended on a CPU that takes no interrupts. */
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

/* The outermost function of each stack, which is never left. */
static void context_main(void)
{
	if (!_setjmp(m.info[m.current].begin))
		to_checker();
	clear_registers();
	run_context();
	_longjmp(m.checker, 1);
}

/* Has a context wait on its stack to be started. */
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
	if (!_setjmp(m.checker))
		setcontext(&there);
	m.info[nr].base = m.info[nr].sp;
	m.info[nr].sp = stack_end(nr);
}

/* Lets a context run until it gives way or ends; then nothing of it is kept. */
static void run_from(uint32_t nr, jmp_buf at, char *sp)
{
	/*
	 * What calls left behind below the stack must not become part of the
	 * state by way of frames that are not filled at once.
	 */
	memset(sp - RED_BYTES, 0, RED_BYTES);
	m.current = (uint8_t)nr;
	m.info[nr].sp = stack_end(nr);
	if (!_setjmp(m.checker))
		_longjmp(at, 1);
}

static void resume(uint32_t nr)
{
	run_from(nr, stacks[nr].go_on, m.info[nr].sp);
}

static void start(uint32_t nr)
{
	m.hw.context[nr].state = CONTEXT_READY;
	run_from(nr, m.info[nr].begin, m.info[nr].base);
}

/*
 * Who may go on.
 */

static bool is_interrupt(uint32_t nr)
{
	return m.info[nr].kind == LANE_INTERRUPT;
}

/* Whether a context on this CPU keeps interrupts off. */
static bool irqs_off(int cpu)
{
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (m.info[nr].cpu == cpu && m.hw.context[nr].irq_off)
			return true;
	}
	return false;
}

/* Whether a task has its CPU, as far as other tasks are concerned. */
static bool task_not_preempted(uint32_t nr)
{
	uint32_t other;

	for (other = 0; other < m.ncontexts; other++) {
		if (other != nr && m.info[other].cpu == m.info[nr].cpu &&
		    !is_interrupt(other) &&
		    (m.hw.context[other].preempt_off ||
		     m.hw.context[other].irq_off))
			return false;
	}
	return true;
}

static bool has_cpu(uint32_t nr)
{
	const struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	if (is_interrupt(nr))
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

static bool is_ready(uint32_t nr)
{
	return m.hw.context[nr].state == CONTEXT_READY && has_cpu(nr) &&
	       !context_is_blocked(&m.hw.context[nr]);
}

static bool can_interrupt(uint32_t nr)
{
	const struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	if (!(m.hw.raised & 1u << nr) || m.hw.context[nr].state != CONTEXT_IDLE)
		return false;
	if (m.info[nr].level == MACHINE_NMI)
		return true;
	return !irqs_off(m.info[nr].cpu) &&
	       (!cpu->depth ||
		m.info[cpu->handler[cpu->depth - 1]].level < m.info[nr].level);
}

static void begin_interrupt(uint32_t nr)
{
	struct cpu *cpu = &m.hw.cpu[m.info[nr].cpu];

	m.hw.raised &= (uint8_t) ~(1u << nr);
	cpu->handler[cpu->depth++] = (uint8_t)nr;
	log_event((int)nr, EVENT_ENTER, "interrupts CPU %d", m.info[nr].cpu);
	start(nr);
}

/*
 * Which lines the contexts that can go on, and the device, are about to touch.
 */

static uint32_t lines_of_op(const struct op *op)
{
	const uint32_t lines = lines_per_page();
	const struct entry *e;
	uint32_t mask = 0;

	if (op->kind != OP_LOAD && op->kind != OP_STORE && op->kind != OP_LINE)
		return 0;
	if (m.hw.pte[op->slot])
		mask |= 1u << ((m.hw.pte[op->slot] - 1u) * lines + op->line);
	if (m.config.cache.kind == PKMAP_CACHE_VIVT) {
		e = cache_entry(0, op->slot, -1, op->line);
		if (e->valid)
			mask |= 1u << (e->page * lines + op->line);
	}
	return mask;
}

static uint32_t lines_of_device(void)
{
	const struct device *d = &m.hw.device;

	if (!d->active)
		return 0;
	return 1u << (d->page * lines_per_page() +
		      (d->start >> m.config.line_shift));
}

/* Whether somebody is about to load or store, or take away a translation. */
static bool access_at_hand(const struct entry *e, enum op_kind kind)
{
	const struct op *op;
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		op = &m.hw.context[nr].op;
		if (is_ready(nr) && m.hw.pte[op->slot] == e->page + 1 &&
		    (op->kind == kind ||
		     (kind == OP_LOAD && op->kind == OP_STORE)))
			return true;
	}
	return false;
}

static uint32_t lines_at_hand(void)
{
	uint32_t mask = lines_of_device();
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (is_ready(nr))
			mask |= lines_of_op(&m.hw.context[nr].op);
	}
	return mask;
}

/*
 * What can happen next.
 */

static uint32_t add_action(struct action *actions, uint32_t n, uint32_t actor,
			   uint32_t choice)
{
	if (n == MAX_ACTIONS)
		return n;
	actions[n].actor = (uint8_t)actor;
	actions[n].choice = (uint8_t)choice;
	return n + 1;
}

static uint32_t add_contexts(struct action *actions, uint32_t n)
{
	uint32_t choice;
	uint32_t ways;
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		if (is_ready(nr)) {
			ways = atomic_choices(&m.hw.context[nr],
					      m.info[nr].cpu);
			for (choice = 0; choice < ways; choice++)
				n = add_action(actions, n, ACTOR_CONTEXT + nr,
					       choice);
		}
		if (is_interrupt(nr) && can_interrupt(nr))
			n = add_action(actions, n, ACTOR_INTERRUPT + nr, 0);
		if (m.hw.context[nr].state == CONTEXT_ASLEEP &&
		    m.hw.context[nr].timed)
			n = add_action(actions, n, ACTOR_DEADLINE + nr, 0);
	}
	return n;
}

static uint32_t add_flushes(struct action *actions, uint32_t n)
{
	uint32_t cpu;

	for (cpu = 0; cpu < m.config.ncpus; cpu++) {
		if (m.hw.cpu[cpu].flush_asked && !m.hw.cpu[cpu].depth &&
		    !irqs_off((int)cpu))
			n = add_action(actions, n, ACTOR_FLUSH + cpu, 0);
	}
	return n;
}

/*
 * An eviction commutes with all that does not touch the line, and so does a
 * speculative fill: they are tried only where somebody is about to.
 */
static uint32_t add_cache(struct action *actions, uint32_t n, uint32_t cache)
{
	const bool any = m.config.unreduced;
	const uint32_t at_hand = any ? UINT32_MAX : lines_at_hand();
	const struct entry *e;
	uint32_t bit;
	uint32_t nr;
	int page;

	for (nr = 0; nr < entries(); nr++) {
		e = &m.hw.cache[cache].entry[nr];
		bit = 1u << (e->page * lines_per_page() +
			     nr % lines_per_page());
		if (e->valid && at_hand & bit &&
		    (e->dirty || any || access_at_hand(e, OP_LOAD)))
			n = add_action(actions, n, ACTOR_EVICT + cache, nr);
		if (!m.config.cache.speculative || e->valid ||
		    !cache_can_fill(cache, nr, &page))
			continue;
		bit = 1u << ((uint32_t)page * lines_per_page() +
			     nr % lines_per_page());
		if (at_hand & bit ||
		    access_at_hand(&(struct entry){ .page = (uint8_t)page },
				   OP_PTE))
			n = add_action(actions, n, ACTOR_FILL + cache, nr);
	}
	return n;
}

uint32_t run_actions(struct action actions[MAX_ACTIONS])
{
	uint32_t n = 0;
	uint32_t cache;

	n = add_contexts(actions, n);
	n = add_flushes(actions, n);
	if (m.hw.device.active)
		n = add_action(actions, n, ACTOR_DEVICE, 0);
	if (!n)
		return 0;
	for (cache = 0; cache < m.ncaches; cache++)
		n = add_cache(actions, n, cache);
	return n;
}

static void pass_deadline(uint32_t nr)
{
	struct context *c = &m.hw.context[nr];

	c->state = CONTEXT_READY;
	c->timed_out = true;
	log_event((int)nr, EVENT_GO_ON, "its deadline passes");
}

static void answer_flush(int cpu)
{
	flush_tlb_of(cpu, m.hw.flush_first, m.hw.flush_end);
	sync_answer(cpu);
	m.hw.cpu[cpu].flush_asked = false;
}

bool run_step(struct action a)
{
	m.broken.invariant = 0;
	m.choice = a.choice;
	if (a.actor < ACTOR_INTERRUPT)
		resume(a.actor);
	else if (a.actor < ACTOR_FLUSH)
		begin_interrupt(a.actor - ACTOR_INTERRUPT);
	else if (a.actor < ACTOR_DEADLINE)
		answer_flush(a.actor - ACTOR_FLUSH);
	else if (a.actor < ACTOR_DEVICE)
		pass_deadline(a.actor - ACTOR_DEADLINE);
	else if (a.actor == ACTOR_DEVICE)
		device_step();
	else if (a.actor < ACTOR_FILL)
		cache_evict(a.actor - ACTOR_EVICT, a.choice);
	else
		cache_fill(a.actor - ACTOR_FILL, a.choice);
	watch_pins();
	return !m.broken.invariant;
}

/*
 * The state's parts.
 */

uint32_t run_parts(void)
{
	return PART_STACKS + m.ncontexts;
}

const void *run_part(uint32_t part, size_t *bytes)
{
	const char *sp;

	if (part == PART_HARDWARE) {
		*bytes = m.hw_bytes;
		return &m.hw;
	}
	if (part == PART_MEMORY) {
		*bytes = m.memory_used;
		return m.memory;
	}
	if (part == PART_WEAK) {
		*bytes = m.config.weak_memory ? weak_bytes() : 0;
		return &m.weak;
	}
	sp = m.info[part - PART_STACKS].sp;
	*bytes = (size_t)(stack_end(part - PART_STACKS) - sp);
	return sp;
}

void run_restore(uint32_t part, const void *data, size_t bytes)
{
	char *sp;

	if (part == PART_HARDWARE) {
		memcpy(&m.hw, data, bytes);
	} else if (part == PART_MEMORY) {
		memcpy(m.memory, data, bytes);
	} else if (part == PART_WEAK) {
		memcpy(&m.weak, data, bytes);
	} else {
		sp = stack_end(part - PART_STACKS) - bytes;
		memcpy(sp, data, bytes);
		m.info[part - PART_STACKS].sp = sp;
	}
}

/*
 * Beginning and end.
 */

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

void *machine_alloc(size_t bytes)
{
	void *mem = m.memory + m.memory_used;

	m.memory_used += (bytes + PKMAP_ALIGN - 1) & ~(PKMAP_ALIGN - 1ull);
	return m.memory_used <= MAX_MEMORY ? mem : NULL;
}

static void init_hardware(const struct machine_config *config)
{
	struct machine_log *log = m.log;
	uint32_t page;
	uint32_t k;

	memset(&m, 0, sizeof(m));
	m.log = log;
	m.config = *config;
	m.ncaches = config->own_caches ? config->ncpus : 1;
	m.nslots = all_slots(config);
	m.hw_bytes =
		sizeof(m.hw) - (MAX_CPUS - m.ncaches) * sizeof(struct cache);
	m.hw.lock_owner = NOBODY;
	weak_init();
	for (page = 0; page < config->npages; page++) {
		for (k = 0; k < page_bytes(); k++) {
			m.hw.memory[page][k] = (uint8_t)(0x10 * (page + 1));
			m.hw.written[page][k] = m.hw.memory[page][k];
		}
	}
}

void run_begin(const struct scenario *scenario, const struct scheme *scheme,
	       const struct machine_config *config)
{
	uint32_t nr;

	init_hardware(config);
	m.preparing = true;
	scenario_prepare(scenario, scheme);
	m.preparing = false;
	for (nr = 0; nr < m.ncontexts; nr++) {
		if (!is_interrupt(nr))
			start(nr);
	}
}

bool run_end(void)
{
	bool asleep = false;
	uint32_t nr;

	m.broken.invariant = 0;
	for (nr = 0; nr < m.ncontexts; nr++) {
		switch (m.hw.context[nr].state) {
		case CONTEXT_READY:
			broken(7, VERDICT_DEADLOCK,
			       "%s can never go on: nothing can happen",
			       m.info[nr].name);
			return false;
		case CONTEXT_ASLEEP:
			asleep = true;
			break;
		default:
			break;
		}
	}
	if (asleep)
		broken(9, VERDICT_DEADLOCK, "a waiter is never woken");
	else if (m.hw.raised)
		broken(7, VERDICT_DEADLOCK, "an interrupt is never taken");
	else
		check_end();
	return !m.broken.invariant;
}

bool run_was_cut(void)
{
	return m.weak_cut;
}

bool run_is_interrupt(struct action a)
{
	return a.actor < ACTOR_FLUSH && is_interrupt(a.actor % ACTOR_INTERRUPT);
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_CLEAN] = "clean",
		[VERDICT_DATA_LOSS] = "data loss",
		[VERDICT_STALE_READ] = "stale read",
		[VERDICT_DEADLOCK] = "deadlock",
		[VERDICT_LIVELOCK] = "livelock",
		[VERDICT_BROKEN] = "broken",
	};

	return names[verdict];
}
