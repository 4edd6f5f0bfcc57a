/* SPDX-License-Identifier: MIT */
/*
 * model_priv.h - what the files of the model share besides.
 */
#ifndef MACHINE_MODEL_PRIV_H
#define MACHINE_MODEL_PRIV_H

#include "model.h"

/* context.c: the context stops here until the checker lets it go on. */
void give_way(const struct op *op);
void give_way_as(enum op_kind kind);

/*
 * memory.c: what besides atomics orders memory: locks, answers to
 * inter-processor interrupts, data.
 */
void weak_init(void);
uint32_t weak_newest(const pkmap_a32 *var);
/* A CPU on which nothing runs any more loads nothing either. */
void weak_retire(int cpu);
void sync_lock(bool taken);
void sync_spin(bool taken);
void sync_ask(void);
void sync_answer(int cpu);
void sync_answered(void);
void sync_store(int page, uint32_t offset);
void sync_translation(uint32_t slot);
void sync_flush(int cpu, uint32_t first, uint32_t end);
/* A byte of a page, among all. */
uint64_t byte_bit(int page, uint32_t offset);
/* Whether this CPU is sure to see the last store to a byte. */
bool sync_sees(int page, uint32_t offset);
/* This CPU has cleaned a line of the page, for the window. */
void sync_clean(int page);
/* Whether it is sure that the page was cleaned so many times. */
bool sync_sees_clean(int page, uint8_t times);
/* Whether a CPU's page-table walker is sure to see a translation as it is. */
bool sync_sees_translation(int cpu, uint32_t slot);

/* mmu.c */
/* The page that the CPU reaches at @slot, or -1 and an invariant is broken. */
int translate(int cpu, uint32_t slot);
int mmu_set(void *port, void *addr, pkmap_pfn pfn, bool read_only);
void mmu_clear(void *port, void *addr, size_t npages);
void mmu_flush_tlb(void *port, void *addr, size_t npages, bool this_cpu_only);

/* cache.c */
/* The hardware's call; see range_clean. */
void cache_clean_inval_range(const void *addr, size_t bytes);
void cache_clean_inval_all(void *port);
bool page_is_cached(int page);
/* Whether a page's lines are in one place, whichever of the slots shows it. */
bool same_place(uint32_t slot, uint32_t other, int page);
void check_order(int page);

/* checks.c */
void check_load(int page, uint32_t offset, uint8_t value, const char *who);
void check_written(int page);

#endif /* MACHINE_MODEL_PRIV_H */
