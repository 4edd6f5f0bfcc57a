// SPDX-License-Identifier: MIT
/*
 * memory.c - atomic operations, and what a CPU may see of them.
 *
 * Sequentially consistent memory: a variable has one value.
 *
 * Weak memory (release/acquire, as in C11): a variable has a history of values,
 * in the order in which they were stored, and each CPU has a view: for each
 * variable, the oldest value that it may still load.  A load takes any value
 * from there on; the checker chooses which.  A release stores the CPU's view
 * with the value, and an acquire joins it to the loading CPU's view.  A
 * read-modify-write starts from the newest value, and its own value carries on
 * what that one carried (a release sequence).  Sequentially consistent
 * operations go through one more view that all CPUs share, for their variable;
 * such fences do so for all variables.  Locks and answers to inter-processor
 * interrupts carry views as releases do.
 *
 * Data is in the caches, which are coherent.  But a CPU whose view does not
 * include the last store to a byte must not load or overwrite the byte, nor
 * clean its line for the window: the store could still be in a store buffer.  A
 * view has a bit for each byte for this, and one for each slot's translation: a
 * page-table walker that is not sure to see a translation may find the previous
 * one.  (port.h asks more of set(), so this machine does less than it has to.)
 *
 * The model is stricter than C11: stores to one variable take effect in the
 * order in which they were made (in src/, locks and read-modify-writes ensure
 * that), and a load is never made before what precedes it.
 */
#include "model_priv.h"

#include <string.h>

static bool in_range(const void *var, const void *start, const void *end)
{
	return (uintptr_t)var >= (uintptr_t)start &&
	       (uintptr_t)var < (uintptr_t)end;
}

static bool is_ignored(const void *var)
{
	return in_range(var, m.ignored[0], m.ignored_end[0]) ||
	       in_range(var, m.ignored[1], m.ignored_end[1]);
}

/*
 * Nobody else can change the variable, so a load of it commutes with everything
 * that others can do.
 */
static bool is_under_our_lock(const void *var)
{
	return m.hw.lock_owner == m.current && !m.config.unreduced &&
	       in_range(var, m.locked, m.locked_end);
}

/* For that, nobody may change the variable without the lock. */
static void check_lock_held(const void *var)
{
	if (!m.preparing && m.hw.lock_owner != m.current &&
	    in_range(var, m.locked, m.locked_end))
		broken(3, VERDICT_BROKEN,
		       "%s changes the index without the window's lock",
		       m.info[m.current].name);
}

static unsigned long read_var(const void *var, size_t bytes)
{
	uint32_t v32;
	unsigned long v;

	if (bytes == sizeof(v32)) {
		memcpy(&v32, var, sizeof(v32));
		return v32;
	}
	memcpy(&v, var, sizeof(v));
	return v;
}

static void write_var(void *var, size_t bytes, unsigned long value)
{
	const uint32_t v32 = (uint32_t)value;

	if (bytes == sizeof(v32))
		memcpy(var, &v32, sizeof(v32));
	else
		memcpy(var, &value, sizeof(value));
}

/*
 * Views.
 */

static void join(struct view *to, const struct view *from)
{
	uint32_t i;

	for (i = 0; i < WEAK_VARIABLES; i++) {
		if (to->oldest[i] < from->oldest[i])
			to->oldest[i] = from->oldest[i];
	}
	for (i = 0; i < MAX_PAGES; i++) {
		if (to->cleaned[i] < from->cleaned[i])
			to->cleaned[i] = from->cleaned[i];
	}
	to->data |= from->data;
	to->slots |= from->slots;
	to->held |= from->held;
}

static struct view *view(void)
{
	return &m.weak.cpu[this_cpu()];
}

/* What an acquire fence joins: the views of all values loaded so far. */
static struct view *loaded(void)
{
	return &m.weak.loaded[this_cpu()];
}

/* The history of a variable, oldest first. */
static struct message *history(uint32_t nr)
{
	struct message *h = m.weak.messages;

	while (nr-- > 0)
		h += m.weak.n[nr];
	return h;
}

static uint32_t nmessages(void)
{
	uint32_t n = 0;
	uint32_t i;

	for (i = 0; i < WEAK_VARIABLES; i++)
		n += m.weak.n[i];
	return n;
}

size_t weak_bytes(void)
{
	return offsetof(struct weak, messages) +
	       nmessages() * sizeof(struct message);
}

/* Opens, or (@n negative) closes, a gap before the message at @at. */
static void move_messages(struct message *at, int n)
{
	const struct message *end = m.weak.messages + nmessages();
	struct message *from = n < 0 ? at - n : at;

	memmove(from + n, from, (size_t)((const char *)end - (char *)from));
}

/* The variable's number, or WEAK_VARIABLES if it has no history. */
static uint32_t variable_nr(uint32_t place)
{
	uint32_t nr;

	if (!m.config.weak_memory || m.preparing ||
	    in_range(m.memory + place, m.private_to_cpu, m.private_end))
		return WEAK_VARIABLES;
	for (nr = 0; nr < m.nvariables; nr++) {
		if (m.variable[nr] == place)
			return nr;
	}
	if (nr < WEAK_VARIABLES)
		m.variable[m.nvariables++] = place;
	else
		m.weak_cut = true;
	return nr;
}

/* Starts a history, with a first value that all CPUs see. */
static void make_history(uint32_t nr, unsigned long value)
{
	struct message *h = history(nr);

	if (m.weak.n[nr])
		return;
	move_messages(h, 1);
	memset(h, 0, sizeof(*h));
	h->value = (uint32_t)value;
	m.weak.n[nr] = 1;
}

static void shift_view(struct view *v, uint32_t nr, uint32_t n)
{
	v->oldest[nr] = (uint8_t)(v->oldest[nr] > n ? v->oldest[nr] - n : 0);
}

static void for_each_view(uint32_t nr, uint32_t n,
			  void (*change)(struct view *v, uint32_t nr,
					 uint32_t n))
{
	const uint32_t all = nmessages();
	uint32_t i;

	for (i = 0; i < m.config.ncpus; i++) {
		change(&m.weak.cpu[i], nr, n);
		change(&m.weak.loaded[i], nr, n);
	}
	change(&m.weak.sc, nr, n);
	change(&m.weak.lock, nr, n);
	change(&m.weak.spin, nr, n);
	change(&m.weak.answers, nr, n);
	for (i = 0; i < all; i++)
		change(&m.weak.messages[i].view, nr, n);
}

static void forget_messages(uint32_t nr, uint32_t n)
{
	move_messages(history(nr), -(int)n);
	m.weak.n[nr] = (uint8_t)(m.weak.n[nr] - n);
	for_each_view(nr, n, shift_view);
}

/* Forgets the values that no CPU can load any more. */
static void forget_old(uint32_t nr)
{
	uint32_t oldest = m.weak.n[nr] - 1u;
	uint32_t cpu;

	for (cpu = 0; cpu < m.config.ncpus; cpu++) {
		if (!(m.weak.retired & 1u << cpu) &&
		    m.weak.cpu[cpu].oldest[nr] < oldest)
			oldest = m.weak.cpu[cpu].oldest[nr];
	}
	if (oldest)
		forget_messages(nr, oldest);
}

static bool is_acquire(enum machine_order order)
{
	return order == MACHINE_ACQUIRE || order == MACHINE_SEQ_CST;
}

static bool is_release(enum machine_order order)
{
	return order == MACHINE_RELEASE || order == MACHINE_SEQ_CST;
}

/* The oldest value that a load may take. */
static uint32_t oldest(const struct view *v, uint32_t nr,
		       enum machine_order order)
{
	if (order == MACHINE_SEQ_CST && m.weak.sc.oldest[nr] > v->oldest[nr])
		return m.weak.sc.oldest[nr];
	return v->oldest[nr];
}

/* This CPU has loaded a value: updates what it sees. */
static void take_message(uint32_t nr, uint32_t index, enum machine_order order)
{
	const struct message *msg = &history(nr)[index];

	if (view()->oldest[nr] < index)
		view()->oldest[nr] = (uint8_t)index;
	if (is_acquire(order))
		join(view(), &msg->view);
	join(loaded(), &msg->view);
	join(loaded(), view());
	if (order == MACHINE_SEQ_CST && m.weak.sc.oldest[nr] < index)
		m.weak.sc.oldest[nr] = (uint8_t)index;
	forget_old(nr);
}

/* @before: the view of the value that this one was made from, or NULL. */
static void add_message(uint32_t nr, unsigned long value,
			enum machine_order order, const struct view *before)
{
	struct message msg = { .value = (uint32_t)value };
	uint8_t index;

	if (m.weak.n[nr] == WEAK_MESSAGES) {
		m.weak_cut = true;
		forget_messages(nr, 1);
	}
	index = m.weak.n[nr];
	view()->oldest[nr] = index;
	if (is_release(order))
		msg.view = *view();
	if (before)
		join(&msg.view, before);
	msg.view.oldest[nr] = index;
	move_messages(history(nr) + index, 1);
	history(nr)[index] = msg;
	m.weak.n[nr]++;
	if (order == MACHINE_SEQ_CST)
		m.weak.sc.oldest[nr] = index;
	join(loaded(), view());
	forget_old(nr);
}

/*
 * The operations.
 */

static void give_way_atomic(const void *var, enum op_kind kind,
			    enum machine_order order, uint32_t expected)
{
	const struct op op = {
		.kind = (uint8_t)kind,
		.order = (uint8_t)order,
		.var = place_of(var),
		.value = expected,
	};

	give_way(&op);
}

/*
 * The newest value is choice 0, and older ones follow.  A compare-and-swap can
 * find an older value only if that makes it fail.  Returns the number of
 * choices; *index is the place of @choice in the history.
 */
static uint32_t find_choice(const struct op *op, const struct view *v,
			    uint32_t nr, uint32_t choice, uint32_t *index)
{
	const bool cas = op->kind == OP_ATOMIC_CAS;
	/* A compare-and-swap that fails orders nothing. */
	const enum machine_order order = cas ? MACHINE_RELAXED : op->order;
	const uint32_t first = oldest(v, nr, order);
	uint32_t at = m.weak.n[nr] - 1u;
	uint32_t n = 1;

	*index = at;
	while (at-- > first) {
		if (cas && history(nr)[at].value == op->value)
			continue;
		if (n++ == choice)
			*index = at;
	}
	return n;
}

uint32_t atomic_choices(const struct context *c, int cpu)
{
	uint32_t index;
	uint32_t nr;

	if (!m.config.weak_memory ||
	    (c->op.kind != OP_ATOMIC_LOAD && c->op.kind != OP_ATOMIC_CAS))
		return 1;
	nr = variable_nr(c->op.var);
	if (nr == WEAK_VARIABLES || !m.weak.n[nr])
		return 1;
	return find_choice(&c->op, &m.weak.cpu[cpu], nr, NO_CHOICE, &index);
}

/* Loads the value that the checker chose, of a variable with a history. */
static unsigned long load_weakly(uint32_t nr, size_t bytes,
				 enum machine_order order)
{
	uint32_t index;
	uint32_t value;

	find_choice(&context()->op, view(), nr, m.choice, &index);
	value = (uint32_t)history(nr)[index].value;
	take_message(nr, index, order);
	return bytes == sizeof(value) ? value : (unsigned long)(int32_t)value;
}

unsigned long machine_atomic_load(const void *var, size_t bytes,
				  enum machine_order order)
{
	uint32_t nr;

	if (is_ignored(var))
		return 0;
	if (is_under_our_lock(var))
		return read_var(var, bytes);
	give_way_atomic(var, OP_ATOMIC_LOAD, order, 0);
	nr = variable_nr(place_of(var));
	if (nr == WEAK_VARIABLES)
		return read_var(var, bytes);
	make_history(nr, read_var(var, bytes));
	return load_weakly(nr, bytes, order);
}

void machine_atomic_store(void *var, size_t bytes, unsigned long value,
			  enum machine_order order)
{
	uint32_t nr;

	if (is_ignored(var))
		return;
	give_way_atomic(var, OP_ATOMIC, order, 0);
	check_lock_held(var);
	nr = variable_nr(place_of(var));
	if (nr != WEAK_VARIABLES) {
		make_history(nr, read_var(var, bytes));
		add_message(nr, value, order, NULL);
	}
	write_var(var, bytes, value);
}

/* The port loads the variable under a lock of its own. */
uint32_t weak_newest(const pkmap_a32 *var)
{
	const uint32_t nr = variable_nr(place_of(var));

	if (nr != WEAK_VARIABLES) {
		make_history(nr, var->v);
		take_message(nr, m.weak.n[nr] - 1u, MACHINE_RELAXED);
	}
	return var->v;
}

/* A read-modify-write: the new value also carries the newest one's view. */
static void modify(uint32_t nr, unsigned long value, enum machine_order order)
{
	const uint32_t last = m.weak.n[nr] - 1u;
	const struct view before = history(nr)[last].view;

	if (view()->oldest[nr] < last)
		view()->oldest[nr] = (uint8_t)last;
	if (is_acquire(order))
		join(view(), &before);
	join(loaded(), &before);
	add_message(nr, value, order, &before);
}

bool machine_atomic_cas(uint32_t *var, uint32_t *old, uint32_t new_value,
			enum machine_order order)
{
	uint32_t found;
	uint32_t nr;

	give_way_atomic(var, OP_ATOMIC_CAS, order, *old);
	nr = variable_nr(place_of(var));
	if (nr != WEAK_VARIABLES) {
		make_history(nr, *var);
		if (m.choice || *var != *old) {
			found = (uint32_t)load_weakly(nr, sizeof(found),
						      MACHINE_RELAXED);
			*old = found;
			return false;
		}
		modify(nr, new_value, order);
	} else if (*var != *old) {
		*old = *var;
		return false;
	}
	*var = new_value;
	return true;
}

unsigned long machine_atomic_add(void *var, size_t bytes, unsigned long n,
				 enum machine_order order)
{
	unsigned long old;
	uint32_t nr;

	if (is_ignored(var))
		return 0;
	give_way_atomic(var, OP_ATOMIC, order, 0);
	old = read_var(var, bytes);
	nr = variable_nr(place_of(var));
	if (nr != WEAK_VARIABLES) {
		make_history(nr, old);
		modify(nr, old + n, order);
	}
	write_var(var, bytes, old + n);
	return old;
}

void machine_fence(enum machine_order order)
{
	if (!m.config.weak_memory || m.preparing)
		return;
	give_way_atomic(m.memory, OP_ATOMIC, order, 0);
	join(view(), loaded());
	if (order != MACHINE_SEQ_CST)
		return;
	join(view(), &m.weak.sc);
	join(loaded(), view());
	m.weak.sc = *view();
}

/*
 * What orders memory besides atomics, and data and translations.
 */

static void see_all(struct view *v, uint32_t unused, uint32_t unused_too)
{
	(void)unused;
	(void)unused_too;
	v->data = UINT64_MAX;
	v->slots = UINT32_MAX;
	v->held = UINT8_MAX;
}

void weak_init(void)
{
	memset(&m.weak, 0, sizeof(m.weak));
	m.nvariables = 0;
	m.weak_cut = false;
	for_each_view(0, 0, see_all);
}

void weak_retire(int cpu)
{
	static const struct view empty;
	uint32_t nr;

	if (!m.config.weak_memory)
		return;
	m.weak.retired |= (uint8_t)(1u << cpu);
	m.weak.cpu[cpu] = m.weak.loaded[cpu] = empty;
	for (nr = 0; nr < WEAK_VARIABLES; nr++) {
		if (m.weak.n[nr])
			forget_old(nr);
	}
}

static void sync_with(struct view *v, bool taken)
{
	if (taken)
		join(view(), v);
	else
		join(v, view());
	join(loaded(), view());
}

void sync_lock(bool taken)
{
	sync_with(&m.weak.lock, taken);
}

void sync_spin(bool taken)
{
	sync_with(&m.weak.spin, taken);
}

void sync_ask(void)
{
	m.weak.answers = *view();
}

void sync_answer(int cpu)
{
	join(&m.weak.cpu[cpu], &m.weak.answers);
	join(&m.weak.loaded[cpu], &m.weak.cpu[cpu]);
	join(&m.weak.answers, &m.weak.cpu[cpu]);
}

void sync_answered(void)
{
	sync_with(&m.weak.answers, true);
}

static uint32_t byte_nr(int page, uint32_t offset)
{
	return (uint32_t)page * page_bytes() + offset;
}

uint64_t byte_bit(int page, uint32_t offset)
{
	return (uint64_t)1 << byte_nr(page, offset);
}

static void unsee_byte(struct view *v, uint32_t nr, uint32_t unused)
{
	(void)unused;
	v->data &= ~((uint64_t)1 << nr);
}

void sync_store(int page, uint32_t offset)
{
	if (!m.config.weak_memory || m.preparing)
		return;
	for_each_view(byte_nr(page, offset), 0, unsee_byte);
	view()->data |= byte_bit(page, offset);
	loaded()->data |= byte_bit(page, offset);
}

bool sync_sees(int page, uint32_t offset)
{
	return !m.config.weak_memory || m.preparing ||
	       view()->data & byte_bit(page, offset);
}

static void unsee_hold(struct view *v, uint32_t page, uint32_t unused)
{
	(void)unused;
	v->held &= (uint8_t) ~(1u << page);
}

void sync_hold(int page)
{
	if (!m.config.weak_memory || m.preparing)
		return;
	for_each_view((uint32_t)page, 0, unsee_hold);
	view()->held |= (uint8_t)(1u << page);
	loaded()->held |= (uint8_t)(1u << page);
}

bool sync_sees_hold(int page)
{
	return !m.config.weak_memory || m.preparing ||
	       view()->held & 1u << page;
}

void sync_clean(int page)
{
	if (!m.config.weak_memory || m.preparing)
		return;
	view()->cleaned[page] = ++m.hw.cleaned[page];
	loaded()->cleaned[page] = m.hw.cleaned[page];
}

bool sync_sees_clean(int page, uint8_t times)
{
	return view()->cleaned[page] >= times;
}

static void unsee_slot(struct view *v, uint32_t slot, uint32_t unused)
{
	(void)unused;
	v->slots &= ~(1u << slot);
}

/* The slot's translation was set or cleared. */
void sync_translation(uint32_t slot)
{
	if (!m.config.weak_memory || m.preparing)
		return;
	for_each_view(slot, 0, unsee_slot);
	view()->slots |= 1u << slot;
	loaded()->slots |= 1u << slot;
}

/* After a flush, the CPU's page-table walker sees what was cleared before. */
void sync_flush(int cpu, uint32_t first, uint32_t end)
{
	const uint32_t mask = (1u << end) - (1u << first);

	m.weak.cpu[cpu].slots |= mask;
	m.weak.loaded[cpu].slots |= mask;
}

bool sync_sees_translation(int cpu, uint32_t slot)
{
	return !m.config.weak_memory || m.preparing ||
	       m.weak.cpu[cpu].slots & 1u << slot;
}
