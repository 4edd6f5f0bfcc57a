// SPDX-License-Identifier: MIT
#include "run.h"

#include "machine/model/model.h"
#include "machine/scenarios/scenario.h"

#include <string.h>

/*
 * The lines that ready contexts and the device are about to touch: a bit for
 * each line of each page.
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

/*
 * Whether a ready context's next operation is of this kind, at a slot that
 * shows the entry's page.  OP_LOAD includes stores.
 */
static bool access_at_hand(const struct entry *e, enum op_kind kind)
{
	const struct op *op;
	uint32_t nr;

	for (nr = 0; nr < m.ncontexts; nr++) {
		op = &m.hw.context[nr].op;
		if (context_is_ready(nr) && m.hw.pte[op->slot] == e->page + 1 &&
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
		if (context_is_ready(nr))
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
		if (context_is_ready(nr)) {
			ways = atomic_choices(&m.hw.context[nr],
					      m.info[nr].cpu);
			for (choice = 0; choice < ways; choice++)
				n = add_action(actions, n, ACTOR_CONTEXT + nr,
					       choice);
		}
		if (context_is_interrupt(nr) && interrupt_is_due(nr))
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
		    !irqs_are_off((int)cpu))
			n = add_action(actions, n, ACTOR_FLUSH + cpu, 0);
	}
	return n;
}

/*
 * An eviction commutes with everything that does not touch the line, and so
 * does a speculative fill: they are tried only if somebody is about to do that.
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

bool run_step(struct action a)
{
	m.broken.invariant = 0;
	m.choice = a.choice;
	if (a.actor < ACTOR_INTERRUPT)
		context_resume(a.actor);
	else if (a.actor < ACTOR_FLUSH)
		interrupt_begin(a.actor - ACTOR_INTERRUPT);
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
	*bytes = (size_t)(context_stack_end(part - PART_STACKS) - sp);
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
		sp = context_stack_end(part - PART_STACKS) - bytes;
		memcpy(sp, data, bytes);
		m.info[part - PART_STACKS].sp = sp;
	}
}

/*
 * Beginning and end.
 */

const struct broken *run_broken(void)
{
	return &m.broken;
}

void run_begin(const struct scenario *scenario, const struct scheme *scheme,
	       const struct machine_config *config)
{
	uint32_t nr;

	machine_init(config);
	m.preparing = true;
	scenario_prepare(scenario, scheme);
	m.preparing = false;
	for (nr = 0; nr < m.ncontexts; nr++) {
		if (!context_is_interrupt(nr))
			context_start(nr);
	}
}

bool run_end(void)
{
	const char *wrong;
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
	if (m.broken.invariant)
		return false;
	wrong = scenario_check_end();
	if (wrong)
		broken(9, VERDICT_BROKEN, "at the end: %s", wrong);
	check_end();
	return !m.broken.invariant;
}

bool run_was_cut(void)
{
	return m.weak_cut;
}

bool run_is_interrupt(struct action a)
{
	return a.actor < ACTOR_FLUSH &&
	       context_is_interrupt(a.actor % ACTOR_INTERRUPT);
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
