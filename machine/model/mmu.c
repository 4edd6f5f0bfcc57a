// SPDX-License-Identifier: MIT
/*
 * mmu.c - the page table, and a TLB for each CPU.
 *
 * A TLB keeps every translation that its CPU has used, or could have used if
 * the CPU speculates, until it is flushed.  That is the worst that a TLB may
 * do, so it needs no choices: a stale translation that may still be there is
 * there.
 */
#include "model_priv.h"

uint32_t slot_of(const void *addr)
{
	const uintptr_t slot = ((uintptr_t)addr - WINDOW_BASE) >>
			       m.config.page_shift;

	if (slot < m.nslots)
		return (uint32_t)slot;
	broken(4, VERDICT_BROKEN, "%s uses an address outside of all slots",
	       m.info[m.current].name);
	return 0;
}

int translate(int cpu, uint32_t slot)
{
	uint8_t *tlb;

	tlb = &m.hw.tlb[cpu][slot];
	if (!*tlb && !sync_sees_translation(cpu, slot))
		broken(4, VERDICT_BROKEN,
		       "%s may not see the translation of slot %u yet",
		       m.info[m.current].name, slot);
	if (!*tlb)
		*tlb = m.hw.pte[slot];
	if (!*tlb) {
		broken(4, VERDICT_BROKEN, "%s faults at slot %u",
		       m.info[m.current].name, slot);
		return -1;
	}
	if (*tlb != m.hw.pte[slot])
		broken(4, VERDICT_BROKEN,
		       "%s reaches slot %u through a stale translation",
		       m.info[m.current].name, slot);
	return *tlb - 1;
}

static void flush_tlb_of(int cpu, uint32_t first, uint32_t end)
{
	uint32_t slot;

	/* A CPU that speculates loads valid translations again at once. */
	for (slot = first; slot < end; slot++)
		m.hw.tlb[cpu][slot] =
			m.config.cache.speculative ? m.hw.pte[slot] : 0;
	sync_flush(cpu, first, end);
}

void answer_flush(int cpu)
{
	flush_tlb_of(cpu, m.hw.flush_first, m.hw.flush_end);
	sync_answer(cpu);
	m.hw.cpu[cpu].flush_asked = false;
}

static void check_not_held(uint32_t slot, const char *what)
{
	if (m.hw.held[slot])
		broken(3, VERDICT_BROKEN, "slot %u %s while it is held", slot,
		       what);
}

/* A slot of the window is shared by all CPUs; one for local maps is not. */
static void check_not_in_tlbs(uint32_t slot)
{
	const bool local = slot >= m.config.nslots;
	uint32_t cpu;

	for (cpu = 0; cpu < m.config.ncpus; cpu++) {
		if (m.hw.tlb[cpu][slot] && (!local || (int)cpu == this_cpu()))
			broken(4, VERDICT_BROKEN,
			       "slot %u is set while CPU %u's TLB has it", slot,
			       cpu);
	}
}

static bool is_mapped_at(uint32_t slot, int page)
{
	uint32_t cpu;

	for (cpu = 0; cpu < m.config.ncpus; cpu++) {
		if (m.hw.tlb[cpu][slot] == page + 1)
			return true;
	}
	return m.hw.pte[slot] == page + 1;
}

/* A cache that speculates may fill lines at any address of the page. */
static void check_same_entries(uint32_t slot, int page)
{
	uint32_t other;

	for (other = 0; m.config.cache.speculative && other < m.nslots;
	     other++) {
		if (is_mapped_at(other, page) &&
		    !same_entries(slot, other, page))
			broken(5, VERDICT_BROKEN,
			       "page %d may get cached at slots %u and %u",
			       page, slot, other);
	}
}

int mmu_set(void *port, void *addr, pkmap_pfn pfn, bool read_only)
{
	const struct op op = { .kind = OP_PTE, .slot = (uint8_t)slot_of(addr) };
	uint32_t cpu;

	(void)port;
	(void)read_only;
	give_way(&op);
	check_not_held(op.slot, "is set");
	if (m.hw.pte[op.slot])
		broken(4, VERDICT_BROKEN, "slot %u is set, but not cleared",
		       op.slot);
	check_not_in_tlbs(op.slot);
	check_same_entries(op.slot, (int)pfn);
	m.hw.pte[op.slot] = (uint8_t)(pfn + 1);
	sync_translation(op.slot);
	log_event(m.current, EVENT_NOTE, "slot %u shows page %lu from now on",
		  op.slot, pfn);
	for (cpu = 0; m.config.cache.speculative && !m.config.weak_memory &&
		      cpu < m.config.ncpus;
	     cpu++)
		m.hw.tlb[cpu][op.slot] = m.hw.pte[op.slot];
	return 0;
}

void mmu_clear(void *port, void *addr, size_t npages)
{
	struct op op = { .kind = OP_PTE, .slot = (uint8_t)slot_of(addr) };

	(void)port;
	for (; npages-- > 0; op.slot++) {
		give_way(&op);
		check_not_held(op.slot, "is cleared");
		if (m.hw.pte[op.slot])
			check_unsure(m.hw.pte[op.slot] - 1);
		m.hw.pte[op.slot] = 0;
		sync_translation(op.slot);
		log_event(m.current, EVENT_NOTE, "clears slot %u", op.slot);
	}
}

static void flush_by_interrupt(uint32_t first, uint32_t end)
{
	int cpu;

	for (cpu = 0; cpu < (int)m.config.ncpus; cpu++) {
		if (m.hw.cpu[cpu].flush_asked)
			broken(7, VERDICT_BROKEN, "two TLB flushes at once");
	}
	m.hw.flush_first = (uint8_t)first;
	m.hw.flush_end = (uint8_t)end;
	for (cpu = 0; cpu < (int)m.config.ncpus; cpu++)
		m.hw.cpu[cpu].flush_asked = cpu != this_cpu();
	log_event(m.current, EVENT_BLOCK,
		  "asks the other CPUs to flush their TLBs, and waits");
	/* The waiting task keeps its CPU, but can be interrupted. */
	context()->preempt_off++;
	sync_ask();
	give_way_as(OP_ACKS);
	sync_answered();
	context()->preempt_off--;
	log_event(m.current, EVENT_GO_ON, "all have answered");
}

void mmu_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu_only)
{
	const uint32_t first = slot_of(addr);
	const uint32_t end = first + (uint32_t)npages;
	uint32_t cpu;

	(void)port;
	give_way_as(OP_FLUSH);
	flush_tlb_of(this_cpu(), first, end);
	if (this_cpu_only || m.config.ncpus == 1)
		return;
	if (m.config.ipi && !m.preparing) {
		flush_by_interrupt(first, end);
		return;
	}
	for (cpu = 0; cpu < m.config.ncpus; cpu++)
		flush_tlb_of((int)cpu, first, end);
	log_event(m.current, EVENT_NOTE, "flushes the TLBs");
}
