// SPDX-License-Identifier: MIT
/*
 * port.c - the machine's port of pkmap (machine_ops), and what else the code on
 * it calls: turning interrupts off, spinlocks, raising an interrupt.
 */
#include "model_priv.h"

static bool may_sleep(void)
{
	const struct context *c = context();

	if (m.preparing)
		return true;
	if (m.info[m.current].kind == LANE_TASK && !c->preempt_off &&
	    !c->irq_off)
		return true;
	broken(7, VERDICT_DEADLOCK, "%s sleeps where it must not",
	       m.info[m.current].name);
	return false;
}

/*
 * A slot can be got and written to while its lines are cleaned.  If the
 * hardware's range operation would lose that, the whole cache is cleaned
 * instead, which takes one step for each line.
 */
struct pkmap_cache port_cache(const struct machine_config *config)
{
	struct pkmap_cache cache = config->cache;

	if (config->range_clean == RANGE_IN_STEPS)
		cache.whole_bytes = 1;
	return cache;
}

/* Page by page: some caches' range operation stops at the end of a page. */
static void port_clean_inval(void *port, void *addr, size_t bytes)
{
	char *page = addr;

	(void)port;
	for (; bytes; bytes -= page_bytes(), page += page_bytes())
		cache_clean_inval_range(page, page_bytes());
}

static void port_lock(void *port)
{
	(void)port;
	if (!may_sleep())
		return;
	if (m.hw.lock_owner == m.current && !m.preparing) {
		broken(7, VERDICT_DEADLOCK, "%s takes the lock twice",
		       m.info[m.current].name);
		return;
	}
	give_way_as(OP_LOCK);
	m.hw.lock_owner = m.current;
	sync_lock(true);
}

static bool port_trylock(void *port)
{
	(void)port;
	give_way_as(OP_STEP);
	if (m.hw.lock_owner != NOBODY)
		return false;
	m.hw.lock_owner = m.current;
	sync_lock(true);
	return true;
}

static void port_unlock(void *port)
{
	(void)port;
	give_way_as(OP_STEP);
	sync_lock(false);
	m.hw.lock_owner = NOBODY;
}

static int port_wait(void *port, pkmap_a32 *event, uint32_t seen,
		     const struct pkmap_wait *wait)
{
	const struct op op = { .kind = OP_SLEEPING, .var = place_of(event) };
	struct context *c = context();

	(void)port;
	if (!may_sleep())
		return 0;
	give_way_as(OP_STEP);
	if (weak_newest(event) != seen)
		return 0;
	log_event(m.current, EVENT_BLOCK, "sleeps");
	c->state = CONTEXT_ASLEEP;
	c->timed = wait->deadline != PKMAP_NO_DEADLINE;
	c->timed_out = false;
	give_way(&op);
	c->timed = false;
	return c->timed_out ? PKMAP_ETIMEDOUT : 0;
}

static void port_wake(void *port, pkmap_a32 *event)
{
	struct context *c;
	uint32_t nr;

	(void)port;
	give_way_as(OP_STEP);
	for (nr = 0; nr < m.ncontexts; nr++) {
		c = &m.hw.context[nr];
		if (c->state != CONTEXT_ASLEEP || c->op.var != place_of(event))
			continue;
		c->state = CONTEXT_READY;
		log_event((int)nr, EVENT_GO_ON, "is woken by %s",
			  m.info[m.current].name);
	}
}

static int port_local_enter(void *port)
{
	(void)port;
	give_way_as(OP_STEP);
	context()->preempt_off++;
	return this_cpu();
}

static int port_local_cpu(void *port)
{
	(void)port;
	if (m.info[m.current].kind == LANE_TASK && !context()->preempt_off)
		return -1;
	return this_cpu();
}

static void port_local_leave(void *port)
{
	(void)port;
	give_way_as(OP_STEP);
	context()->preempt_off--;
}

static const char *misuse_name(enum pkmap_misuse what)
{
	static const char *const names[] = {
		[PKMAP_MISUSE_IDLE] = "unmap of an idle slot",
		[PKMAP_MISUSE_FREE] = "unmap of a free slot",
		[PKMAP_MISUSE_FOREIGN] = "foreign address",
		[PKMAP_MISUSE_UNALIGNED] = "unaligned address",
		[PKMAP_MISUSE_PFN] = "page out of range",
		[PKMAP_MISUSE_IMPOSSIBLE] = "more pages than slots",
		[PKMAP_MISUSE_LOCAL_ORDER] = "local maps out of order",
		[PKMAP_MISUSE_LOCAL_DEPTH] = "too many local maps",
		[PKMAP_MISUSE_IN_USE] = "window in use",
		[PKMAP_MISUSE_SATURATED] = "count at its limit",
		[PKMAP_MISUSE_LOCAL_OPEN] = "map of a local map's page",
		[PKMAP_MISUSE_LOCAL_LEFT] = "local map left open",
		[PKMAP_MISUSE_CPU] = "unknown CPU",
	};

	return names[what];
}

static void port_report(void *port, const struct pkmap_report *report)
{
	(void)port;
	if (!context()->misuse_expected)
		broken(10, VERDICT_BROKEN, "%s refuses what is right: %s",
		       report->call, misuse_name(report->what));
	context()->misuse_expected = false;
}

const struct pkmap_ops machine_ops = {
	.set = mmu_set,
	.clear = mmu_clear,
	.flush_tlb = mmu_flush_tlb,
	.cache_clean_inval = port_clean_inval,
	.cache_clean_inval_all = cache_clean_inval_all,
	.lock = port_lock,
	.trylock = port_trylock,
	.unlock = port_unlock,
	.wait = port_wait,
	.wake = port_wake,
	.local_enter = port_local_enter,
	.local_cpu = port_local_cpu,
	.local_leave = port_local_leave,
	.report = port_report,
};

bool machine_irq_save(void)
{
	const bool were_on = !context()->irq_off;

	give_way_as(OP_STEP);
	context()->irq_off = true;
	return were_on;
}

void machine_irq_restore(bool were_on)
{
	context()->irq_off = !were_on;
}

void machine_spin_lock(struct machine_spinlock *lock)
{
	const struct op op = { .kind = OP_SPIN, .var = place_of(lock) };

	give_way_as(OP_STEP);
	context()->preempt_off++;
	if (lock->owner)
		give_way(&op);
	lock->owner = m.current + 1u;
	sync_spin(true);
}

bool machine_spin_trylock(struct machine_spinlock *lock)
{
	give_way_as(OP_STEP);
	if (lock->owner)
		return false;
	context()->preempt_off++;
	lock->owner = m.current + 1u;
	sync_spin(true);
	return true;
}

void machine_spin_unlock(struct machine_spinlock *lock)
{
	give_way_as(OP_STEP);
	sync_spin(false);
	lock->owner = 0;
	context()->preempt_off--;
}

void machine_raise(int irq)
{
	give_way_as(OP_STEP);
	m.hw.raised |= (uint8_t)(1u << irq);
}

uint32_t machine_line_bytes(void)
{
	return line_bytes();
}
